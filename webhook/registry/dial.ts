import type { Socket } from 'node:net';
import { NetworkError } from './failure.ts';
import { socketFailure } from './tls-failure.ts';

/** Opens a socket towards an address; it is connected when it says so. */
export type Open<S extends Socket> = (address: string) => S;

/** Milliseconds for the last address, and at most for each before it. */
export type DialLimits = { readonly lastMs: number; readonly nextMs: number };

/** The first address that a connection can be made to, in their order. Rejects with a NetworkError. */
export async function dialFirst<S extends Socket>(
  addresses: readonly string[],
  open: Open<S>,
  limits: DialLimits,
  signal: AbortSignal,
): Promise<{ readonly socket: S; readonly address: string }> {
  let last: unknown = new NetworkError({ kind: 'no-route' });
  for (const [at, address] of addresses.entries()) {
    const isLast = at === addresses.length - 1;
    const timeoutMs = isLast ? limits.lastMs : Math.min(limits.lastMs, limits.nextMs);
    try {
      // one address after the other: the next is only for when this one fails
      // oxlint-disable-next-line no-await-in-loop
      return { socket: await dial(open(address), timeoutMs, signal), address };
    } catch (error) {
      if (signal.aborted) throw error;
      last = error;
    }
  }
  throw last;
}

/** Waits until a socket is connected, or destroys it and rejects with a NetworkError. */
export function dial<S extends Socket>(socket: S, timeoutMs: number, signal: AbortSignal): Promise<S> {
  const { promise, resolve, reject } = Promise.withResolvers<S>();
  const onConnect = (): void => resolve(socket);
  const onError = (error: Error): void => reject(new NetworkError(socketFailure(error), { cause: error }));
  const onTimeout = (): void => reject(new NetworkError({ kind: 'timeout', during: 'connect' }));
  const timer = setTimeout(onTimeout, timeoutMs);
  signal.addEventListener('abort', onTimeout, { once: true });
  if (signal.aborted) onTimeout();
  socket.once('connect', onConnect);
  socket.once('error', onError);
  // whoever takes the socket over listens for himself; until then an error must not be nobody's
  socket.on('error', () => undefined);
  return promise
    .catch((error: unknown) => {
      socket.destroy();
      throw error;
    })
    .finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onTimeout);
      socket.off('connect', onConnect);
      socket.off('error', onError);
    });
}
