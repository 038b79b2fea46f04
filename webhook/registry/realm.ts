import { err, ok, type Result } from '../image/result.ts';

/** Which token services may be asked with a login (design, rule 6). */
export type RealmRules = {
  /** Only the registry's own host, or a pair listed in `pairs`. */
  readonly isStrict: boolean;
  readonly pairs: readonly { readonly registry: string; readonly realm: string }[];
};

/** The registries whose token services stand on another host by design. */
const WELL_KNOWN: readonly { readonly registry: string; readonly realm: string }[] = [
  { registry: 'registry-1.docker.io', realm: 'auth.docker.io' },
  { registry: 'registry.gitlab.com', realm: 'gitlab.com' },
];

/** Longer than any token service's address; it goes into a request line. */
const MAX_REALM = 8 * 1024;

/** The realm that a challenge names as a URL that can be asked; the error completes a message about the registry. */
export function readRealm(text: string): Result<URL> {
  if (text === '') return err('its challenge names no realm');
  // URL.parse passes over white space around it, and Go does not
  const url = text.length > MAX_REALM || text !== text.trim() ? null : URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return err('its challenge names a realm that is no URL');
  }
  return ok(url);
}

/**
 * Whether the realm of a challenge may be asked. A login goes over https, or over http only where the endpoint itself is
 * declared http; without a login a realm learns nothing but the image's name.
 */
export function mayAskRealm(
  rules: RealmRules,
  endpoint: { readonly scheme: 'http' | 'https'; readonly authority: string },
  realm: URL,
  hasLogin: boolean,
): boolean {
  if (realm.username !== '' || realm.password !== '') return false;
  if (!hasLogin) return true;
  if (realm.protocol === 'http:' && endpoint.scheme !== 'http') return false;
  if (!rules.isStrict || realm.host === endpoint.authority) return true;
  return [...WELL_KNOWN, ...rules.pairs].some(
    (pair) => pair.registry === endpoint.authority && pair.realm === realm.host,
  );
}
