import { posix } from 'node:path';

/** A registry's address in a settings file. */
export type EndpointUrl = {
  readonly scheme: 'http' | 'https';
  /** Host with port where one is written; letter case is kept. */
  readonly authority: string;
  /** As it is sent, `''` where there is none. */
  readonly path: string;
};

const URL_SHAPE =
  /^(?<scheme>https?):\/\/(?:[^/?#@\s]*@)?(?<host>\[[0-9a-f:.]+\]|[^\s/?#:@[\]\\"<>^`{|}%]+)(?::(?<port>\d*))?(?<path>\/[^?#\p{Cc}]*)?(?:[?#].*)?$/iu;

/**
 * Reads `http(s)://host[:port][/path]` as Go's url.Parse does, which wants `%` to begin an escape wherever one may
 * stand; a user and a password are dropped. Linear.
 */
export function parseEndpointUrl(text: string): EndpointUrl | undefined {
  const groups = URL_SHAPE.exec(text)?.groups;
  const host = groups?.['host'];
  const path = escaped(groups?.['path'] ?? '');
  if (groups === undefined || host === undefined || path === undefined) return undefined;
  const port = groups['port'] ?? '';
  return {
    scheme: groups['scheme']?.toLowerCase() === 'http' ? 'http' : 'https',
    authority: port === '' ? host : `${host}:${port}`,
    path,
  };
}

/** The path in the one spelling that Go sends, whichever escapes it was written with. */
function escaped(path: string): string | undefined {
  try {
    return encodeURI(decodeURIComponent(path)).replaceAll('?', '%3F').replaceAll('#', '%23');
  } catch {
    return undefined;
  }
}

/** Go's `path.Clean` for what is to stand before `/<repository>`: no `..`, no doubled and no trailing slash. */
export function cleanPrefix(path: string): string {
  const clean = posix.normalize(`/${path}`);
  return clean.endsWith('/') ? clean.slice(0, -1) : clean;
}
