import { isIP } from 'node:net';
import { err, ok, type Result } from './image/result.ts';
import { quote } from './outcome/printable.ts';

/** Addresses by host name, as `--add-host` gives them: asked before any name server. */
export type HostAddresses = ReadonlyMap<string, readonly string[]>;

const SHAPE = /^(?<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)[:=](?<address>\S+)$/u;

/** Reads `NAME:IP`, as `docker run --add-host` has it; an IPv6 address may stand in brackets. Each mistake is one line. */
export function readAddHosts(list: readonly string[]): Result<HostAddresses, readonly string[]> {
  const hosts = new Map<string, readonly string[]>();
  const mistakes: string[] = [];
  for (const one of list) {
    const groups = SHAPE.exec(one)?.groups;
    const name = groups?.['name'];
    const address = groups?.['address']?.replace(/^\[(?<inside>.*)\]$/u, '$<inside>');
    if (name === undefined || address === undefined || isIP(address) === 0) {
      mistakes.push(`${quote(one, 80)}: expected NAME:IP, for example reg.example:10.0.0.7 or reg.example:[fd00::7]`);
      continue;
    }
    // an image may spell its host with capitals, a URL has none
    for (const spelling of new Set([name, name.toLowerCase()])) {
      hosts.set(spelling, [...(hosts.get(spelling) ?? []), address]);
    }
  }
  return mistakes.length > 0 ? err(mistakes) : ok(hosts);
}
