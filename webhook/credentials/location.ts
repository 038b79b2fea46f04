import { isIPv6 } from 'node:net';

/** Host (with its port, as written) and path of a URL without a scheme. The path is decoded and starts with "/". */
export type Location = { readonly host: string; readonly path: string };

/** Go's host characters but "%": an escape in a host is never an ASCII byte, so it can match no image. */
const HOST = /^[A-Za-z0-9\-._~!"$&'()*+,;=:<>[\]\u{80}-\u{10FFFF}]*$/u;
const USERINFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/u;
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/u;
const OPTIONAL_PORT = /^(?::[0-9]*)?$/u;

/**
 * Reads `text` as Go's `url.Parse("https://" + text)`: userinfo, query and fragment are dropped. `undefined` where Go
 * reports an error, and where the host could be no image's.
 */
export function parseLocation(text: string): Location | undefined {
  const [address, fragment] = cut(text, '#');
  if (BAD_ESCAPE.test(fragment) || hasControl(address)) return undefined;
  const [location] = cut(address, '?');
  const [authority] = cut(location, '/');
  const at = authority.lastIndexOf('@');
  const userinfo = authority.slice(0, Math.max(at, 0));
  if (!USERINFO.test(userinfo) || BAD_ESCAPE.test(userinfo)) return undefined;
  const host = authority.slice(at + 1);
  const path = location.slice(authority.length);
  return isHost(host) && !BAD_ESCAPE.test(path) ? { host, path: decodePath(path) } : undefined;
}

/**
 * Brackets at the start hold an IPv6 address. Elsewhere they are a glob's class: Go takes them no more since 1.25.2,
 * but kubelets built before do, so such a key may match.
 */
function isHost(host: string): boolean {
  if (!HOST.test(host)) return false;
  if (!host.startsWith('[')) return OPTIONAL_PORT.test(host.slice(cut(host, ':')[0].length));
  const close = host.lastIndexOf(']');
  return close > 0 && isIPv6(host.slice(1, close)) && OPTIONAL_PORT.test(host.slice(close + 1));
}

/** Bytes beyond ASCII stand for themselves no longer: no image's path has any. */
function decodePath(path: string): string {
  return path.replaceAll(/%[0-9a-f]{2}/giu, (escape) => {
    const byte = Number.parseInt(escape.slice(1), 16);
    return byte < 0x80 ? String.fromCodePoint(byte) : '\uFFFD';
  });
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

function cut(text: string, separator: string): readonly [before: string, after: string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
