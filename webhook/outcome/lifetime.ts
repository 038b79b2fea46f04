import type { OutcomeKind, PullOutcome } from './outcome.ts';

const SECOND = 1000;
/** Noise is asked again almost at once; the pause only keeps a burst of one rollout from asking a thousand times. */
const NOISE_MS = 5 * SECOND;
/** Short enough that a push or a corrected secret is seen on the next try of a person. */
const PROOF_OF_FAILURE_MS = 10 * SECOND;
const PULLABLE_MS = 5 * 60 * SECOND;
const PULLABLE_BY_DIGEST_MS = 60 * 60 * SECOND;

/** How long an outcome may answer for the same question, milliseconds (design, part 5 step 5). */
export const LIFETIME_MS = Object.freeze({
  pullable: PULLABLE_MS,
  'invalid-reference': PULLABLE_BY_DIGEST_MS,
  'tag-not-found': PROOF_OF_FAILURE_MS,
  'repository-not-found': PROOF_OF_FAILURE_MS,
  'digest-not-found': PROOF_OF_FAILURE_MS,
  'platform-mismatch': PROOF_OF_FAILURE_MS,
  'pull-secret-malformed': PROOF_OF_FAILURE_MS,
  'unsupported-manifest': PROOF_OF_FAILURE_MS,
  damaged: PROOF_OF_FAILURE_MS,
  'will-not-run': PULLABLE_MS,
  'never-pull-absent': NOISE_MS,
  'access-denied': PROOF_OF_FAILURE_MS,
  'http-not-declared': PROOF_OF_FAILURE_MS,
  'https-expected-http': PROOF_OF_FAILURE_MS,
  'tls-unknown-authority': PROOF_OF_FAILURE_MS,
  'tls-wrong-name': PROOF_OF_FAILURE_MS,
  'tls-expired': PROOF_OF_FAILURE_MS,
  'tls-client-certificate-required': PROOF_OF_FAILURE_MS,
  'tls-other': PROOF_OF_FAILURE_MS,
  'pull-too-slow': PULLABLE_MS,
  'rate-limited': NOISE_MS,
  'registry-error': NOISE_MS,
  unreachable: NOISE_MS,
  'not-checked': NOISE_MS,
} as const satisfies Record<OutcomeKind, number>);

/** A digest names its content for good: what was pullable by digest stays so longer. */
export function lifetimeMs(outcome: PullOutcome, isByDigest: boolean): number {
  return outcome.kind === 'pullable' && isByDigest ? PULLABLE_BY_DIGEST_MS : LIFETIME_MS[outcome.kind];
}
