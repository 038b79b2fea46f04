/** `[::1]:5000` is host `[::1]` and port 5000. */
export function splitAuthority(
  authority: string,
  defaultPort: number,
): { readonly host: string; readonly port: number } {
  const match = /^(?<host>\[[^\]]*\]|[^:]*)(?::(?<port>\d*))?$/u.exec(authority);
  const port = match?.groups?.['port'];
  return {
    host: match?.groups?.['host'] ?? authority,
    port: port === undefined || port === '' ? defaultPort : Number(port),
  };
}

/** Whether a connection can be tried at all: references allow ports such as 0 and 99999 (pull-parity A4). */
export function isSoundAuthority(authority: string): boolean {
  const { host, port } = splitAuthority(authority, 443);
  return /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)$/u.test(host) && port > 0 && port < 65_536;
}
