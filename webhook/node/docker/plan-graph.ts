import type { ImageReference } from '../../image/reference.ts';
import { err, ok, type Result } from '../../image/result.ts';
import { displayPath, filesOf, readCertificateFolder, type Refusal } from '../certificates.ts';
import { defaultEndpoint } from '../default-endpoint.ts';
import { cleanPrefix, type EndpointUrl } from '../endpoint-url.ts';
import type { Endpoint, EndpointPlan } from '../endpoint.ts';
import type { FileTree } from '../file-tree.ts';
import { registryOf } from '../host.ts';
import type { DaemonSettings } from './daemon-file.ts';

/**
 * The endpoints that dockerd asks with its own image store (daemon/pkg/registry `lookupV2Endpoints`, pull-parity E9):
 * Docker Hub's mirrors and then Docker Hub, which ignores certs.d, or the image's host. Any certificate folder that
 * cannot be used refuses the pull.
 */
export function planDockerGraph(
  reference: ImageReference,
  daemon: DaemonSettings,
  certsD: FileTree | undefined,
): EndpointPlan {
  const endpoints: Endpoint[] = [];
  if (reference.host === 'docker.io') {
    for (const mirror of daemon.mirrors) {
      const endpoint = mirrorEndpoint(reference, mirror, daemon, certsD);
      if (!endpoint.ok) return { kind: 'refused', ...endpoint.error, problems: daemon.problems };
      endpoints.push(endpoint.value);
    }
    endpoints.push(defaultEndpoint(registryOf(reference.host), reference));
  } else {
    const endpoint = hostEndpoint(reference, reference.host, daemon, certsD);
    if (!endpoint.ok) return { kind: 'refused', ...endpoint.error, problems: daemon.problems };
    endpoints.push(endpoint.value);
  }
  return { kind: 'endpoints', endpoints, problems: daemon.problems };
}

/** HTTPS with the host's certificate folder; an insecure host is not verified, may fall back and has no folder read. */
function hostEndpoint(
  reference: ImageReference,
  authority: string,
  daemon: DaemonSettings,
  certsD: FileTree | undefined,
): Result<Endpoint, Refusal> {
  const base = defaultEndpoint(authority, reference);
  if (daemon.insecure.includes(authority)) {
    return ok({
      ...base,
      scheme: 'https-then-http',
      tls: { ...base.tls, isVerified: false },
      declaredBy: daemon.declaredInsecure.includes(authority) ? daemon.file : undefined,
    });
  }
  const material = certsD === undefined ? ok(undefined) : readCertificateFolder(certsD, authority);
  if (!material.ok) return material;
  if (certsD === undefined || material.value === undefined) return ok(base);
  const { tls } = material.value;
  const declaredBy = displayPath(certsD, authority);
  return ok({ ...base, tls: { ...base.tls, ...tls }, ...filesOf(material.value), declaredBy });
}

/** A mirror's scheme is what was written: insecure or not, an https mirror never falls back. */
function mirrorEndpoint(
  reference: ImageReference,
  mirror: EndpointUrl,
  daemon: DaemonSettings,
  certsD: FileTree | undefined,
): Result<Endpoint, Refusal> {
  const endpoint = hostEndpoint(reference, mirror.authority, daemon, certsD);
  if (!endpoint.ok) return err(endpoint.error);
  return ok({
    ...endpoint.value,
    scheme: mirror.scheme,
    pathPrefix: `${cleanPrefix(mirror.path)}/v2`,
    role: 'mirror',
    declaredBy: daemon.file,
  });
}
