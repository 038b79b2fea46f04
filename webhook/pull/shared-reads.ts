/** Long reads that several callers want: one read however many ask, and what is worth keeping is kept. */
export type SharedReads<T> = {
  /** `undefined` where `signal` ended before the read did. A read that nobody waits for any more is ended. */
  readonly get: (key: string, read: (signal: AbortSignal) => Promise<T>, signal: AbortSignal) => Promise<T | undefined>;
};

type Entry<T> = { readonly value: Promise<T>; readonly giveUp: AbortController; waiting: number; isDone: boolean };

/** `isLasting` says what holds for everybody who asks under that key, not only for whoever was first. */
export function createSharedReads<T>(isLasting: (value: T) => boolean): SharedReads<T> {
  const entries = new Map<string, Entry<T>>();

  const forget = (key: string, entry: Entry<T>): void => {
    if (entries.get(key) === entry) entries.delete(key);
  };

  const start = (key: string, read: (signal: AbortSignal) => Promise<T>): Entry<T> => {
    const giveUp = new AbortController();
    const watched = async (): Promise<T> => {
      try {
        const value = await read(giveUp.signal);
        entry.isDone = true;
        if (!isLasting(value)) forget(key, entry);
        return value;
      } catch (error) {
        forget(key, entry);
        throw error;
      }
    };
    const entry: Entry<T> = { value: Promise.resolve().then(watched), giveUp, waiting: 0, isDone: false };
    entries.set(key, entry);
    return entry;
  };

  return {
    get: async (key, read, signal) => {
      if (signal.aborted) return undefined;
      const known = entries.get(key);
      const entry = known ?? start(key, read);
      entry.waiting += 1;
      try {
        const value = await orAborted(entry.value, signal);
        if (known === undefined || value === undefined || isLasting(value)) return value;
        // what another met on the way is not ours to report
        return await orAborted(read(signal), signal);
      } finally {
        entry.waiting -= 1;
        if (entry.waiting === 0 && !entry.isDone) {
          forget(key, entry);
          entry.giveUp.abort();
        }
      }
    },
  };
}

async function orAborted<T>(value: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const onAbort = (): void => resolve(undefined);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([value, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
