import { isIP } from 'node:net';
import type ipaddr from 'ipaddr.js';
import { addressOf, splitHostPort } from './host.ts';

/** Whether a host may be asked without TLS, or without verifying it. */
export type InsecureHosts = {
  includes(authority: string): boolean;
  /** Whether it hangs on the address that a node resolves the name to. */
  mayInclude(authority: string): boolean;
  /** The entries that are neither a host nor a CIDR. */
  readonly invalid: readonly string[];
};

type Range = readonly [address: ipaddr.IPv4 | ipaddr.IPv6, bits: number];

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/u;
const CIDR = /^(?<address>[0-9A-Fa-f:.]+)\/(?<bits>\d{1,3})$/u;

/**
 * Reads `insecure-registries` as dockerd does (daemon/pkg/registry/config.go): `host[:port]` must equal the image's
 * host letter by letter, a CIDR takes in the addresses that are written as the host. A scheme before the host is
 * dropped. Names are not looked up: a node may resolve them differently, and dockerd takes a name for insecure whose
 * address lies in a range (pull-parity E9), which only the node's own answer can show. `localhost` is the one name
 * whose address is known.
 */
export function createInsecureHosts(entries: readonly string[]): InsecureHosts {
  const hosts = new Set<string>();
  const ranges: Range[] = [];
  const invalid: string[] = [];
  for (const written of entries) {
    const entry = written.replace(/^https?:\/\//iu, '');
    const range = parseRange(entry);
    if (range !== undefined) ranges.push(range);
    else if (HOST.test(entry) || isIP(entry) !== 0) hosts.add(entry === 'index.docker.io' ? 'docker.io' : entry);
    else invalid.push(written);
  }
  const includes = (authority: string): boolean => hosts.has(authority) || isInRange(authority, ranges);
  return {
    includes,
    mayInclude: (authority) => {
      const isName = addressOf(splitHostPort(authority).host) === undefined && !authority.startsWith('[');
      return ranges.length > 0 && isName && !includes(authority);
    },
    invalid,
  };
}

function parseRange(entry: string): Range | undefined {
  const groups = CIDR.exec(entry)?.groups;
  const address = addressOf(groups?.['address'] ?? '');
  const bits = Number(groups?.['bits']);
  if (address === undefined || bits > (address.kind() === 'ipv4' ? 32 : 128)) return undefined;
  return [address, bits];
}

function isInRange(authority: string, ranges: readonly Range[]): boolean {
  const { host } = splitHostPort(authority);
  const texts = host === 'localhost' ? ['127.0.0.1', '::1'] : [host];
  return texts.some((text) => {
    const address = addressOf(text);
    return address !== undefined && ranges.some(([base, bits]) => matches(address, base, bits));
  });
}

function matches(address: Range[0], base: Range[0], bits: number): boolean {
  return address.kind() === base.kind() && address.match([base, bits]);
}
