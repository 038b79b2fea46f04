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
