import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Digest } from '../../webhook/image/digest.ts';
import { normalizePlatform } from '../../webhook/image/platform.ts';
import type { PullOutcome } from '../../webhook/outcome/outcome.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import { createPredictionCache, type Load, type PredictionCache } from '../../webhook/pull/cache.ts';
import type { GraphKey } from '../../webhook/pull/graph-memory.ts';
import { SAMPLES } from '../outcome/samples.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

type Rig = {
  readonly cache: PredictionCache;
  readonly pass: (ms: number) => void;
  /** Asks for a key; the load answers `outcome`. Undefined where memory answered, else what the load said. */
  readonly ask: (outcome: PullOutcome, options?: AskOptions) => Promise<Prediction>;
  readonly loads: () => number;
};

type AskOptions = { readonly key?: string; readonly isByDigest?: boolean; readonly isConclusive?: boolean };

function rig(maxEntries = 100): Rig {
  let nowMs = 1_000_000;
  let loads = 0;
  const cache = createPredictionCache({ maxEntries, loadMs: 10 * SECOND, now: () => nowMs });
  return {
    cache,
    pass: (ms) => {
      nowMs += ms;
    },
    loads: () => loads,
    ask: (outcome, { key = 'key', isByDigest = false, isConclusive = true } = {}) => {
      const load: Load = () => {
        loads += 1;
        return Promise.resolve(answer(outcome, isConclusive));
      };
      return cache.get(key, load, { isByDigest, signal: new AbortController().signal });
    },
  };
}

const answer = (outcome: PullOutcome, isConclusive = true): Prediction => ({
  outcome,
  isConclusive,
  doubts: [],
  findings: [],
  requests: 3,
  millis: 7,
  course: [],
});

const { pullable, unreachable } = SAMPLES;
const absent = SAMPLES['tag-not-found'];
const slow = SAMPLES['rate-limited'];

describe('one load however many ask', () => {
  it('gives those who have no time for all of it what it told by then', async () => {
    const { cache, ask } = rig();
    const { promise, resolve } = Promise.withResolvers<Prediction>();
    const load: Load = (_signal, tell) => {
      tell(answer(absent));
      return promise;
    };
    const hurried = new AbortController();
    const options = { isByDigest: false, signal: hurried.signal };

    const asked = [cache.get('key', load, options), cache.get('key', load, options)];
    hurried.abort();
    const answers = await Promise.all(asked);
    resolve(answer({ ...absent, similarTags: ['1.2.3'] }));
    await turn();

    assert.deepEqual(
      answers.map(({ outcome, isConclusive, requests }) => [outcome, isConclusive, requests]),
      [
        [absent, true, 3],
        [absent, true, 0],
      ],
    );
    assert.deepEqual((await ask(pullable)).outcome, { ...absent, similarTags: ['1.2.3'] }, 'and remembers the rest');
  });

  it('shares what is under way, and counts its requests once', async () => {
    const { cache } = rig();
    const { promise, resolve } = Promise.withResolvers<Prediction>();
    let loads = 0;
    const load = (): Promise<Prediction> => {
      loads += 1;
      return promise;
    };
    const options = { isByDigest: false, signal: new AbortController().signal };

    const asked = Array.from({ length: 50 }, () => cache.get('key', load, options));
    resolve(answer(pullable));
    const answers = await Promise.all(asked);

    assert.equal(loads, 1);
    assert.ok(answers.every(({ outcome }) => outcome === pullable));
    assert.equal(
      answers.reduce((sum, { requests }) => sum + requests, 0),
      3,
    );
  });

  it('lets a caller go whose time is over, and keeps the others and the answer', async () => {
    const { cache, ask, loads } = rig();
    const { promise, resolve } = Promise.withResolvers<Prediction>();
    const [hurried, patient] = [new AbortController(), new AbortController()];
    const seen: AbortSignal[] = [];
    const load: Load = (signal) => {
      seen.push(signal);
      return promise;
    };
    const first = cache.get('key', load, { isByDigest: false, signal: hurried.signal });
    const second = cache.get('key', load, { isByDigest: false, signal: patient.signal });

    hurried.abort();
    const { outcome, isConclusive } = await first;
    resolve(answer(pullable));

    assert.ok(outcome.kind === 'not-checked' && outcome.reason === 'deadline' && !isConclusive);
    assert.equal((await second).outcome.kind, 'pullable');
    assert.equal(seen[0]?.aborted, false, 'the load goes on');
    await ask(absent);
    assert.equal(loads(), 0, 'and is remembered');
  });

  it('answers at once whoever comes with no time left', async () => {
    const { cache } = rig();
    const { promise } = Promise.withResolvers<Prediction>();

    const { outcome } = await cache.get('key', () => promise, { isByDigest: false, signal: AbortSignal.abort() });

    assert.equal(outcome.kind, 'not-checked');
  });

  it('passes a bug on to everybody who waits, and remembers nothing of it', async () => {
    const { cache, ask, loads } = rig();
    const options = { isByDigest: false, signal: new AbortController().signal };
    const load: Load = () => Promise.reject(new Error('a bug'));

    const asked = await Promise.allSettled([cache.get('key', load, options), cache.get('key', load, options)]);

    assert.deepEqual(
      asked.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    await ask(pullable);
    assert.equal(loads(), 1);
  });
});

describe('how long an answer serves', () => {
  for (const { name, outcome, isConclusive = true, isByDigest = false, lifetimeMs } of [
    { name: 'a success', outcome: pullable, lifetimeMs: 5 * MINUTE },
    { name: 'a success by digest', outcome: pullable, isByDigest: true, lifetimeMs: 60 * MINUTE },
    { name: 'what will not run', outcome: SAMPLES['will-not-run'], isConclusive: false, lifetimeMs: 5 * MINUTE },
    { name: 'a proven failure, which may deny', outcome: absent, lifetimeMs: 5 * SECOND },
    { name: 'a failure that is not proven', outcome: absent, isConclusive: false, lifetimeMs: 10 * SECOND },
    { name: 'noise', outcome: unreachable, isConclusive: false, lifetimeMs: 5 * SECOND },
  ]) {
    it(`${name}: ${lifetimeMs / SECOND} s`, async () => {
      const { ask, pass, loads } = rig();
      await ask(outcome, { isConclusive, isByDigest });

      pass(lifetimeMs - 1);
      const before = await ask(outcome, { isConclusive, isByDigest });
      await turn();
      const renewals = loads() - 1;
      pass(lifetimeMs);
      await ask(outcome, { isConclusive, isByDigest });

      assert.deepEqual([before.requests, before.millis], [0, 0], 'from memory');
      assert.equal(renewals, outcome === pullable || outcome.kind === 'will-not-run' ? 1 : 0);
      assert.equal(loads(), 2 + renewals, 'asked again after its time');
    });
  }

  it('renews a success early, once and behind the backs of those who ask', async () => {
    const { ask, pass, loads } = rig();
    await ask(pullable);
    pass(4.5 * MINUTE);

    const answers = await Promise.all([ask(pullable), ask(pullable), ask(pullable)]);
    await turn();

    assert.equal(loads(), 2);
    assert.ok(answers.every(({ requests }) => requests === 0));
    pass(4 * MINUTE - 1);
    assert.equal((await ask(absent)).requests, 0, 'the renewed answer serves on');
    assert.equal(loads(), 2);
  });

  it('takes what it learns by renewing for the truth', async () => {
    const { ask, pass } = rig();
    await ask(pullable);
    pass(4.5 * MINUTE);
    await ask(absent);
    await turn();

    assert.equal((await ask(pullable)).outcome.kind, 'tag-not-found');
  });
});

describe('what stands in for a registry that fails', () => {
  it('a success that has ended, which is asked for again only after a pause', async () => {
    const { ask, pass, loads } = rig();
    await ask(pullable);
    pass(6 * MINUTE);

    const stale = await ask(unreachable, { isConclusive: false });
    const again = await ask(slow, { isConclusive: false });

    assert.equal(stale.outcome.kind, 'pullable');
    assert.equal(stale.requests, 3, 'the requests were made all the same');
    assert.equal(again.outcome.kind, 'pullable');
    assert.equal(loads(), 2);
    pass(5 * SECOND);
    await ask(unreachable, { isConclusive: false });
    assert.equal(loads(), 3);
  });

  it('no success older than an hour beyond its time', async () => {
    const { ask, pass } = rig();
    await ask(pullable);
    pass(66 * MINUTE);

    assert.equal((await ask(unreachable, { isConclusive: false })).outcome.kind, 'unreachable');
  });

  it('no success that a registry took back', async () => {
    const { ask, pass } = rig();
    await ask(pullable);
    pass(6 * MINUTE);
    await ask(absent);
    pass(11 * SECOND);

    assert.equal((await ask(unreachable, { isConclusive: false })).outcome.kind, 'unreachable');
  });

  it('never a failure', async () => {
    const { ask, pass } = rig();
    await ask(absent);
    pass(5 * SECOND);

    assert.equal((await ask(unreachable, { isConclusive: false })).outcome.kind, 'unreachable');
  });
});

describe('what is kept apart and bounded', () => {
  const key: GraphKey = {
    authority: 'reg.test',
    repository: 'app',
    digest: `sha256:${'ab'.repeat(32)}` as Digest,
    platform: normalizePlatform({ os: 'linux', architecture: 'amd64' }),
    traits: 'containerd',
  };

  it('keys do not share, and identities share no digest', async () => {
    const { cache, ask } = rig();
    await ask(pullable, { key: 'one' });
    assert.equal((await ask(absent, { key: 'two' })).outcome.kind, 'tag-not-found');

    cache.memoryFor('one').keep(key, pullable);

    assert.equal(cache.memoryFor('one').recall(key), pullable);
    assert.equal(cache.memoryFor('two').recall(key), undefined);
    for (const change of [{ repository: 'other' }, { authority: 'other' }, { traits: 'docker' }]) {
      assert.equal(cache.memoryFor('one').recall({ ...key, ...change }), undefined);
    }
  });

  it('remembers whole digests only, and for an hour', () => {
    const { cache, pass } = rig();
    const memory = cache.memoryFor('one');
    memory.keep(key, absent);
    assert.equal(memory.recall(key), undefined);

    memory.keep(key, pullable);
    pass(60 * MINUTE - 1);
    assert.equal(memory.recall(key), pullable);
    pass(2);
    assert.equal(memory.recall(key), undefined);
  });

  it('holds no more entries than it may', async () => {
    const { cache, ask } = rig(10);
    for (let at = 0; at < 100; at += 1) {
      // in turn, as the oldest goes
      // oxlint-disable-next-line no-await-in-loop
      await ask(pullable, { key: `key ${at}` });
      cache.memoryFor(`identity ${at}`).keep(key, pullable);
    }

    assert.equal(cache.size(), 20);
  });

  it('forgets everything when it is told to, also what is still on its way', async () => {
    const { cache, ask, loads } = rig();
    const { promise, resolve } = Promise.withResolvers<Prediction>();
    const options = { isByDigest: false, signal: new AbortController().signal };
    const late = cache.get('late', () => promise, options);
    await ask(pullable);
    cache.memoryFor('one').keep(key, pullable);

    cache.clear();
    resolve(answer(pullable));
    await late;

    assert.equal(cache.size(), 0);
    await ask(pullable, { key: 'late' });
    assert.equal(loads(), 2);
  });
});
