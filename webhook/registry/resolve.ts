import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import pLimit from 'p-limit';
import type { DnsQuery } from './dns-query.ts';
import { NetworkError } from './failure.ts';

/** From a host name, without brackets, to the addresses to dial in order. Rejects with a NetworkError. */
export type ResolveName = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/** More records than that are no registry's. */
const MAX_ADDRESSES = 16;
/** libuv runs two of its four threads on slow work: more lookups at a time would only wait there, where none can be dropped. */
const MAX_LOOKUPS = 4;

/** A name's addresses in the order to dial. */
type LookUp = (name: string) => Promise<readonly string[]>;
type Lookup = { readonly addresses: Promise<readonly string[]>; waiting: number };

/**
 * The system's resolver, as the kubelet's host has it: files, search domains and all. `hosts` comes first: `--add-host`.
 * Whoever asks for the same name at the same time shares a lookup; one that nobody waits for any more is not begun.
 * `query` is for who must not be held up by what others ask: it goes before the system.
 */
export function createResolver(
  hosts: ReadonlyMap<string, readonly string[]> = new Map(),
  lookUp: LookUp = systemLookup,
  query: DnsQuery = () => Promise.resolve(undefined),
): ResolveName {
  const limit = pLimit(MAX_LOOKUPS);
  const lookups = new Map<string, Lookup>();

  const begin = (name: string): Lookup => {
    const askSystem = async (): Promise<readonly string[]> => (started.waiting > 0 ? lookUp(name) : []);
    const run = async (): Promise<readonly string[]> => {
      try {
        return (await query(name)) ?? (await limit(askSystem));
      } finally {
        lookups.delete(name);
      }
    };
    const started: Lookup = { addresses: Promise.resolve().then(run), waiting: 0 };
    // whoever waits hears of it; a failure that nobody waits for is nobody's
    started.addresses.catch(() => undefined);
    lookups.set(name, started);
    return started;
  };

  return async (name, signal) => {
    const given = hosts.get(name);
    if (given !== undefined) return given;
    if (isIP(name) !== 0) return [name];
    const shared = lookups.get(name) ?? begin(name);
    shared.waiting += 1;
    try {
      const addresses = await abortable(shared.addresses, signal);
      if (addresses.length > 0) return addresses.slice(0, MAX_ADDRESSES);
    } catch (cause) {
      if (signal.aborted) throw new NetworkError({ kind: 'timeout', during: 'connect' }, { cause });
      if (cause instanceof NetworkError) throw cause;
      throw new NetworkError({ kind: 'dns' }, { cause });
    } finally {
      shared.waiting -= 1;
    }
    throw new NetworkError({ kind: 'dns' });
  };
}

async function systemLookup(name: string): Promise<readonly string[]> {
  const records = await lookup(name, { all: true, order: 'verbatim' });
  return records.map(({ address }) => address);
}

/** getaddrinfo cannot be stopped; what can stop is the waiting for it. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
