import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createPredictionCache } from '../../webhook/pull/cache.ts';
import { createLanes, type Lane } from '../../webhook/pull/lanes.ts';

const wanted = (): boolean => true;

/** Enters by name, `namespace/host`; what was let in, in order, and how to leave. */
function rig(ofNamespace: number, ofHost: number) {
  const lanes = createLanes({ ofNamespace, ofHost });
  const entered: string[] = [];
  const inside = new Map<string, () => void>();
  return {
    entered,
    enter: (name: string, isWanted = wanted): void => {
      const [namespace = '', host = ''] = name.split('/');
      void lanes.enter({ namespace, host }, isWanted).then((leave) => {
        entered.push(leave === undefined ? `${name} dropped` : name);
        if (leave !== undefined) inside.set(name, leave);
        return undefined;
      });
    },
    leave: async (name: string): Promise<void> => {
      inside.get(name)?.();
      await turn();
    },
  };
}

describe('lookups in lanes', () => {
  it('leave each namespace its own places', async () => {
    const { enter, entered, leave } = rig(2, 2);
    for (const name of ['a/one', 'a/two', 'a/three', 'b/one', 'b/two']) enter(name);
    await turn();
    assert.deepEqual(entered, ['a/one', 'a/two', 'b/one', 'b/two']);

    await leave('a/two');

    assert.deepEqual(entered.slice(4), ['a/three']);
  });

  it('let the registries of a namespace take turns, each with places of its own', async () => {
    const { enter, entered, leave } = rig(3, 1);
    for (const name of ['a/slow', 'a/slow', 'a/slow', 'a/quick', 'a/other', 'a/third']) enter(name);
    await turn();
    assert.deepEqual(entered, ['a/slow', 'a/quick', 'a/other']);

    await leave('a/quick');
    await leave('a/slow');

    assert.deepEqual(entered.slice(3), ['a/third', 'a/slow']);
  });

  it('pass over what nobody wants any more when its turn comes', async () => {
    const { enter, entered, leave } = rig(1, 1);
    let isWanted = true;
    enter('a/one');
    enter('a/two', () => isWanted);
    enter('a/three');
    isWanted = false;
    await turn();
    await leave('a/one');

    assert.deepEqual(entered, ['a/one', 'a/two dropped', 'a/three']);
  });
});

describe('a load that waits for its turn', () => {
  it('is not begun for those who have gone, and is for who comes in time', async () => {
    const cache = createPredictionCache({ maxEntries: 10, loadMs: 60_000, now: () => 0 });
    const lane: Lane = { namespace: 'a', host: 'reg.test' };
    const never = new AbortController().signal;
    const held = Array.from({ length: 16 }, () => Promise.withResolvers<never>());
    const began: string[] = [];
    const ask = (key: string, signal: AbortSignal) =>
      cache.get(
        key,
        () => {
          began.push(key);
          return held[began.length - 1]?.promise ?? new Promise<never>(() => {});
        },
        { isByDigest: false, signal, lane },
      );
    const running = held.map((_, at) => assert.rejects(ask(`running ${at}`, never)));
    const gone = new AbortController();
    const [left, shared] = [ask('left', gone.signal), ask('shared', gone.signal)];
    void ask('shared', never);
    gone.abort();

    assert.deepEqual(
      (await Promise.all([left, shared])).map(({ outcome }) => outcome.kind),
      ['not-checked', 'not-checked'],
    );
    for (const { reject } of held) reject(new Error('over'));
    await Promise.all(running);
    await turn();

    assert.deepEqual(began.slice(16), ['shared']);
  });
});
