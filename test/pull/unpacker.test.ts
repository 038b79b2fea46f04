import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { createUnpacker, type Packing, type UnpackEnd } from '../../webhook/pull/unpacker.ts';
import { noise, patience } from './layer-rig.ts';

const CONTENT = Buffer.concat([noise(3_000), Buffer.alloc(9_000, 'again'), noise(500, 'more')]);
const GZIP = gzipSync(CONTENT);
const ZSTD = zstdCompressSync(CONTENT);
const SKIPPABLE = Buffer.concat([Buffer.from('5f2a4d1803000000', 'hex'), Buffer.from('toc')]);
/** A frame that wants a window of 2 GiB, more than node:zlib gives. */
const WIDE = Buffer.from('28b52ffd0098010000', 'hex');

type Unpacked = { readonly packing: Packing; readonly end: UnpackEnd; readonly content: Buffer };

async function unpack(bytes: Uint8Array, pieces: readonly number[] = []): Promise<Unpacked> {
  const taken: Buffer[] = [];
  const unpacker = createUnpacker((piece) => taken.push(Buffer.from(piece)), patience());
  try {
    let at = 0;
    for (const length of [...pieces, bytes.length]) {
      // oxlint-disable-next-line no-await-in-loop -- pieces come in order
      await unpacker.write(bytes.subarray(at, at + length));
      at += length;
    }
    return { ...(await unpacker.end()), content: Buffer.concat(taken) };
  } finally {
    unpacker.close();
  }
}

describe('unpacking a stream', () => {
  const sound: readonly (readonly [string, Packing, Uint8Array, Uint8Array])[] = [
    ['plain bytes', 'none', CONTENT, CONTENT],
    ['nothing', 'none', Buffer.alloc(0), Buffer.alloc(0)],
    ['fewer bytes than a signature has', 'none', Buffer.from('abc'), Buffer.from('abc')],
    ['gzip', 'gzip', GZIP, CONTENT],
    ['two members of gzip', 'gzip', Buffer.concat([GZIP, GZIP]), Buffer.concat([CONTENT, CONTENT])],
    ['zstd', 'zstd', ZSTD, CONTENT],
    ['three frames of zstd', 'zstd', Buffer.concat([ZSTD, ZSTD, ZSTD]), Buffer.concat([CONTENT, CONTENT, CONTENT])],
    [
      'frames to be skipped between others',
      'zstd',
      Buffer.concat([SKIPPABLE, ZSTD, SKIPPABLE, ZSTD, SKIPPABLE]),
      Buffer.concat([CONTENT, CONTENT]),
    ],
    ['a zstd frame of nothing', 'zstd', zstdCompressSync(''), Buffer.alloc(0)],
  ];
  it('gives the content of every packing, in whatever pieces it comes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sound),
        fc.array(fc.integer({ min: 1, max: 2_000 }), { maxLength: 8 }),
        async (one, pieces) => {
          const [, packing, bytes, expected] = one;
          const got = await unpack(bytes, pieces);

          assert.deepEqual([got.packing, got.end], [packing, 'whole']);
          assert.ok(got.content.equals(expected));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('finds the end of a frame that comes byte by byte', async () => {
    const got = await unpack(
      Buffer.concat([SKIPPABLE, zstdCompressSync('one'), zstdCompressSync('two')]),
      Array(60).fill(1),
    );

    assert.equal(got.content.toString(), 'onetwo');
  });

  const ends: readonly (readonly [string, UnpackEnd, Uint8Array])[] = [
    ['gzip cut short', 'broken', GZIP.subarray(0, -20)],
    ['gzip without its trailer', 'broken', GZIP.subarray(0, -8)],
    ['a second member cut short', 'broken', Buffer.concat([GZIP, GZIP.subarray(0, 200)])],
    ['zstd cut short', 'broken', ZSTD.subarray(0, -3)],
    ['a second frame cut short', 'broken', Buffer.concat([ZSTD, ZSTD.subarray(0, 200)])],
    ['zeros behind gzip', 'undecided', Buffer.concat([GZIP, Buffer.alloc(100)])],
    ['other bytes behind gzip', 'undecided', Buffer.concat([GZIP, Buffer.from('trailer')])],
    ['other bytes behind zstd', 'undecided', Buffer.concat([ZSTD, Buffer.from('trailer')])],
    ['zstd that wants a larger window than we give', 'undecided', WIDE],
  ];
  for (const [name, expected, bytes] of ends) {
    it(`is ${expected} where there is ${name}`, async () => {
      assert.equal((await unpack(bytes)).end, expected);
      assert.equal((await unpack(bytes, [bytes.length >> 1])).end, expected);
    });
  }

  for (const [name, bomb] of [
    ['gzip', gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 1 })],
    ['zstd', zstdCompressSync(Buffer.alloc(64 * 1024 * 1024), { params: { [constants.ZSTD_c_compressionLevel]: 1 } })],
  ] as const) {
    it(`stops in the middle of what ${name} blows up to, when the signal says so`, async () => {
      const stop = new AbortController();
      let taken = 0;
      const unpacker = createUnpacker((piece) => {
        taken += piece.length;
        if (taken > 1024 * 1024) stop.abort();
      }, stop.signal);
      await unpacker.write(bomb);
      await unpacker.end();
      unpacker.close();

      assert.ok(taken < 8 * 1024 * 1024, `unpacked ${taken} bytes`);
    });
  }
});
