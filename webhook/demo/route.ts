/** What a request is about, by the endpoints of the OCI distribution specification. */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'other' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly reference: string };

/** Reads what a path asks for. Names may have slashes, so the last two segments decide. */
export function parseRoute(path: string, pathPrefix = '/v2'): Route {
  if (path === pathPrefix || path === `${pathPrefix}/`) return { kind: 'base' };
  if (!path.startsWith(`${pathPrefix}/`)) return { kind: 'other' };
  const segments = path.slice(pathPrefix.length + 1).split('/');
  const repository = segments.slice(0, -2).join('/');
  const [noun, reference = ''] = segments.slice(-2);
  if (repository === '') return { kind: 'other' };
  if (noun === 'tags' && reference === 'list') return { kind: 'tags', repository };
  if (noun === 'manifests') return { kind: 'manifest', repository, reference: decodeURIComponent(reference) };
  return noun === 'blobs' ? { kind: 'blob', repository, reference: decodeURIComponent(reference) } : { kind: 'other' };
}
