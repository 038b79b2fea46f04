import type { OutcomeKind, OutcomeOf, PullOutcome } from './outcome.ts';

/**
 * What it takes for an outcome of a kind to be proof (design, rules 1 to 4):
 * - `always`: it rests on the request alone;
 * - `asked`: the registry said so, to the identity and on every endpoint that the node would use;
 * - `settings`: as `asked`, and the declared node settings are complete;
 * - `credentials`: as `asked`, and the nodes are known to hold no credentials of their own for the host (but see {@link basisOf});
 * - `platforms`: as `asked`, and the Pod or the policy fixes the platforms;
 * - `nodes`: every schedulable node is known;
 * - `never`: noise about the network or advice about later.
 */
export type Basis = 'always' | 'asked' | 'settings' | 'credentials' | 'platforms' | 'nodes' | 'never';

export const CERTAINTY_BASIS = Object.freeze({
  pullable: 'asked',
  'invalid-reference': 'always',
  'tag-not-found': 'credentials',
  'repository-not-found': 'credentials',
  'digest-not-found': 'credentials',
  'platform-mismatch': 'platforms',
  'pull-secret-malformed': 'always',
  'unsupported-manifest': 'asked',
  damaged: 'asked',
  'will-not-run': 'never',
  'never-pull-absent': 'nodes',
  'access-denied': 'credentials',
  'http-not-declared': 'settings',
  'https-expected-http': 'settings',
  'tls-unknown-authority': 'settings',
  'tls-wrong-name': 'settings',
  'tls-expired': 'settings',
  'tls-client-certificate-required': 'settings',
  'tls-other': 'settings',
  'pull-too-slow': 'never',
  'rate-limited': 'never',
  'registry-error': 'never',
  unreachable: 'never',
  'not-checked': 'never',
} as const satisfies Record<OutcomeKind, Basis>);

/** As the table has it, but for a refusal by the nodes' settings, which no login changes, and for what is surmised. */
export function basisOf(outcome: PullOutcome): Basis {
  if (outcome.kind === 'tls-client-certificate-required' && outcome.isSurmised === true) return 'never';
  return isRefusedBySettings(outcome) ? 'settings' : CERTAINTY_BASIS[outcome.kind];
}

export function isRefusedBySettings(
  outcome: PullOutcome,
): outcome is Extract<OutcomeOf<'access-denied'>, { readonly by: 'node-settings' }> {
  return outcome.kind === 'access-denied' && outcome.by === 'node-settings';
}

/**
 * Absence and damage: with `IfNotPresent` they deny only what this request introduces (design, rule 3). The kubelet reads
 * no pull secret either for an image that its node holds.
 */
export const RESTS_ON_PRESENCE = Object.freeze({
  pullable: false,
  'invalid-reference': false,
  'tag-not-found': true,
  'repository-not-found': true,
  'digest-not-found': true,
  'platform-mismatch': true,
  'pull-secret-malformed': true,
  'unsupported-manifest': true,
  damaged: true,
  'will-not-run': false,
  'never-pull-absent': false,
  'access-denied': true,
  'http-not-declared': true,
  'https-expected-http': true,
  'tls-unknown-authority': true,
  'tls-wrong-name': true,
  'tls-expired': true,
  'tls-client-certificate-required': true,
  'tls-other': true,
  'pull-too-slow': false,
  'rate-limited': false,
  'registry-error': false,
  unreachable: false,
  'not-checked': false,
} as const satisfies Record<OutcomeKind, boolean>);

/** Which doubt keeps an outcome from being proof; each has a clause in the message. */
export type Doubt =
  | 'node-credentials'
  | 'node-settings'
  | 'node-platforms'
  | 'node-runtime'
  | 'image-may-be-present'
  | 'image-is-present'
  | 'pull-records-unknown'
  | 'insecure-range'
  | 'settings-unusable'
  | 'short-name-mode'
  | 'secret-may-follow'
  | 'volume-not-mounted'
  | 'not-every-endpoint'
  | 'not-a-registry-answer'
  | 'answers-disagree'
  | 'redirect-login'
  | 'secret-unread';
