import { LRUCache } from 'lru-cache';
import { lifetimeMs } from '../outcome/lifetime.ts';
import type { Prediction } from '../outcome/prediction.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import { isNoise, isSuccess } from './attempt.ts';
import { graphKeyText, type GraphMemory } from './graph-memory.ts';

export type CacheOptions = {
  readonly maxEntries: number;
  /** One lookup's own deadline, whoever waits for it. */
  readonly loadMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
};

export type PredictionCache = {
  /**
   * The answer for `key`, from memory or by one load however many ask. The key must hold everything that the answer
   * hangs on, the login as an HMAC. A caller whose `signal` aborts stops waiting; the load goes on for the others.
   */
  readonly get: (key: string, load: (signal: AbortSignal) => Promise<Prediction>, options: LookupOptions) => Promise<Prediction>;
  /** The digests that one identity has seen whole. `identity` is an HMAC, or `anonymous`. */
  readonly memoryFor: (identity: string) => GraphMemory;
  readonly clear: () => void;
  readonly size: () => number;
};

export type LookupOptions = { readonly isByDigest: boolean; readonly signal: AbortSignal };

type Entry = { readonly prediction: Prediction; readonly atMs: number; readonly ttlMs: number };

/** A denial rests on fresh knowledge: whoever just pushed the image should not be told for ten seconds that it is absent. */
const MAX_DENIAL_AGE_MS = 5_000;
/** From here on a success is renewed in the background while it still serves. */
const RENEW_AT = 0.8;
/** How long a success that has ended may stand in for a registry that fails to answer. */
const STALE_MS = 60 * 60 * 1000;
const DIGEST_MEMORY_MS = 60 * 60 * 1000;

/** The shared cache of predictions (design, part 5 step 5). */
export function createPredictionCache(options: CacheOptions): PredictionCache {
  const entries = new LRUCache<string, Entry>({ max: options.maxEntries });
  const digests = new LRUCache<string, { readonly outcome: PullOutcome }>({
    max: options.maxEntries,
    ttl: DIGEST_MEMORY_MS,
    perf: { now: options.now },
  });
  const loads = new Map<string, Promise<Prediction>>();

  const load = (key: string, work: (signal: AbortSignal) => Promise<Prediction>, isByDigest: boolean): Promise<Prediction> => {
    const running = loads.get(key);
    if (running !== undefined) return running;
    const started = work(AbortSignal.timeout(options.loadMs))
      .then((prediction) => {
        const before = entries.peek(key);
        if (before !== undefined && isSuccess(before.prediction.outcome) && isNoise(prediction.outcome) && !isSuccess(prediction.outcome)) {
          const age = options.now() - before.atMs;
          if (age < before.ttlMs + STALE_MS) return { ...before.prediction, requests: prediction.requests };
        }
        entries.set(key, { prediction, atMs: options.now(), ttlMs: lifetimeMs(prediction.outcome, isByDigest) });
        return prediction;
      })
      .finally(() => loads.delete(key));
    loads.set(key, started);
    return started;
  };

  return {
    get: async (key, work, { isByDigest, signal }) => {
      const entry = entries.get(key);
      const age = entry === undefined ? 0 : options.now() - entry.atMs;
      if (entry !== undefined && isFresh(entry, age)) {
        if (isSuccess(entry.prediction.outcome) && age > entry.ttlMs * RENEW_AT) {
          load(key, work, isByDigest).catch(() => undefined); // the next caller meets the failure, if it lasts
        }
        return { ...entry.prediction, requests: 0, millis: 0 };
      }
      return orDeadline(load(key, work, isByDigest), signal);
    },
    memoryFor: (identity) => ({
      recall: (key) => digests.get(`${identity} ${graphKeyText(key)}`)?.outcome,
      keep: (key, outcome) => {
        if (isSuccess(outcome)) digests.set(`${identity} ${graphKeyText(key)}`, { outcome });
      },
    }),
    clear: () => {
      entries.clear();
      digests.clear();
    },
    size: () => entries.size + digests.size,
  };
}

function isFresh(entry: Entry, ageMs: number): boolean {
  const { outcome, isConclusive } = entry.prediction;
  const mayDeny = isConclusive && !isSuccess(outcome);
  return ageMs < entry.ttlMs && (!mayDeny || ageMs < MAX_DENIAL_AGE_MS);
}

/** Waits for the answer as long as the caller may; then says that it was not there in time. */
async function orDeadline(answer: Promise<Prediction>, signal: AbortSignal): Promise<Prediction> {
  const { promise, resolve } = Promise.withResolvers<Prediction>();
  const late: Prediction = {
    outcome: { kind: 'not-checked', reason: 'deadline', detail: 'the registry had not answered in time' },
    isConclusive: false,
    doubts: [],
    findings: [],
    requests: 0,
    millis: 0,
    course: [],
  };
  const onAbort = (): void => resolve(late);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([answer, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
