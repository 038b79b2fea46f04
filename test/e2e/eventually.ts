import { setTimeout as sleep } from 'node:timers/promises';

/** No healthy run comes near it, on the slowest machine. */
const LIMIT_MS = 5 * 60_000;
const PAUSE_MS = 500;

/** Asks again until there is an answer; what `look` throws last, or `what` was waited for, says why there was none. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const endsAt = Date.now() + LIMIT_MS;
  let cause: unknown;
  while (Date.now() < endsAt) {
    try {
      const seen = await look();
      if (seen !== undefined) return seen;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await sleep(PAUSE_MS);
  }
  throw new Error(`waited in vain: ${what}`, { cause });
}
