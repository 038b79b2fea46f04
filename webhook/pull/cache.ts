import { LRUCache } from 'lru-cache';
import { LIFETIME_MS, lifetimeMs } from '../outcome/lifetime.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import type { Prediction } from '../outcome/prediction.ts';
import { isNoise, isSuccess } from './attempt.ts';
import { LATE, untilAborted } from './deadline.ts';
import { graphKeyText, type GraphMemory } from './graph-memory.ts';
import { createLanes, type Lane, type LaneLimits } from './lanes.ts';

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
  readonly get: (key: string, load: Load, options: LookupOptions) => Promise<Prediction>;
  /** The digests that one identity has seen whole. `identity` is an HMAC, or `anonymous`. */
  readonly memoryFor: (identity: string) => GraphMemory;
  /** Forgets everything; loads that are under way answer whoever waits for them and are not kept. */
  readonly clear: () => void;
  readonly size: () => number;
};

export type LookupOptions = {
  readonly isByDigest: boolean;
  readonly signal: AbortSignal;
  /** Whose turn the load waits for; without it, it begins at once. */
  readonly lane?: Lane;
};

/** Makes an answer, until `signal` aborts. What it tells before is what a caller gets who has no time for more. */
export type Load = (signal: AbortSignal, tell: (verdict: Prediction) => void) => Promise<Prediction>;

/** A load, begun or waiting for its turn, with what it told before its end and how many wait for it. */
type Running = { readonly answer: Promise<Prediction>; told: Prediction | undefined; waiting: number };

type Entry = {
  readonly prediction: Prediction;
  /** Milliseconds of `now` until which it serves, and from which on it is renewed while it serves. */
  readonly freshUntilMs: number;
  readonly renewFromMs: number;
  /** Until when a success may stand in for a registry that fails to answer. */
  readonly staleUntilMs: number;
};

/** A denial rests on fresh knowledge: whoever just pushed the image should not be told for ten seconds that it is absent. */
const MAX_DENIAL_AGE_MS = 5_000;
/** The part of its lifetime after which a success is renewed in the background. */
const RENEW_AT = 0.8;
const STALE_MS = 60 * 60 * 1000;
const DIGEST_MEMORY_MS = 60 * 60 * 1000;
/** More for one registry would only wait for its connections. */
const LANES: LaneLimits = Object.freeze({ ofNamespace: 64, ofHost: 16 });
/** A load that goes on so long after its deadline is given up: it would hold its key for ever. */
const GRACE_MS = 1_000;

/** The shared cache of predictions (design, part 5 step 5). */
export function createPredictionCache({ maxEntries, loadMs, now }: CacheOptions): PredictionCache {
  const entries = new LRUCache<string, Entry>({ max: maxEntries });
  const digests = new LRUCache<string, { readonly outcome: PullOutcome }>({
    max: maxEntries,
    ttl: DIGEST_MEMORY_MS,
    ttlResolution: 0,
    perf: { now },
  });
  const lanes = createLanes(LANES);
  let loads = new Map<string, Running>();

  const start = (key: string, load: Load, { isByDigest, lane }: Omit<LookupOptions, 'signal'>): Running => {
    const own = loads;
    const isWanted = (): boolean => {
      if (running.waiting === 0) own.delete(key);
      return running.waiting > 0;
    };
    const run = async (): Promise<Prediction> => {
      const leave = lane === undefined ? nothing : await lanes.enter(lane, isWanted);
      if (leave === undefined) return LATE;
      try {
        const work = load(AbortSignal.timeout(loadMs), (verdict) => {
          running.told = verdict;
        });
        const prediction = await untilAborted(work, AbortSignal.timeout(loadMs + GRACE_MS));
        const entry = entryFor(prediction, entries.peek(key), { isByDigest, nowMs: now() });
        if (own === loads) entries.set(key, entry);
        return { ...entry.prediction, requests: prediction.requests, millis: prediction.millis };
      } finally {
        leave();
        own.delete(key);
      }
    };
    const { promise: answer, resolve } = Promise.withResolvers<Prediction>();
    const running: Running = { answer, told: undefined, waiting: 1 };
    own.set(key, running);
    resolve(run());
    return running;
  };

  const waitFor = async (running: Running, signal: AbortSignal): Promise<Prediction> => {
    try {
      return await untilAborted(running.answer, signal, () => running.told);
    } finally {
      running.waiting -= 1;
    }
  };

  return {
    get: async (key, load, options) => {
      const { signal } = options;
      const entry = entries.get(key);
      const running = loads.get(key);
      if (entry !== undefined && now() < entry.freshUntilMs) {
        if (running === undefined && now() >= entry.renewFromMs) {
          start(key, load, options).answer.catch(() => undefined); // the next caller meets the failure, if it lasts
        }
        return fromMemory(entry.prediction);
      }
      if (running === undefined) return waitFor(start(key, load, options), signal);
      running.waiting += 1;
      return fromMemory(await waitFor(running, signal));
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
      loads = new Map();
    },
    size: () => entries.size + digests.size,
  };
}

const nothing = (): void => undefined;

const fromMemory = (prediction: Prediction): Prediction => ({ ...prediction, requests: 0, millis: 0 });

/** What is kept of a new answer: noise does not take the place of a success that may still stand in for it. */
function entryFor(
  prediction: Prediction,
  before: Entry | undefined,
  { isByDigest, nowMs }: { readonly isByDigest: boolean; readonly nowMs: number },
): Entry {
  const { outcome, isConclusive } = prediction;
  if (isNoise(outcome) && before !== undefined && isSuccess(before.prediction.outcome) && nowMs < before.staleUntilMs) {
    const againAtMs = nowMs + LIFETIME_MS[outcome.kind];
    return { ...before, freshUntilMs: Math.max(before.freshUntilMs, againAtMs), renewFromMs: againAtMs };
  }
  const lifetime = lifetimeMs(outcome, isByDigest);
  const isDenial = isConclusive && !isSuccess(outcome);
  const freshUntilMs = nowMs + (isDenial ? Math.min(lifetime, MAX_DENIAL_AGE_MS) : lifetime);
  return {
    prediction,
    freshUntilMs,
    renewFromMs: isSuccess(outcome) ? nowMs + lifetime * RENEW_AT : Infinity,
    staleUntilMs: freshUntilMs + STALE_MS,
  };
}
