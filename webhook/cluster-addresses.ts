import { isIP } from 'node:net';
import type { ClusterAddresses } from './engine/live-engine.ts';
import type { NodeView } from './kube/node-view.ts';

/** Ports of Nodes that no registry has: the API server of a control plane, and the kubelet. */
const NODE_PORTS = [6443, 10250] as const;

/** What the guard of outgoing connections refuses besides the built-in ranges (design, rule 7). */
export function clusterAddresses(
  nodes: Pick<NodeView, 'addresses'> | undefined,
  apiServer: readonly string[],
): ClusterAddresses {
  const { podCidrs, internalIps } = nodes?.addresses() ?? { podCidrs: [], internalIps: [] };
  const ofNodes = internalIps.flatMap((ip) => NODE_PORTS.map((port) => formatEndpoint(ip, port)));
  return { ranges: podCidrs, endpoints: [...apiServer, ...ofNodes] };
}

/**
 * Where the API server is reached, as `address:port`: under the address in use, and under the one that every Pod is
 * told. A name is looked up once; one that has no address is left out.
 */
export async function apiEndpoints(
  server: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  resolve: (name: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const found: { readonly host: string; readonly port: number }[] = [];
  if (server !== undefined) {
    const url = new URL(server);
    found.push({ host: url.hostname.replace(/^\[|\]$/gu, ''), port: url.port === '' ? 443 : Number(url.port) });
  }
  const host = environment['KUBERNETES_SERVICE_HOST'];
  if (host !== undefined) found.push({ host, port: Number(environment['KUBERNETES_SERVICE_PORT'] ?? 443) });
  const endpoints = await Promise.all(
    found.map(async (one) => {
      const addresses = isIP(one.host) === 0 ? await resolve(one.host).catch(() => []) : [one.host];
      return addresses.map((address) => formatEndpoint(address, one.port));
    }),
  );
  return [...new Set(endpoints.flat())];
}

const formatEndpoint = (address: string, port: number): string =>
  isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
