import type { Credential } from '../credentials/credential.ts';
import { formatPlatform, type Platform } from '../image/platform.ts';
import type { EndpointPlan } from '../node/endpoint.ts';
import { basisOf, type Doubt } from '../outcome/certainty.ts';
import { formatRuntime, type Runtime } from '../outcome/runtime.ts';
import { splitAuthority } from '../registry/authority.ts';
import { ended, furthest, isSuccess, joinFailures, withDoubts, type Attempt } from './attempt.ts';
import type { Course } from './course.ts';
import { joinPlatforms } from './platform-join.ts';
import type { PredictorOptions } from './predict.ts';
import { attemptPull } from './pull.ts';
import { refusedBySettings } from './settings-refusal.ts';
import { traitsOf } from './traits-of.ts';
import type { RuntimeTraits } from './traits.ts';
import type { Work } from './work.ts';

/** A way in which nodes may pull: what they run, and whom that asks for this image. */
type Variant = { readonly runtime: Runtime; readonly traits: RuntimeTraits; readonly plan: EndpointPlan };

/** Variants that judge alike are asked once; where the rest disagree, nothing is proven (design, rule 2). */
export async function tryRuntimes(work: Work, course: Course, signal: AbortSignal): Promise<Attempt> {
  const attempts: Attempt[] = [];
  for (const variant of distinctVariants(work)) {
    const inner = course.enter(`as ${formatRuntime(variant.runtime)}`);
    // each variant is answered from the requests of those before
    // oxlint-disable-next-line no-await-in-loop
    attempts.push(await tryLogins(work, variant, inner, signal));
  }
  const failures = attempts.filter((one) => !isSuccess(one.outcome));
  const [first, ...rest] = failures;
  if (first === undefined) {
    return attempts.find((one) => one.outcome.kind === 'will-not-run') ?? attempts[0] ?? noRuntime();
  }
  const joined = joinFailures(furthest([first, ...rest]), failures);
  return failures.length === attempts.length ? joined : withDoubts(joined, 'node-runtime');
}

function distinctVariants({ options, question }: Work): readonly Variant[] {
  const seen = new Map<string, Variant>();
  for (const runtime of options.node.runtimes) {
    const traits = traitsOf(runtime);
    const plan = options.node.plan(question.reference, runtime, question.namespace);
    const key = `${traits.name} ${JSON.stringify(plan)}`;
    if (!seen.has(key)) seen.set(key, { runtime, traits, plan });
  }
  return [...seen.values()];
}

/** A runtime is always declared; the type cannot say so. */
const noRuntime = (): Attempt => ended({ kind: 'not-checked', reason: 'internal', detail: 'no runtime is declared' });

/** The kubelet's loop: each login in turn until one works, no anonymous try after them (pull-parity C9). */
async function tryLogins(work: Work, variant: Variant, course: Course, signal: AbortSignal): Promise<Attempt> {
  const failures: Attempt[] = [];
  for (const login of work.logins) {
    const who = login === undefined ? 'without credentials' : `as pull secret "${login.secret}", key "${login.key}"`;
    // the next login is for when this one fails
    // oxlint-disable-next-line no-await-in-loop
    const attempt = await tryPlatforms(work, variant, login, course.enter(who), signal);
    if (isSuccess(attempt.outcome)) return attempt;
    failures.push(attempt);
  }
  const [first, ...rest] = failures;
  if (first === undefined) return noRuntime();
  const joined = joinFailures(furthest([first, ...rest]), failures);
  return work.isPartial ? withDoubts(joined, 'not-every-endpoint') : joined;
}

async function tryPlatforms(
  work: Work,
  variant: Variant,
  login: Credential | undefined,
  course: Course,
  signal: AbortSignal,
): Promise<Attempt> {
  const { platforms } = work.question.platforms;
  const attempts: Attempt[] = [];
  for (const platform of platforms) {
    const inner = platforms.length === 1 ? course : course.enter(`for ${formatPlatform(platform)}`);
    work.follow(inner);
    // later platforms are answered from what the first one fetched
    // oxlint-disable-next-line no-await-in-loop
    attempts.push(await tryOne(work, variant, login, platform, inner, signal));
  }
  return joinPlatforms(attempts);
}

async function tryOne(
  work: Work,
  { plan, traits }: Variant,
  login: Credential | undefined,
  platform: Platform,
  course: Course,
  signal: AbortSignal,
): Promise<Attempt> {
  const { options, question } = work;
  if (signal.aborted) return ended({ kind: 'not-checked', reason: 'deadline', detail: 'no time was left' });
  for (const { file, line, reason } of plan.problems) {
    work.addFinding({ kind: 'node-settings-problem', file: line === undefined ? file : `${file}:${line}`, reason });
  }
  if (plan.kind === 'refused') {
    course.note(`the node's settings refuse: ${plan.reason}`);
    const doubts: readonly Doubt[] = [
      ...(plan.isUnusable === true ? ['settings-unusable' as const] : []),
      ...(plan.isElsewhere === true ? ['node-settings' as const] : []),
      ...(plan.rule?.isAssumed === true ? ['short-name-mode' as const] : []),
    ];
    return weighRange(plan, ended(refusedBySettings(plan, question.reference), doubts));
  }
  const pulled = await attemptPull({
    reference: question.reference,
    platform,
    traits,
    endpoints: plan.endpoints,
    clientFor: (endpoint) => work.clientFor(endpoint, login, traits.style),
    mayLookInside: (endpoint) => options.budget.mayLookInside(endpoint.authority),
    memory: options.memoryFor(login),
    contentCheck: options.contentCheck,
    foreignLayers: work.foreignLayers,
    meter: question.wantsThroughput ? options.meter : undefined,
    noteAnswer: work.endpointAnswers.note,
    course,
    signal,
  });
  const attempt =
    plan.isUnusable === true && !isSuccess(pulled.outcome) ? withDoubts(pulled, 'settings-unusable') : pulled;
  return weighLoopback(weighRange(plan, attempt), plan, { traits, addressesOf: options.addressesOf });
}

/** dockerd needs no TLS of loopback, by whatever name: seen where the user gave the name its address (pull-parity E9). */
function weighLoopback(
  attempt: Attempt,
  { endpoints }: Extract<EndpointPlan, { readonly kind: 'endpoints' }>,
  { traits, addressesOf }: Pick<Variant, 'traits'> & Pick<PredictorOptions, 'addressesOf'>,
): Attempt {
  const addresses = endpoints.flatMap(({ authority }) => addressesOf(splitAuthority(authority, 0).host));
  const isLoopback = addresses.some((address) => address === '::1' || address.startsWith('127.'));
  return traits.style === 'docker' && isLoopback ? weighRange({ mayBeInsecure: true }, attempt) : attempt;
}

/** A name that a node may resolve into an insecure range needs no TLS there (pull-parity E9). */
function weighRange(plan: Pick<EndpointPlan, 'mayBeInsecure'>, attempt: Attempt): Attempt {
  const restsOnTls = [attempt.outcome, ...attempt.others].some((end) => basisOf(end) === 'settings');
  return plan.mayBeInsecure === true && restsOnTls ? withDoubts(attempt, 'insecure-range') : attempt;
}
