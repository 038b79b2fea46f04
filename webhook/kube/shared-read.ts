export type SharedReadOptions<V> = {
  readonly maxEntries: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** How long an answer may serve others; 0 keeps it only for those who already wait. */
  readonly ttlMs: (value: V) => number;
  /** Owns its deadline. Must not need the signal of any caller. */
  readonly load: (key: string) => Promise<V>;
};

/**
 * Many callers, one load: concurrent reads of a key share it, and who gives up leaves the others alone. Rejects with
 * the signal's reason when the caller's own signal aborts, or with what `load` throws, which is not kept.
 */
export function createSharedRead<V>(options: SharedReadOptions<V>): (key: string, signal: AbortSignal) => Promise<V> {
  const { maxEntries, now, ttlMs, load } = options;
  const kept = new Map<string, { readonly value: V; readonly expiresAtMs: number }>();
  const running = new Map<string, Promise<V>>();

  const keep = (key: string, value: V): void => {
    const ttl = ttlMs(value);
    if (ttl <= 0) return;
    kept.set(key, { value, expiresAtMs: now() + ttl });
    // the oldest first: a Map keeps the order in which keys came
    for (const oldest of kept.keys()) {
      if (kept.size <= maxEntries) break;
      kept.delete(oldest);
    }
  };
  const start = (key: string): Promise<V> => {
    const loading = (async () => {
      try {
        const value = await load(key);
        keep(key, value);
        return value;
      } finally {
        running.delete(key);
      }
    })();
    running.set(key, loading);
    return loading;
  };
  return async (key, signal) => {
    signal.throwIfAborted();
    const known = kept.get(key);
    if (known !== undefined && known.expiresAtMs > now()) return known.value;
    kept.delete(key);
    return raceAbort(running.get(key) ?? start(key), signal);
  };
}

async function raceAbort<V>(promise: Promise<V>, signal: AbortSignal): Promise<V> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
