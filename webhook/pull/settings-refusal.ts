import { manifestKey, type ImageReference } from '../image/reference.ts';
import type { EndpointPlan } from '../node/endpoint.ts';
import type { Evidence, PullOutcome } from '../outcome/outcome.ts';

/**
 * A rule of the settings refuses whoever asks: access denied. A CA file that is named and not there stops every pull
 * from the host (pull-parity E3). What else is wrong with a file is for a person: the copy may have the mistake alone.
 */
export function refusedBySettings(
  plan: Pick<Extract<EndpointPlan, { readonly kind: 'refused' }>, 'reason' | 'file' | 'rule' | 'isTls'>,
  reference: ImageReference,
): PullOutcome {
  const { file, reason, rule, isTls } = plan;
  if (rule !== undefined) {
    const place = file !== undefined && rule.line !== undefined ? `${file}:${rule.line}` : file;
    const evidence = unasked(reference, place);
    return { kind: 'access-denied', reason: rule.name, by: 'node-settings', subject: rule.subject, evidence };
  }
  if (isTls !== true) {
    return { kind: 'not-checked', reason: 'node-settings', detail: reason };
  }
  return { kind: 'tls-other', reason, evidence: unasked(reference, file) };
}

/** The request that the node does not come to. */
function unasked(reference: ImageReference, declaredBy: string | undefined): Evidence {
  return {
    endpoint: `https://${reference.host}`,
    method: 'HEAD',
    path: `/v2/${reference.path}/manifests/${manifestKey(reference)}`,
    status: undefined,
    code: undefined,
    askedAs: { by: 'anonymous' },
    declaredBy,
  };
}
