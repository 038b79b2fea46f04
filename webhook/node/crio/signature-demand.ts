import type { ImageReference } from '../../image/reference.ts';
import type { SettingsProblem } from '../endpoint.ts';
import type { Refusal } from '../certificates.ts';
import { fullName } from './pull-source.ts';
import type { SignatureDemand, SignaturePolicy } from './signature-policy-file.ts';

/** What the policy makes of an image before its signatures are looked at, `undefined` where it lets it pass. */
export type SignatureVerdict =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** Whether it pulls hangs on signatures, which nobody reads here. */
  | { readonly kind: 'unverified'; readonly problem: SettingsProblem };

/**
 * Asks the policy about an image by its own name, whichever mirror it comes from (containers/image
 * `requirementsForImageRef`; pull-parity D19).
 */
export function askSignaturePolicy(policy: SignaturePolicy, reference: ImageReference): SignatureVerdict | undefined {
  const { demand, scope } = demandFor(policy, reference);
  if (demand.kind === 'nothing') return undefined;
  if (demand.kind === 'rejected') {
    const reason = `SignatureValidationFailed: Source image rejected: Running image docker://${familiarName(reference)} is rejected by policy.`;
    const rule = { name: 'policy-rejects', subject: scope ?? '', line: policy.lineOfReject(scope) } as const;
    return { kind: 'refused', refusal: { reason, file: policy.file, rule } };
  }
  const reason = `CRI-O wants ${reference.host} images signed here (${demand.type}); signatures are not verified, so it may refuse what is found`;
  return { kind: 'unverified', problem: { file: policy.file, line: undefined, reason } };
}

/** `scope` is `undefined` where nothing but the default says anything. */
function demandFor(
  policy: SignaturePolicy,
  reference: ImageReference,
): { readonly demand: SignatureDemand; readonly scope: string | undefined } {
  for (const scope of scopesOf(reference)) {
    const demand = policy.scopes.get(scope);
    if (demand !== undefined) return { demand, scope };
  }
  return { demand: policy.fallback, scope: undefined };
}

/** From the image itself to its host, then the domains above the host without its port, then all registries. */
function scopesOf(reference: ImageReference): readonly string[] {
  const segments = [reference.host, ...reference.path.split('/')];
  const namespaces = segments.map((_, at) => segments.slice(0, segments.length - at).join('/'));
  const [host = ''] = reference.host.split(':', 1);
  const labels = host.split('.');
  const domains = labels.slice(1).map((_, at) => `*.${labels.slice(at + 1).join('.')}`);
  return [fullName(reference), ...namespaces, ...domains, ''];
}

/** Docker Hub's images go by the name that people write. */
function familiarName(reference: ImageReference): string {
  return fullName(reference)
    .replace(/^docker\.io\/library\/(?=[^/]+$)/u, '')
    .replace(/^docker\.io\//u, '');
}
