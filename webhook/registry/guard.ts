import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Says whether an address may be dialled for a host and port. Asked with the very address that is dialled. */
export type Guard = (target: { readonly host: string; readonly port: number; readonly address: string }) => boolean;

/** For `check` and `demo`, which a user runs for himself. */
export const unguarded: Guard = () => true;

/** Cloud metadata services that are not link-local: Alibaba, Azure's wire server, and on IPv6 AWS, Google, Oracle, Scaleway. */
const METADATA = [
  '100.100.100.200/32',
  'fd00:100::100:200/128',
  '168.63.129.16/32',
  'fd00:ec2::/32',
  'fd20:ce::254/128',
  'fd00:c1::a9fe:a9fe/128',
  'fd00:42::42/128',
];

/**
 * All of IPv6 that is anybody's: global unicast, and the unique local addresses of a site (RFC 4291, RFC 4193). Outside
 * is RFC 8215's NAT64, where each network chooses for itself where in the address the IPv4 address stands.
 */
const GIVEN_OUT = ['2000::/3', 'fc00::/7'].map((range) => ipaddr.IPv6.parseCIDR(range));

/** ipaddr.js' names of the ranges that are never a registry's: the rest is unicast, private or carrier-grade NAT. */
const REFUSED_RANGES: ReadonlySet<string> = new Set([
  'unspecified',
  'broadcast',
  'multicast',
  'linkLocal',
  'loopback',
  'reserved',
  'benchmarking',
  'amt',
  'deprecatedOrchid',
  'orchid2',
  'droneRemoteIdProtocolEntityTags',
  'discard',
  'dummy',
  // what they lead to is written inside them in more ways than are worth reading
  'rfc6145',
  'teredo',
  'deprecatedSiteLocal',
]);

type Address = ipaddr.IPv4 | ipaddr.IPv6;

export type GuardOptions = {
  /** `host:port` allowed by name, whatever its address. */
  readonly allow: readonly string[];
  /** CIDRs refused besides the built-in ranges: Services, Pods. */
  readonly blockedRanges: readonly string[];
  /** `address:port` refused: the API server. */
  readonly blockedEndpoints: readonly string[];
};

/** The guard of `serve` (design, rule 7). IPv6 forms that embed an IPv4 address are judged by that address. */
export function createGuard(options: GuardOptions): Guard {
  const ranges = [...METADATA, ...options.blockedRanges].map((range) => ipaddr.parseCIDR(range));
  const allowed = new Set(options.allow.map((one) => one.toLowerCase()));
  const endpoints = new Set(options.blockedEndpoints.map(canonicalEndpoint));
  return ({ host, port, address }) => {
    if (allowed.has(`${host.toLowerCase()}:${port}`)) return true;
    // stricter than ipaddr.js, which reads 1.2.3 as the C library does
    if (isIP(address) === 0 || !ipaddr.isValid(address)) return false;
    const face = faceOf(ipaddr.parse(address));
    return (
      !REFUSED_RANGES.has(face.range()) &&
      (face instanceof ipaddr.IPv4 || GIVEN_OUT.some((range) => face.match(range))) &&
      !endpoints.has(`${face.toString()}:${port}`) &&
      !ranges.some(([network, bits]) => face.kind() === network.kind() && isWithin(face, network, bits))
    );
  };
}

function isWithin(face: Address, network: Address, bits: number): boolean {
  if (face instanceof ipaddr.IPv4 && network instanceof ipaddr.IPv4) return face.match(network, bits);
  return face instanceof ipaddr.IPv6 && network instanceof ipaddr.IPv6 && face.match(network, bits);
}

/** However an IPv6 address is spelled, and with brackets or without. */
function canonicalEndpoint(text: string): string {
  const cut = text.lastIndexOf(':');
  const address = text.slice(0, Math.max(0, cut)).replace(/^\[|\]$/gu, '');
  return ipaddr.isValid(address) ? `${ipaddr.parse(address).toString()}${text.slice(cut)}` : text;
}

/** The address itself, or the IPv4 address that it stands for: mapped, compatible, NAT64, 6to4. */
function faceOf(address: Address): Address {
  if (address instanceof ipaddr.IPv4) return address;
  const bytes = address.toByteArray();
  const v4 = (at: number): Address => new ipaddr.IPv4(bytes.slice(at, at + 4));
  const startsWith = (...prefix: readonly number[]): boolean => prefix.every((byte, at) => bytes[at] === byte);
  const zeros = (count: number): boolean => bytes.slice(0, count).every((byte) => byte === 0);
  if (zeros(10) && bytes[10] === 0xff && bytes[11] === 0xff) return v4(12);
  if (zeros(12) && !zeros(15)) return v4(12);
  if (startsWith(0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0)) return v4(12);
  if (startsWith(0x20, 0x02)) return v4(2);
  return address;
}
