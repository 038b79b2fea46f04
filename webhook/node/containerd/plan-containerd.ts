import type { ImageReference } from '../../image/reference.ts';
import { quote } from '../../outcome/printable.ts';
import { filesOf, type TlsMaterial } from '../certificates.ts';
import { defaultEndpoint } from '../default-endpoint.ts';
import type { Endpoint, EndpointPlan, SettingsProblem } from '../endpoint.ts';
import type { FileTree } from '../file-tree.ts';
import { registryOf, splitHostPort } from '../host.ts';
import { withDefaultServer } from './default-server.ts';
import { EMPTY_ENTRY, type HostEntry, type HostServer } from './host-entry.ts';
import { readHostSettings, type HostSettings } from './host-settings.ts';
import { readTlsMaterial } from './tls-material.ts';
import type { HostsDialect } from './hosts-dialect.ts';

/** A dial timeout of 0 leaves it to the kernel: six retries of a SYN, 127 s on Linux. */
const KERNEL_DIAL_TIMEOUT_MS = 127_000;
/** What a timer of Node.js can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const UNCONFIGURED: HostSettings = { entries: [EMPTY_ENTRY], declaredBy: [undefined], folder: '', problems: [] };

/**
 * The endpoints that containerd asks for an image (core/remotes/docker/config `ConfigureHosts`, pull-parity E2 to E6).
 * `certsD` is its config_path, `undefined` where none is declared. Files are read at each call, as containerd does.
 */
export function planContainerd(
  reference: ImageReference,
  certsD: FileTree | undefined,
  dialect: HostsDialect,
): EndpointPlan {
  const settings = certsD === undefined ? UNCONFIGURED : readHostSettings(certsD, reference.host, dialect);
  const problems: SettingsProblem[] = [...settings.problems];
  if (settings.refusal !== undefined) return { kind: 'refused', ...settings.refusal, problems };
  const endpoints: Endpoint[] = [];
  for (const [at, entry] of settings.entries.entries()) {
    const material = certsD === undefined ? undefined : readTlsMaterial(certsD, settings.folder, entry);
    if (material?.ok === false) return { kind: 'refused', ...material.error, problems };
    const declaredBy = settings.declaredBy[at];
    const isUpstream = at === settings.entries.length - 1;
    const usable = isUpstream && entry.server === undefined ? withDefaultServer(entry, reference.host) : entry;
    const headers = sendableHeaders(usable, declaredBy ?? '', problems);
    if (usable.server === undefined || usable.server === 'unusable') {
      problems.push({ file: declaredBy ?? '', line: undefined, reason: UNREACHABLE_HOST });
      continue;
    }
    const endpoint = toEndpoint(reference, { ...usable, server: usable.server, headers }, material?.value);
    endpoints.push({ ...endpoint, role: isUpstream ? 'upstream' : 'mirror', declaredBy });
  }
  return { kind: 'endpoints', endpoints, problems };
}

const UNREACHABLE_HOST =
  'expected the registry to start with http:// or https://; containerd takes what starts with "http" for a URL, and to this one it can send nothing';

function toEndpoint(
  reference: ImageReference,
  entry: HostEntry & { readonly server: HostServer },
  material: TlsMaterial | undefined,
): Endpoint {
  const { authority, pathPrefix } = entry.server;
  const base = defaultEndpoint(authority, reference);
  return {
    ...base,
    scheme: schemeOf(entry.server, entry),
    pathPrefix,
    namespace: authority === reference.host || authority === registryOf(reference.host) ? undefined : reference.host,
    canPull: entry.canPull,
    canResolve: entry.canResolve,
    tls: {
      isVerified: entry.skipVerify !== true,
      authorities: material?.tls.authorities ?? [],
      clientPairs: material?.tls.clientPairs ?? [],
    },
    ...filesOf(material),
    headers: entry.headers,
    dialTimeoutMs: entry.dialTimeoutMs === undefined ? base.dialTimeoutMs : dialTimer(entry.dialTimeoutMs),
  };
}

/** `http://` with any TLS setting tries HTTPS first, except on port 80 (pull-parity E6). */
function schemeOf(server: HostServer, entry: HostEntry): Endpoint['scheme'] {
  const hasTls = entry.authorityFiles !== undefined || entry.clientFiles.length > 0 || entry.skipVerify !== undefined;
  if (server.scheme === 'https' || !hasTls || splitHostPort(server.authority).port === '80') return server.scheme;
  return 'https-then-http';
}

function dialTimer(ms: number): number {
  return ms === 0 ? KERNEL_DIAL_TIMEOUT_MS : Math.min(Math.max(1, Math.round(ms)), MAX_TIMER_MS);
}

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/u;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/u;

/** Go refuses to send a request with a malformed header; the value stays out of the problem. */
function sendableHeaders(
  entry: HostEntry,
  file: string,
  problems: SettingsProblem[],
): Readonly<Record<string, readonly string[]>> {
  const sendable = Object.entries(entry.headers).filter(([name, values]) => {
    if (HEADER_NAME.test(name) && values.every((value) => HEADER_VALUE.test(value))) return true;
    problems.push({ file, line: undefined, reason: `expected header ${quote(name, 60)} to be a legal HTTP header` });
    return false;
  });
  return Object.fromEntries(sendable);
}
