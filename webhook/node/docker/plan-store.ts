import type { ImageReference } from '../../image/reference.ts';
import type { Endpoint, EndpointPlan } from '../endpoint.ts';
import { cleanPrefix } from '../endpoint-url.ts';
import type { FileTree } from '../file-tree.ts';
import { registryOf } from '../host.ts';
import type { HostsDialect } from '../containerd/hosts-dialect.ts';
import { planContainerd } from '../containerd/plan-containerd.ts';
import type { DaemonSettings } from './daemon-file.ts';

/**
 * The endpoints that dockerd asks with containerd's image store (moby daemon/hosts.go, pull-parity E10): containerd's
 * rules over /etc/docker/certs.d, and where those give no mirror of their own, what daemon.json says. Credentials go
 * to the image's own host only (pull-parity C12).
 */
export function planDockerStore(
  reference: ImageReference,
  daemon: DaemonSettings,
  certsD: FileTree | undefined,
  dialect: HostsDialect,
): EndpointPlan {
  const plan = planContainerd(reference, certsD, dialect);
  const problems = [...daemon.problems, ...plan.problems];
  if (plan.kind === 'refused') return { ...plan, problems };
  const [only, ...others] = plan.endpoints;
  const merged = only === undefined || others.length > 0 ? plan.endpoints : mergeDaemon(reference, daemon, only);
  const endpoints = merged.map((endpoint) => ({
    ...endpoint,
    takesCredentials: endpoint.authority === registryOf(reference.host),
  }));
  return { kind: 'endpoints', endpoints, problems };
}

function mergeDaemon(reference: ImageReference, daemon: DaemonSettings, upstream: Endpoint): readonly Endpoint[] {
  if (daemon.mirrors.length === 0 && !daemon.hasInsecure) return [upstream];
  const mirrors =
    reference.host === 'docker.io'
      ? daemon.mirrors.map((url): Endpoint => {
          const path = cleanPrefix(url.path);
          return {
            ...upstream,
            scheme: url.scheme,
            authority: url.authority,
            pathPrefix: path.endsWith('/v2') ? path : `${path}/v2`,
            namespace: url.authority === registryOf(reference.host) ? undefined : reference.host,
            canPull: true,
            canResolve: true,
            role: 'mirror',
            declaredBy: daemon.file,
          };
        })
      : [];
  return [...mirrors, upstream].map((endpoint) => relax(endpoint, daemon));
}

/** What already falls back (loopback) is left alone; what is plain HTTP stays so. */
function relax(endpoint: Endpoint, daemon: DaemonSettings): Endpoint {
  if (endpoint.scheme === 'https-then-http' || !daemon.insecure.includes(endpoint.authority)) return endpoint;
  return {
    ...endpoint,
    scheme: endpoint.scheme === 'http' ? 'http' : 'https-then-http',
    tls: { ...endpoint.tls, isVerified: false },
    declaredBy: endpoint.declaredBy ?? (daemon.declaredInsecure.includes(endpoint.authority) ? daemon.file : undefined),
  };
}
