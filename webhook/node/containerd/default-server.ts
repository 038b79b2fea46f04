import { isLocalhost, registryOf, splitHostPort } from '../host.ts';
import type { HostEntry, HostServer } from './host-entry.ts';

/**
 * Fills in an entry that names no server (pull-parity E5): Docker Hub's own host, loopback by port, everything else
 * HTTPS. Its capabilities and path are the defaults whatever the file says; loopback is never verified except on
 * port 80, which is plain HTTP.
 */
export function withDefaultServer(entry: HostEntry, host: string): HostEntry & { readonly server: HostServer } {
  const filled = { ...entry, canPull: true, canResolve: true };
  if (host === 'docker.io' || !isLocalhost(host)) {
    return { ...filled, server: { scheme: 'https', authority: registryOf(host), pathPrefix: '/v2' } };
  }
  const { port } = splitHostPort(host);
  return {
    ...filled,
    server: { scheme: port === '' || port === '443' ? 'https' : 'http', authority: host, pathPrefix: '/v2' },
    skipVerify: port === '80' ? entry.skipVerify : true,
  };
}
