import type { OutcomeKind } from './outcome.ts';

/** The label of a kind in metrics and audit annotations: stable, even where a kind is renamed. */
export const METRIC_LABEL = Object.freeze({
  pullable: 'pullable',
  'invalid-reference': 'invalid_reference',
  'tag-not-found': 'tag_not_found',
  'repository-not-found': 'repository_not_found',
  'digest-not-found': 'digest_not_found',
  'platform-mismatch': 'platform_mismatch',
  'pull-secret-malformed': 'pull_secret_malformed',
  'unsupported-manifest': 'unsupported_manifest',
  damaged: 'damaged',
  'will-not-run': 'will_not_run',
  'never-pull-absent': 'never_pull_absent',
  'access-denied': 'access_denied',
  'http-not-declared': 'http_not_declared',
  'https-expected-http': 'https_expected_http',
  'tls-unknown-authority': 'tls_unknown_authority',
  'tls-wrong-name': 'tls_wrong_name',
  'tls-expired': 'tls_expired',
  'tls-client-certificate-required': 'tls_client_certificate_required',
  'tls-other': 'tls_other',
  'pull-too-slow': 'pull_too_slow',
  'rate-limited': 'rate_limited',
  'registry-error': 'registry_error',
  unreachable: 'unreachable',
  'not-checked': 'not_checked',
} as const satisfies Record<OutcomeKind, string>);
