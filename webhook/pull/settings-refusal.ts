import { manifestKey, type ImageReference } from '../image/reference.ts';
import type { PullOutcome } from '../outcome/outcome.ts';

/** Files below a certs.d: the runtime reads them for each pull, and fails without them. */
const CERTIFICATE_FILE = /\.(?:toml|crt|cert|key|pem)$/u;

/** A CA file that is named and not there stops every pull from the host (pull-parity E3); the rest is for a person. */
export function refusedBySettings(
  plan: { readonly reason: string; readonly file: string | undefined },
  reference: ImageReference,
): PullOutcome {
  if (plan.file === undefined || !CERTIFICATE_FILE.test(plan.file)) {
    return { kind: 'not-checked', reason: 'node-settings', detail: plan.reason };
  }
  return {
    kind: 'tls-other',
    reason: plan.reason,
    evidence: {
      endpoint: `https://${reference.host}`,
      method: 'HEAD',
      path: `/v2/${reference.path}/manifests/${manifestKey(reference)}`,
      status: undefined,
      code: undefined,
      askedAs: { by: 'anonymous' },
      declaredBy: plan.file,
    },
  };
}
