import { assertNever } from '../image/result.ts';
import type { WireTarget } from './wire.ts';

/** The part of a node's endpoint that this layer needs; `node/` describes each field. */
export type RegistryEndpoint = {
  readonly scheme: 'https' | 'http' | 'https-then-http';
  readonly authority: string;
  readonly pathPrefix: string;
  readonly repository: string;
  readonly namespace: string | undefined;
  readonly tls: WireTarget['tls'];
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** Where the certificates of `tls` lie, as far as files hold them: for commands that people repeat. */
  readonly files?: {
    readonly authorities: readonly string[];
    readonly clientPairs: readonly { readonly certificate: string; readonly key: string }[];
  };
  readonly dialTimeoutMs: number;
  readonly declaredBy: string | undefined;
};

export type Resource =
  | { readonly kind: 'ping' }
  | { readonly kind: 'manifest'; readonly key: string; readonly accept: string }
  | { readonly kind: 'blob'; readonly digest: string }
  /** `last`: only those that come after that tag. */
  | { readonly kind: 'tags'; readonly limit: number; readonly last?: string };

/** Path and query of a resource at an endpoint (OCI distribution specification, "Endpoints"; `ns` by pull-parity D16). */
export function pathOf(endpoint: RegistryEndpoint, resource: Resource): string {
  const repository = `${endpoint.pathPrefix}/${endpoint.repository}`;
  const namespace = endpoint.namespace === undefined ? '' : `ns=${encodeURIComponent(endpoint.namespace)}`;
  const query = namespace === '' ? '' : `?${namespace}`;
  switch (resource.kind) {
    case 'ping':
      return `${endpoint.pathPrefix}/`;
    case 'manifest':
      return `${repository}/manifests/${resource.key}${query}`;
    case 'blob':
      return `${repository}/blobs/${resource.digest}${query}`;
    case 'tags':
      return `${repository}/tags/list?${[
        `n=${resource.limit}`,
        ...(resource.last === undefined ? [] : [`last=${encodeURIComponent(resource.last)}`]),
        ...(namespace === '' ? [] : [namespace]),
      ].join('&')}`;
    default:
      return assertNever(resource);
  }
}

/** A URL's host as the target of a connection that trusts what `endpoint` trusts: containerd's client does the same. */
export function targetAt(endpoint: Pick<RegistryEndpoint, 'tls' | 'dialTimeoutMs'>, url: URL): WireTarget {
  const scheme = url.protocol === 'http:' ? 'http' : 'https';
  return { scheme, authority: url.host, tls: endpoint.tls, dialTimeoutMs: endpoint.dialTimeoutMs };
}
