import type { ImageReference } from '../image/reference.ts';
import { createGlob, type Glob } from './glob.ts';
import { parseLocation, type Location } from './location.ts';

/** The part of a reference that keys are compared with: `docker.io` and `library/nginx`. */
export type ImageName = Pick<ImageReference, 'host' | 'path'>;

/** What a key comes to in the kubelet's index, and whether an image's name falls under it. */
export type KeyPattern = {
  /** The key without scheme, userinfo, query, fragment and version: what the keyring is sorted by. */
  readonly index: string;
  readonly matches: (target: MatchTarget | undefined) => boolean;
};

/** An image's name, taken apart once for any number of keys. */
export type MatchTarget = {
  readonly name: string;
  readonly labels: readonly string[];
  readonly port: string;
  readonly path: string;
};

/** The key that `docker login` writes for Docker Hub, as it stands in the index. */
export const HUB_INDEX = 'index.docker.io';

/** Reads a key of a docker config as the kubelet's `Add` does (pull-parity C6); `undefined` where it drops the key. */
export function parseKey(key: string): KeyPattern | undefined {
  const written = parseLocation(key.replace(/^https?:\/\//u, ''));
  if (written === undefined) return undefined;
  const bare = /^\/v[12]\//u.test(written.path) ? written.path.slice(3) : written.path;
  const path = bare === '/' ? '' : bare;
  const index = written.host + path;
  // the kubelet parses the index again, which only matters where decoding may have brought up new delimiters
  const location = key.includes('%') ? parseLocation(index) : { host: written.host, path };
  return { index, matches: createPattern(location) };
}

/** May `key` match? Cheaper than reading it, and `false` only where reading it would find no match. */
export function couldMatch(key: string, target: MatchTarget): boolean {
  return key.includes(target.name) || key.includes('*') || key.includes('[');
}

/** Does `pattern` of a credential provider's `matchImages` cover the image? It takes no scheme (pull-parity C14). */
export function matchesImagePattern(pattern: string, image: ImageName): boolean {
  return createPattern(parseLocation(pattern))(matchTargetOf(image));
}

/** `undefined` for a host that is no URL's, such as `[1:2]`: then no key matches. */
export function matchTargetOf(image: ImageName): MatchTarget | undefined {
  const location = parseLocation(`${image.host}/${image.path}`);
  if (location === undefined) return undefined;
  const { name, port } = splitHost(location.host);
  return { name, labels: name.split('.'), port, path: location.path };
}

/**
 * May the Docker Hub key stand in where nothing else matches (pull-parity C7)? The test looks for "." and ":" only,
 * so `localhost/x` and `MyRegistry/x` are Docker Hub to it.
 */
export function isDefaultRegistry(host: string): boolean {
  return host === 'docker.io' || host === HUB_INDEX || !/[.:]/u.test(host);
}

/** The kubelet's `URLsMatch`: equal ports, as many labels, the path a plain prefix, each label a glob. */
function createPattern(location: Location | undefined): KeyPattern['matches'] {
  if (location === undefined) return () => false;
  let read: { readonly port: string; readonly globs: readonly Glob[] } | undefined;
  return (target) => {
    if (target === undefined || !target.path.startsWith(location.path)) return false;
    read ??= readHost(location.host);
    if (target.port !== read.port || target.labels.length !== read.globs.length) return false;
    return read.globs.every((glob, at) => glob(target.labels[at] ?? ''));
  };
}

function readHost(host: string): { readonly port: string; readonly globs: readonly Glob[] } {
  const { name, port } = splitHost(host);
  return { port, globs: name.split('.').map(createGlob) };
}

/** Go's `net.SplitHostPort`; what it refuses is a name without a port, brackets and all. */
function splitHost(host: string): { readonly name: string; readonly port: string } {
  const groups = /^(?:\[(?<address>[^\]]*)\]|(?<name>[^:[\]]*)):(?<port>[^:[\]]*)$/u.exec(host)?.groups;
  return { name: groups?.['address'] ?? groups?.['name'] ?? host, port: groups?.['port'] ?? '' };
}
