import { basisOf, type Doubt } from '../outcome/certainty.ts';
import type { PullOutcome } from '../outcome/outcome.ts';

/** How a try of a pull ends: one endpoint's, one login's, one platform's, one runtime's, or all of them together. */
export type Attempt = {
  readonly outcome: PullOutcome;
  /** What was seen on the way and keeps the outcome from being proof. */
  readonly doubts: readonly Doubt[];
  /** How everything else ended that the node would try too: a failure is proven only when each of these is. */
  readonly others: readonly PullOutcome[];
};

export const ended = (outcome: PullOutcome, doubts: readonly Doubt[] = []): Attempt => ({
  outcome,
  doubts,
  others: [],
});

/** `chosen`, one of `failures`, names the cause for all of them. */
export function joinFailures(chosen: Attempt, failures: readonly Attempt[]): Attempt {
  const rest = failures.filter((one) => one !== chosen);
  return {
    outcome: chosen.outcome,
    doubts: uniqueDoubts([chosen, ...rest].flatMap((one) => one.doubts)),
    others: [...chosen.others, ...rest.flatMap((one) => [one.outcome, ...one.others])],
  };
}

export const withDoubts = (attempt: Attempt, ...doubts: readonly Doubt[]): Attempt => ({
  ...attempt,
  doubts: uniqueDoubts([...attempt.doubts, ...doubts]),
});

export function uniqueDoubts(doubts: readonly Doubt[]): readonly Doubt[] {
  return [...new Set(doubts)];
}

export const isSuccess = (outcome: PullOutcome): boolean =>
  outcome.kind === 'pullable' || outcome.kind === 'will-not-run';

/** Noise about the network, our own limits: never the end of an endpoint, only of our asking. */
export const isNoise = (outcome: PullOutcome): boolean => basisOf(outcome) === 'never' && !isSuccess(outcome);

/** How far a pull got before it failed: the answer that got furthest names the cause (design, rule 1). */
const PROGRESS: Readonly<Record<PullOutcome['kind'], number>> = Object.freeze({
  pullable: 9,
  'will-not-run': 9,
  'pull-too-slow': 9,
  damaged: 8,
  'platform-mismatch': 8,
  'unsupported-manifest': 8,
  'rate-limited': 6,
  'access-denied': 5,
  'tag-not-found': 5,
  'repository-not-found': 5,
  'digest-not-found': 5,
  'registry-error': 4,
  'https-expected-http': 3,
  'http-not-declared': 3,
  'tls-unknown-authority': 3,
  'tls-wrong-name': 3,
  'tls-expired': 3,
  'tls-client-certificate-required': 3,
  'tls-other': 3,
  unreachable: 2,
  'not-checked': 1,
  'invalid-reference': 0,
  'pull-secret-malformed': 0,
  'never-pull-absent': 0,
});

/** Whoever was not let in learnt less than whoever was told that there is nothing. */
function progressOf(outcome: PullOutcome): number {
  const isShutOut =
    outcome.kind === 'access-denied' &&
    (outcome.by === 'registry' || outcome.by === 'token-service') &&
    outcome.reason !== 'insufficient-scope';
  return PROGRESS[outcome.kind] - (isShutOut ? 0.5 : 0);
}

/** The first of those that got furthest. */
export function furthest(attempts: readonly [Attempt, ...Attempt[]]): Attempt {
  return attempts.reduce((best, one) => (progressOf(one.outcome) > progressOf(best.outcome) ? one : best));
}
