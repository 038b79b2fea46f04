import type { OutcomeOf } from '../outcome/outcome.ts';
import { describeFinding, verdictLine } from '../outcome/message.ts';
import { field } from '../outcome/printable.ts';
import type { RuntimeFamily } from '../outcome/runtime.ts';
import type { Mode } from '../policy/policy.ts';
import type { Decision } from './answer.ts';
import { annotate } from './annotations.ts';
import type { ReviewVerdict } from './facts.ts';
import type { Judged } from './judged.ts';
import type { Question } from './questions.ts';
import { boundWarnings, MAX_WARNING_LENGTH } from './warnings.ts';

export type Findings = {
  readonly judged: readonly Judged[];
  /** Images that were not even looked at, and containers that could not be read. */
  readonly beyond: number;
  readonly unreadable: number;
  /** The policy's own, for what no rule was asked about. */
  readonly mode: Mode;
  readonly family: RuntimeFamily;
};

/** Room for every image of a real Pod in full; a status message of megabytes would be a weapon. */
const MAX_DENIAL_LENGTH = 16 * 1024;
const MAX_DENIAL_LINE = 1500;

/** Joins the verdicts on all images to the one answer: denials in one line, warnings one by one, audit annotations. */
export function decide(findings: Findings): Decision {
  const { judged, family } = findings;
  const denials = judged.flatMap((one) => denialsOf(one, family));
  const denial = denials.length === 0 ? undefined : joinDenials(denials);
  const warnings = boundWarnings([...judged.flatMap((one) => warningsOf(one, family)), ...summaries(findings)]);
  const verdict = verdictOf({ denial, warnings });
  return { denial, warnings, annotations: annotate(judged, { ...findings, verdict }) };
}

export function verdictOf({ denial, warnings }: Pick<Decision, 'denial' | 'warnings'>): ReviewVerdict {
  if (denial !== undefined) return 'denied';
  return warnings.length > 0 ? 'warned' : 'allowed';
}

function denialsOf(one: Judged, family: RuntimeFamily): readonly string[] {
  const { question, verdict } = one;
  const refused = verdict.findings.filter(({ action }) => action === 'deny');
  const lines = refused.map(
    ({ finding }) => `${placeOf(question)} (${question.use.path}): ${describeFinding(finding)}`,
  );
  return verdict.action === 'deny' ? [lineOf(one, family, { maxLength: MAX_DENIAL_LINE }), ...lines] : lines;
}

function warningsOf(one: Judged, family: RuntimeFamily): readonly string[] {
  const { verdict } = one;
  const noticed = verdict.findings.filter(({ action }) => action === 'warn');
  const lines = noticed.map(({ finding }) => describeFinding(finding));
  return verdict.action === 'warn' ? [lineOf(one, family, { maxLength: MAX_WARNING_LENGTH }), ...lines] : lines;
}

/** A denial names the path in the object; a warning has no room for it. */
function lineOf(
  { question, prediction, verdict }: Judged,
  family: RuntimeFamily,
  limits: { maxLength: number },
): string {
  const parts = {
    where: placeOf(question),
    image: question.image,
    outcome: prediction.outcome,
    doubts: prediction.doubts,
    wording: { family, image: question.image },
  };
  return verdictLine(verdict.action === 'deny' ? { ...parts, path: question.use.path } : parts, limits);
}

function placeOf({ use, others }: Question): string {
  return others === 0 ? use.where : `${use.where} and ${others} more`;
}

function joinDenials(lines: readonly string[]): string {
  const distinct = [...new Set(lines.map((line) => field(line.replace(/\.$/u, ''), MAX_DENIAL_LINE)))];
  let total = 0;
  const fitting = distinct.filter((line) => (total += line.length + 2) <= MAX_DENIAL_LENGTH);
  const rest = distinct.length - fitting.length;
  return rest === 0 ? fitting.join('; ') : `${fitting.join('; ')}; and ${rest} more`;
}

type NotChecked = OutcomeOf<'not-checked'>['reason'];
const SUMMARIES: readonly { readonly reason: NotChecked; readonly text: string }[] = [
  { reason: 'limit', text: 'a limit of the policy was reached (limits.maxImages, limits.maxHosts); split the object' },
  { reason: 'deadline', text: 'no time was left (policy limits.review); check them with "pullguard check"' },
  { reason: 'internal', text: 'Pullguard failed inside; its log says why' },
];

/** What was admitted unchecked, where the policy says nothing of each image itself. */
function summaries({ judged, beyond, unreadable, mode }: Findings): readonly string[] {
  const count = (reason: NotChecked): number =>
    judged.filter(
      ({ prediction: { outcome }, verdict }) =>
        outcome.kind === 'not-checked' &&
        outcome.reason === reason &&
        verdict.action === 'allow' &&
        verdict.mode !== 'observe',
    ).length;
  const lines = SUMMARIES.flatMap(({ reason, text }) => {
    const images = count(reason) + (reason === 'limit' && mode !== 'observe' ? beyond : 0);
    return images === 0 ? [] : [`${images} ${images === 1 ? 'image was' : 'images were'} not checked: ${text}`];
  });
  if (unreadable === 0 || mode === 'observe') return lines;
  const [entries, are] =
    unreadable === 1
      ? ['entry', 'was not checked: it is no container']
      : ['entries', 'were not checked: they are no containers'];
  return [...lines, `${unreadable} ${entries} among the containers ${are}`];
}
