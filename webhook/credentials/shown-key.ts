/** Enough for a host and a long path; a key may be as long as its secret. */
const MAX_SHOWN = 120;

/**
 * A key as texts may show it: one printable ASCII line without what may be a secret, which are userinfo, query and
 * fragment. Userinfo is cut at the last "@" anywhere, since a password may hold a "/".
 */
export function showKey(key: string): string {
  const scheme = /^[a-z][a-z0-9+.-]{0,15}:\/\//iu.exec(key)?.[0] ?? '';
  const at = key.lastIndexOf('@');
  const open = at < scheme.length ? key : `${scheme}...${key.slice(at)}`;
  const bare = open.replace(/[?#].*$/su, '').slice(0, MAX_SHOWN + 1);
  const printable = bare.replaceAll(/[^\u{20}-\u{7E}]/gu, '?');
  return printable.length > MAX_SHOWN ? `${printable.slice(0, MAX_SHOWN - 3)}...` : printable;
}
