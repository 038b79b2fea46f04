import type { ImageReference } from '../image/reference.ts';
import type { Endpoint } from './endpoint.ts';

/** Go's dialer as every runtime sets it up (pull-parity E4, E13). */
const DIAL_TIMEOUT_MS = 30_000;

/** The endpoint of a registry about which nothing is declared: verified HTTPS, everything allowed. */
export function defaultEndpoint(authority: string, reference: ImageReference): Endpoint {
  return {
    scheme: 'https',
    authority,
    pathPrefix: '/v2',
    repository: reference.path,
    namespace: undefined,
    canPull: true,
    canResolve: true,
    serves: 'all',
    tls: { isVerified: true, authorities: [], clientPairs: [] },
    headers: {},
    dialTimeoutMs: DIAL_TIMEOUT_MS,
    role: 'upstream',
    takesCredentials: true,
    declaredBy: undefined,
  };
}
