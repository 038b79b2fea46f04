import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { NetworkError } from './failure.ts';

/** From a host name, without brackets, to the addresses to dial in order. Rejects with a NetworkError of kind `dns`. */
export type ResolveName = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/** More records than that are no registry's. */
const MAX_ADDRESSES = 16;

/**
 * The system's resolver, as the kubelet's host has it: files, search domains and all. `hosts` comes first: `--add-host`.
 */
export function createResolver(hosts: ReadonlyMap<string, readonly string[]> = new Map()): ResolveName {
  return async (name, signal) => {
    const given = hosts.get(name);
    if (given !== undefined) return given;
    if (isIP(name) !== 0) return [name];
    let records: readonly { readonly address: string }[];
    try {
      records = await abortable(lookup(name, { all: true, order: 'verbatim' }), signal);
    } catch (cause) {
      if (signal.aborted) throw new NetworkError({ kind: 'timeout', during: 'connect' }, { cause });
      throw new NetworkError({ kind: 'dns' }, { cause });
    }
    if (records.length === 0) throw new NetworkError({ kind: 'dns' });
    return records.slice(0, MAX_ADDRESSES).map((record) => record.address);
  };
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
