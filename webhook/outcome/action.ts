import type { FindingKind } from './finding.ts';
import type { OutcomeKind } from './outcome.ts';

/** What a request meets: `allow` says nothing, `warn` admits with a warning, `deny` refuses. */
export const ACTIONS = ['allow', 'warn', 'deny'] as const;
export type Action = (typeof ACTIONS)[number];

/** One action where the outcome is proven, another where it could not be. */
export type ActionPair = { readonly proven: Action; readonly unproven: Action };

const pair = (proven: Action, unproven: Action): ActionPair => Object.freeze({ proven, unproven });
const DENY_ON_PROOF = pair('deny', 'warn');
const WARN = pair('warn', 'warn');

/** What is shipped, in mode `enforce` (design, part 3): only what is proven is refused. */
export const DEFAULT_ACTIONS = Object.freeze({
  pullable: pair('allow', 'allow'),
  'invalid-reference': DENY_ON_PROOF,
  'tag-not-found': DENY_ON_PROOF,
  'repository-not-found': DENY_ON_PROOF,
  'digest-not-found': DENY_ON_PROOF,
  'platform-mismatch': DENY_ON_PROOF,
  'pull-secret-malformed': DENY_ON_PROOF,
  'unsupported-manifest': DENY_ON_PROOF,
  damaged: DENY_ON_PROOF,
  'will-not-run': WARN,
  'never-pull-absent': pair('warn', 'allow'),
  'access-denied': DENY_ON_PROOF,
  'http-not-declared': DENY_ON_PROOF,
  'https-expected-http': DENY_ON_PROOF,
  'tls-unknown-authority': DENY_ON_PROOF,
  'tls-wrong-name': DENY_ON_PROOF,
  'tls-expired': DENY_ON_PROOF,
  'tls-client-certificate-required': DENY_ON_PROOF,
  'tls-other': DENY_ON_PROOF,
  'pull-too-slow': WARN,
  'rate-limited': WARN,
  'registry-error': WARN,
  unreachable: WARN,
  'not-checked': pair('allow', 'allow'),
} as const satisfies Record<OutcomeKind, ActionPair>);

/** Findings never refuse by themselves. */
export const DEFAULT_FINDING_ACTIONS = Object.freeze({
  'pull-secret-missing': 'warn',
  'pull-secret-unreadable': 'warn',
  'pull-secret-wrong-type': 'warn',
  'pull-secret-empty': 'warn',
  'pull-secret-token-only': 'warn',
  'pull-secret-odd-login': 'warn',
  'service-account-missing': 'warn',
  'key-nearly-matches': 'warn',
  'certificate-expires-soon': 'warn',
  'endpoints-disagree': 'warn',
  'mutable-tag': 'allow',
  'node-settings-problem': 'warn',
} as const satisfies Record<FindingKind, Action>);
