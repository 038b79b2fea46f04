import type { Action } from '../outcome/action.ts';
import type { Finding } from '../outcome/finding.ts';
import type { OutcomeKind } from '../outcome/outcome.ts';
import type { Prediction } from '../outcome/prediction.ts';
import { imageNames, matchesGlob, matchesImage } from './match.ts';
import type { Mode, Policy, Rule } from './policy.ts';
import { quote } from './quote.ts';

/** What of a request a policy looks at. `kind` is the object's, `image` as it is written there. */
export type Subject = {
  readonly namespace: string;
  readonly kind: string;
  readonly image: string;
  readonly hasControllingOwner: boolean;
};

export type ImageVerdict = {
  /** What the outcome meets. Findings have actions of their own, and one that says `deny` refuses by itself. */
  readonly action: Action;
  readonly mode: Mode;
  /** What `action` would have been in mode `enforce`. */
  readonly intended: Action;
  readonly findings: readonly { readonly finding: Finding; readonly action: Action; readonly intended: Action }[];
  /** A denial, of the outcome or of a finding, became a warning because the object has a controlling owner. */
  readonly isDowngradedForController: boolean;
};

/** Maps the answer for one image to what the request meets. Pure; the policy's rules were checked when it was read. */
export function decideImage(policy: Policy, subject: Subject, prediction: Prediction): ImageVerdict {
  const cause = prediction.outcome.kind;
  const rules = matchingRules(policy, subject, cause);
  const mode = firstSet(rules, (rule) => rule.set.mode) ?? policy.mode;
  const controllerPods = firstSet(rules, (rule) => rule.set.controllerPods) ?? policy.controllerPods;
  const isSoftened = subject.hasControllingOwner && controllerPods === 'warn';
  const soften = (action: Action): Action => (isSoftened && action === 'deny' ? 'warn' : action);

  const half = prediction.isConclusive ? 'proven' : 'unproven';
  const wanted =
    firstSet(rules, (rule) => (speaksOf(rule, cause) ? rule.set.action?.[half] : undefined)) ??
    policy.actions[cause][half];
  const findings = prediction.findings.map((finding) => ({ finding, wanted: policy.findings[finding.kind] }));
  return {
    action: inMode(mode, soften(wanted)),
    mode,
    intended: soften(wanted),
    findings: findings.map((one) => {
      const intended = soften(one.wanted);
      return { finding: one.finding, action: inMode(mode, intended), intended };
    }),
    isDowngradedForController: isSoftened && [wanted, ...findings.map((one) => one.wanted)].includes('deny'),
  };
}

/**
 * Why an image is not checked at all, asked before any network call. A rule decides before the policy's own lists, and
 * `exempt: false` includes again what those exempt; a rule that names causes says nothing here, because no cause is
 * known yet. A placeholder is no image: no rule makes it one.
 */
export function exemption(policy: Policy, subject: Subject): 'namespace' | 'image' | 'placeholder' | undefined {
  const rule = matchingRules(policy, subject, undefined).find((one) => one.set.exempt !== undefined);
  if (rule?.set.exempt === true) return rule.match.images === undefined ? 'namespace' : 'image';
  if (rule === undefined) {
    if (policy.exempt.namespaces.some((glob) => matchesGlob(glob, subject.namespace))) return 'namespace';
    const names = policy.exempt.images.length === 0 ? [] : imageNames(subject.image);
    if (policy.exempt.images.some((pattern) => matchesImage(pattern, names))) return 'image';
  }
  return policy.placeholders.includes(subject.image) ? 'placeholder' : undefined;
}

/** Which lines of the policy decided, in words: `actions.damaged.proven says deny` or `rules[0] ("shop") says warn`. */
export function explainDecision(policy: Policy, subject: Subject, prediction: Prediction): readonly string[] {
  const cause = prediction.outcome.kind;
  const half = prediction.isConclusive ? 'proven' : 'unproven';
  const rules = matchingRules(policy, subject, cause);
  const nameOf = (rule: Rule): string =>
    `rules[${policy.rules.indexOf(rule)}]${rule.name === undefined ? '' : ` (${quote(rule.name)})`}`;
  const action = rules.find((rule) => speaksOf(rule, cause) && rule.set.action?.[half] !== undefined);
  const mode = rules.find((rule) => rule.set.mode !== undefined);
  const decided = decideImage(policy, subject, prediction);
  return [
    action === undefined
      ? `actions.${cause}.${half} says ${policy.actions[cause][half]}`
      : `${nameOf(action)} says ${action.set.action?.[half] ?? ''}`,
    `${mode === undefined ? 'mode' : `${nameOf(mode)}, mode`} is ${decided.mode}`,
    ...(decided.isDowngradedForController
      ? ['controllerPods: a Pod that a controller made is warned, not denied']
      : []),
  ];
}

/** The operator's limit for one pull of this subject, in seconds; `undefined` where there is none. */
export function maxPullSecondsFor(policy: Policy, subject: Subject): number | undefined {
  const rules = matchingRules(policy, subject, undefined);
  return firstSet(rules, (rule) => rule.set.maxPullSeconds) ?? policy.limits.maxPullSeconds;
}

/** The rules that match, in order. Without a cause, those that name causes match nothing. */
function matchingRules(policy: Policy, subject: Subject, cause: OutcomeKind | undefined): readonly Rule[] {
  if (policy.rules.length === 0) return [];
  const names = imageNames(subject.image);
  return policy.rules.filter(
    ({ match }) =>
      (match.namespaces?.some((glob) => matchesGlob(glob, subject.namespace)) ?? true) &&
      (match.kinds?.some((glob) => matchesGlob(glob, subject.kind)) ?? true) &&
      (match.causes?.some((one) => one === cause) ?? true) &&
      (match.images?.some((pattern) => matchesImage(pattern, names)) ?? true),
  );
}

/** A rule for every cause speaks of failures: it takes `causes: [pullable]` to say something of what is well. */
function speaksOf(rule: Rule, cause: OutcomeKind): boolean {
  return rule.match.causes !== undefined || cause !== 'pullable';
}

function firstSet<T>(rules: readonly Rule[], read: (rule: Rule) => T | undefined): T | undefined {
  for (const rule of rules) {
    const value = read(rule);
    if (value !== undefined) return value;
  }
  return undefined;
}

function inMode(mode: Mode, action: Action): Action {
  if (mode === 'observe') return 'allow';
  return mode === 'warn' && action === 'deny' ? 'warn' : action;
}
