import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { codeOf } from '../image/error-code.ts';
import { NetworkError } from './failure.ts';

/**
 * Asks the name servers as the system would, its search domains included. `undefined` where the system has to be asked:
 * for what stands in a file, or may be found by other means. Rejects with a NetworkError where there is no such name, or
 * no name server answers.
 */
export type DnsQuery = (name: string) => Promise<readonly string[] | undefined>;

export type DnsQueryOptions = {
  /** For the first of two tries, of which the second takes up to twice as long. */
  readonly timeoutMs: number;
  readonly hostsFile: string;
  readonly resolvFile: string;
  /** `address:port`; by default those of the system, read anew for each name. */
  readonly servers: readonly string[] | undefined;
};

export const DNS_QUERY_DEFAULTS: DnsQueryOptions = Object.freeze({
  /** Both together end before the time for one registry, 2.5 s. */
  timeoutMs: 700,
  hostsFile: '/etc/hosts',
  resolvFile: '/etc/resolv.conf',
  servers: undefined,
});

/**
 * getaddrinfo takes one of a few threads until its name servers answer, 10 s by default: with a handful of names whose
 * servers are silent nobody else would get an address. This takes none.
 */
export function createDnsQuery(options: Partial<DnsQueryOptions> = {}): DnsQuery {
  const { timeoutMs, hostsFile, resolvFile, servers } = { ...DNS_QUERY_DEFAULTS, ...options };
  return async (name) => {
    const [hosts, settings] = await Promise.all([hostsFile, resolvFile].map(linesOf));
    const isElsewhere = hosts?.some((words) => words.includes(name.toLowerCase())) ?? false;
    // multicast DNS has names of its own (RFC 6762)
    if (isElsewhere || name.toLowerCase().endsWith('.local')) return undefined;
    const resolver = new Resolver({ timeout: timeoutMs, tries: 2 });
    if (servers !== undefined) resolver.setServers(servers);
    for (const candidate of candidatesFor(name, settings ?? [])) {
      // each is only for when the one before does not exist
      // oxlint-disable-next-line no-await-in-loop
      const found = await ask(resolver, candidate);
      if (found !== 'none') return found === 'unclear' ? undefined : found;
    }
    throw new NetworkError({ kind: 'dns' });
  };
}

type Found = readonly string[] | 'none' | 'unclear';

async function ask(resolver: Resolver, name: string): Promise<Found> {
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (addresses.length > 0) return addresses;
  const codes = answers.map((answer) => (answer.status === 'rejected' ? codeOf(answer.reason) : 'ENODATA'));
  if (codes.includes('ETIMEOUT')) throw new NetworkError({ kind: 'timeout', during: 'connect' });
  if (codes.includes('ESERVFAIL')) throw new NetworkError({ kind: 'dns' });
  return codes.every((code) => code === 'ENOTFOUND' || code === 'ENODATA') ? 'none' : 'unclear';
}

/** More search domains than glibc ever took (resolv.conf(5)). */
const MAX_DOMAINS = 6;

/** The names to ask for, in glibc's order: as written first where it has as many dots as `ndots` says, 1 by default. */
function candidatesFor(name: string, settings: readonly (readonly string[])[]): readonly string[] {
  const domains =
    settings.findLast(([word]) => word === 'search' || word === 'domain')?.slice(1, 1 + MAX_DOMAINS) ?? [];
  const options = settings.flatMap(([word, ...rest]) => (word === 'options' ? rest : []));
  const ndots = Number(
    /^ndots:(?<dots>\d{1,2})$/u.exec(options.findLast((one) => one.startsWith('ndots:')) ?? '')?.[1] ?? 1,
  );
  if (name.endsWith('.')) return [name];
  const completed = domains.filter((domain) => domain !== '.').map((domain) => `${name}.${domain}`);
  return name.split('.').length > ndots ? [name, ...completed] : [...completed, name];
}

/** The words of each line, in lower case and without comments; none where the file cannot be read. */
async function linesOf(file: string): Promise<readonly (readonly string[])[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text.toLowerCase().split('\n');
  return lines.map((line) => (line.split(/[#;]/u, 1)[0] ?? '').split(/\s+/u).filter((word) => word !== ''));
}
