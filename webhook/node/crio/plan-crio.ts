import type { ImageReference } from '../../image/reference.ts';
import { err, ok, type Result } from '../../image/result.ts';
import { displayPath, filesOf, readCertificateFolder, type Refusal, type TlsMaterial } from '../certificates.ts';
import { defaultEndpoint } from '../default-endpoint.ts';
import type { Endpoint, EndpointPlan, SettingsProblem } from '../endpoint.ts';
import type { FileTree } from '../file-tree.ts';
import { registryOf } from '../host.ts';
import type { NodeSetup } from '../settings.ts';
import { nameOf, pullSources, type PullSource } from './pull-source.ts';
import { isRegistryHost } from './registry-host.ts';
import { findRegistry, type DeclaredRegistry, type Registries } from './registries.ts';
import { resolveShortName } from './short-name.ts';
import { askSignaturePolicy } from './signature-demand.ts';
import type { SignaturePolicy } from './signature-policy-file.ts';

export type CrioSettings = {
  /** `undefined` where no registries.conf was declared: short names are then taken for Docker Hub's. */
  readonly registries: Registries | undefined;
  /** The folders of certificates, the first that has one for a host is used. */
  readonly certsD: readonly FileTree[];
  /** `undefined` where no policy.json was declared: then every image is accepted. */
  readonly signatures: SignaturePolicy | undefined;
  readonly shortNameMode: NodeSetup['crio']['shortNameMode'];
  /** Mistakes that spoil a file: the runtime pulls nothing at all then. */
  readonly problems: readonly SettingsProblem[];
};

/** The endpoints that CRI-O asks for an image (containers/image, pull-parity A12, C12, E11, E12). */
export function planCrio(reference: ImageReference, settings: CrioSettings): EndpointPlan {
  const refused = ({ reason, file, rule, isTls }: Refusal): EndpointPlan => ({
    kind: 'refused',
    reason,
    file: file === '' ? undefined : file,
    ...(rule === undefined ? {} : { rule }),
    ...(isTls === undefined ? {} : { isTls }),
    problems: settings.problems,
  });
  const [broken] = settings.problems;
  if (broken !== undefined) return refused(broken);
  const candidates = candidatesOf(reference, settings);
  if (!candidates.ok) return refused(candidates.error);
  const endpoints: Endpoint[] = [];
  const refusals: Refusal[] = [];
  const notes: SettingsProblem[] = [];
  for (const candidate of candidates.value) {
    const verdict = settings.signatures === undefined ? undefined : askSignaturePolicy(settings.signatures, candidate);
    if (verdict?.kind === 'refused') {
      refusals.push(verdict.refusal);
      continue;
    }
    const found = endpointsOf(candidate, settings);
    endpoints.push(...found.endpoints);
    refusals.push(...found.refusals);
    if (verdict !== undefined && found.endpoints.length > 0) notes.push(verdict.problem);
  }
  const [first] = refusals;
  if (endpoints.length === 0 && first !== undefined) return refused(first);
  const skipped = refusals.map(({ reason, file }) => ({ file, line: undefined, reason }));
  return { kind: 'endpoints', endpoints, problems: [...settings.problems, ...skipped, ...notes] };
}

function candidatesOf(
  reference: ImageReference,
  { registries, shortNameMode }: CrioSettings,
): Result<readonly ImageReference[], Refusal> {
  // CRI-O's grammar knows no IPv6 (pull-parity A12)
  if (reference.host.startsWith('[')) return err({ reason: 'invalid reference format', file: '' });
  if (reference.isShortName) {
    return registries === undefined ? ok([reference]) : resolveShortName(reference, registries, shortNameMode);
  }
  // a host without dot or port is part of a short name there, whose letters must be small
  if (!isRegistryHost(reference.host)) {
    const name = `${reference.host}/${reference.path}`;
    return err({ reason: `invalid reference format: repository name (${name}) must be lowercase`, file: '' });
  }
  return ok([reference]);
}

/** A source that cannot be used is passed over, as the runtime goes on to the next one after any error. */
function endpointsOf(
  reference: ImageReference,
  settings: CrioSettings,
): { readonly endpoints: readonly Endpoint[]; readonly refusals: readonly Refusal[] } {
  const { registries } = settings;
  const found = registries === undefined ? undefined : findRegistry(registries, nameOf(reference));
  if (found?.registry.isBlocked === true) {
    return { endpoints: [], refusals: [blocked(found)] };
  }
  const alone: PullSource = { reference, isInsecure: false, serves: 'all', role: 'upstream' };
  const sources = found === undefined ? ok([alone]) : pullSources(reference, found.registry);
  if (!sources.ok) return { endpoints: [], refusals: [{ reason: sources.error, file: found?.file ?? '' }] };
  const endpoints: Endpoint[] = [];
  const refusals: Refusal[] = [];
  for (const source of sources.value) {
    const endpoint = toEndpoint(reference, source, { ...settings, file: found?.file });
    if (endpoint.ok) endpoints.push(endpoint.value);
    else refusals.push(endpoint.error);
  }
  return { endpoints, refusals };
}

function toEndpoint(
  logical: ImageReference,
  source: PullSource,
  settings: CrioSettings & { readonly file: string | undefined },
): Result<Endpoint, Refusal> {
  const { reference } = source;
  const found = settings.registries === undefined ? undefined : findRegistry(settings.registries, nameOf(reference));
  if (found?.registry.isBlocked === true) return err(blocked(found));
  const folder = readHostFolder(settings.certsD, reference.host);
  if (!folder.ok) return folder;
  const base = defaultEndpoint(registryOf(reference.host), reference);
  return ok({
    ...base,
    scheme: source.isInsecure ? 'https-then-http' : 'https',
    serves: source.serves,
    tls: { ...base.tls, ...folder.value?.material.tls, isVerified: !source.isInsecure },
    ...filesOf(folder.value?.material),
    role: source.role,
    takesCredentials: reference.host === logical.host,
    declaredBy: settings.file ?? folder.value?.name,
  });
}

/** Docker Hub's folder is `docker.io`, not the host that is asked (pull-parity E11). */
function readHostFolder(
  trees: readonly FileTree[],
  host: string,
): Result<{ readonly material: TlsMaterial; readonly name: string } | undefined, Refusal> {
  for (const tree of trees) {
    const material = readCertificateFolder(tree, host);
    if (!material.ok) return material;
    if (material.value !== undefined) return ok({ material: material.value, name: displayPath(tree, host) });
  }
  return ok(undefined);
}

function blocked({ registry: { prefix }, file, blockedLine }: DeclaredRegistry): Refusal {
  return {
    reason: `registry ${prefix} is blocked in /etc/containers/registries.conf or /etc/containers/registries.conf.d`,
    file,
    rule: { name: 'registry-blocked', subject: prefix, line: blockedLine },
  };
}
