import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseDigest, type Digest } from '../../webhook/image/digest.ts';
import { estimateStart, type Load } from '../../webhook/pull/pod-start.ts';

const digestOf = (letter: string): Digest => {
  const digest = parseDigest(`sha256:${letter.repeat(64)}`);
  assert.ok(digest.ok);
  return digest.value;
};
const layer = (letter: string, size: number): Load['layers'][number] => ({ digest: digestOf(letter), size });

/** 1,000 bytes at 10 a second: 100 seconds. */
const load = (image: string, changes: Partial<Load> = {}): Load => ({
  image,
  bytes: 1000,
  layers: [],
  bytesPerSecond: 10,
  isHeld: false,
  ...changes,
});

type Row = {
  readonly name: string;
  readonly loads: readonly Load[];
  readonly held?: readonly string[];
  /** Bytes left and seconds, of each; then the seconds of all. */
  readonly shares: readonly (readonly [bytes: number, seconds: number])[];
  readonly seconds: number;
};

const ROWS: readonly Row[] = [
  { name: 'one image takes its bytes at its rate', loads: [load('a')], shares: [[1000, 100]], seconds: 100 },
  {
    name: 'images of one host come one after the other',
    loads: [load('a'), load('b')],
    shares: [
      [1000, 100],
      [1000, 100],
    ],
    seconds: 200,
  },
  {
    name: 'images of several hosts too, each at its own rate',
    loads: [load('one.test/a'), load('two.test/b', { bytesPerSecond: 20 })],
    shares: [
      [1000, 100],
      [1000, 50],
    ],
    seconds: 150,
  },
  {
    name: 'an image that two containers use counts once',
    loads: [load('a'), load('a')],
    shares: [
      [1000, 100],
      [1000, 100],
    ],
    seconds: 100,
  },
  {
    name: 'a layer counts for the image that is pulled first',
    loads: [load('a', { layers: [layer('1', 600)] }), load('b', { layers: [layer('1', 600), layer('2', 300)] })],
    shares: [
      [1000, 100],
      [400, 40],
    ],
    seconds: 140,
  },
  {
    name: 'a layer that every node has does not count',
    loads: [load('a', { layers: [layer('1', 600)] })],
    held: ['1'],
    shares: [[400, 40]],
    seconds: 40,
  },
  {
    name: 'an image that every node has does not count, and brings no layers',
    loads: [load('a', { isHeld: true, layers: [layer('1', 600)] }), load('b', { layers: [layer('1', 600)] })],
    shares: [
      [0, 0],
      [1000, 100],
    ],
    seconds: 100,
  },
  {
    name: 'what nobody knows the rate of takes no time',
    loads: [load('a', { bytesPerSecond: undefined }), load('b')],
    shares: [
      [1000, 0],
      [1000, 100],
    ],
    seconds: 100,
  },
  { name: 'nothing to pull takes no time', loads: [], shares: [], seconds: 0 },
];

describe('the start of a Pod', () => {
  for (const { name, loads, held = [], shares, seconds } of ROWS) {
    it(name, () => {
      const estimate = estimateStart(loads, new Set(held.map(digestOf)));

      assert.deepEqual(
        estimate.shares.map((share) => [share.bytes, share.seconds]),
        shares,
      );
      assert.equal(estimate.seconds, seconds);
    });
  }

  it('never takes longer for what nodes have, and never less than its longest image', () => {
    const letters = fc.constantFrom('1', '2', '3', '4');
    const anyLoad = fc
      .record({
        image: fc.constantFrom('a', 'b', 'c'),
        letters: fc.uniqueArray(letters),
        more: fc.integer({ min: 0, max: 1000 }),
        bytesPerSecond: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
        isHeld: fc.boolean(),
      })
      .map(({ letters: own, more, ...rest }): Load => ({
        ...rest,
        layers: own.map((letter) => layer(letter, 100)),
        bytes: own.length * 100 + more,
      }));
    fc.assert(
      fc.property(fc.array(anyLoad, { maxLength: 6 }), fc.uniqueArray(letters), (loads, held) => {
        const bare = estimateStart(loads, new Set());
        const stocked = estimateStart(loads, new Set(held.map(digestOf)));

        assert.ok(stocked.seconds <= bare.seconds);
        for (const { bytes, seconds } of stocked.shares) assert.ok(bytes >= 0 && seconds <= stocked.seconds);
      }),
      { numRuns: 300 },
    );
  });
});
