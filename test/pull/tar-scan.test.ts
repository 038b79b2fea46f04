import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { packTar } from '../../webhook/demo/image-store.ts';
import { createTarScan, type TarEnd } from '../../webhook/pull/tar-scan.ts';
import { noise } from './layer-rig.ts';

const BLOCK = 512;
const END = Buffer.alloc(2 * BLOCK);

type Entry = {
  readonly name?: string;
  readonly type?: string;
  /** As it is written into the field; the content's length where absent. */
  readonly size?: string | Uint8Array;
  readonly content?: Uint8Array;
  /** Of GNU's sparse header: whether blocks of the map follow. */
  readonly isExtended?: boolean;
};

function entry({ name = 'file', type = '0', size, content = Buffer.alloc(0), isExtended = false }: Entry): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0);
  header.write('0000644\u00000000000\u00000000000\u0000', 100);
  header.set(Buffer.from(size ?? `${content.length.toString(8).padStart(11, '0')}\0`), 124);
  header.write('00000000000\0        ', 136);
  header.write(type, 156, 'latin1');
  header.write('ustar\u000000', 257);
  if (isExtended) header[482] = 1;
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}

/** One PAX record, with the length of all of it before it. */
function record(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  const digits = [1, 2, 3, 4].find((count) => String(rest.length + count).length === count) ?? 1;
  return Buffer.from(`${rest.length + digits}${rest}`);
}

function scan(tar: Uint8Array, pieces: readonly number[] = []): TarEnd {
  const tarScan = createTarScan();
  let at = 0;
  for (const length of pieces) {
    tarScan.write(tar.subarray(at, at + length));
    at += length;
  }
  tarScan.write(tar.subarray(at));
  return tarScan.end();
}

/** Where an archive of files with 700, 512 and no bytes may end: between files, and in the padding of the first. */
const mayEndAt = (at: number): boolean =>
  at === 0 || (at >= 512 + 700 && at <= 1536) || [2560, 3072, 3584, 4096].includes(at);

const CONTENT = noise(1_300);
const MAP_ENDS = Buffer.alloc(BLOCK);
const MAP_GOES_ON = Buffer.alloc(BLOCK, 1);

describe('the scan of a tar stream', () => {
  const cases: readonly (readonly [string, Uint8Array, TarEnd])[] = [
    ['nothing at all', Buffer.alloc(0), 'whole'],
    ['files and an end', Buffer.concat([entry({ content: CONTENT }), entry({}), END]), 'whole'],
    ['no zero blocks at its end', entry({ content: CONTENT }), 'whole'],
    ['one zero block at its end', Buffer.concat([entry({}), Buffer.alloc(BLOCK)]), 'whole'],
    ['anything behind its end', Buffer.concat([entry({}), END, noise(700)]), 'whole'],
    ['a last file without its padding', entry({ content: CONTENT }).subarray(0, BLOCK + CONTENT.length), 'whole'],
    [
      'a size in base 256',
      Buffer.concat([entry({ size: Buffer.from('800000000000000000000514', 'hex'), content: CONTENT }), END]),
      'whole',
    ],
    ['a size in blanks', Buffer.concat([entry({ size: '         12 ', content: Buffer.alloc(10) }), END]), 'whole'],
    [
      'a link that has a size and no content',
      Buffer.concat([entry({ type: '1', size: '00000002424\0' }), END]),
      'whole',
    ],
    [
      'a directory of the oldest kind',
      Buffer.concat([entry({ name: 'd/', type: '\0', size: '00000002424\0' }), END]),
      'whole',
    ],
    [
      'a long name',
      Buffer.concat([entry({ type: 'L', content: Buffer.from('n'.repeat(600)) }), entry({ content: CONTENT }), END]),
      'whole',
    ],
    [
      "GNU's sparse map over two blocks",
      Buffer.concat([
        entry({ type: 'S', isExtended: true, size: '00000002424\0' }),
        MAP_GOES_ON,
        MAP_ENDS,
        CONTENT,
        Buffer.alloc(236),
        END,
      ]),
      'whole',
    ],
    [
      'a size in PAX records',
      Buffer.concat([
        entry({ type: 'x', content: record('size', '1300') }),
        entry({ size: '00000000000\0', content: CONTENT }),
        END,
      ]),
      'whole',
    ],
    [
      'PAX records of the archive, which are about no file',
      Buffer.concat([entry({ type: 'g', content: record('size', '9') }), entry({ content: CONTENT }), END]),
      'whole',
    ],
    [
      'records for the second file after a long name',
      Buffer.concat([
        entry({ type: 'x', content: record('size', '1300') }),
        entry({ type: 'K', content: Buffer.from('n') }),
        entry({ size: '00000000000\0', content: CONTENT }),
        END,
      ]),
      'whole',
    ],
    [
      'PAX records that are none',
      Buffer.concat([entry({ type: 'x', content: Buffer.from('nonsense\n') }), entry({}), END]),
      'invalid-header',
    ],
    [
      'a PAX size that is no number',
      Buffer.concat([entry({ type: 'x', content: record('size', '12k') }), entry({}), END]),
      'invalid-header',
    ],
    ['a size that is no number', Buffer.concat([entry({}), entry({ size: '0000000zz00\0' }), END]), 'invalid-header'],
    [
      'a size below zero',
      Buffer.concat([entry({}), entry({ size: Buffer.from('ffffffffffffffffffffffff', 'hex') }), END]),
      'invalid-header',
    ],
    ['a file after a single zero block', Buffer.concat([entry({}), Buffer.alloc(BLOCK), entry({})]), 'invalid-header'],
    ['no header', noise(2_000), 'no-tar'],
    ['less than a header', Buffer.from('#!/bin/sh\n'), 'no-tar'],
    ['a header cut off', Buffer.concat([entry({}), entry({})]).subarray(0, 700), 'unexpected-end'],
    ['a sparse map cut off', entry({ type: 'S', isExtended: true }), 'unexpected-end'],
    [
      'PAX records cut off',
      entry({ type: 'x', content: record('path', 'p'.repeat(300)) }).subarray(0, 600),
      'unexpected-end',
    ],
    ['a file cut off', entry({ content: CONTENT }).subarray(0, 1_000), 'unexpected-end'],
  ];
  for (const [name, tar, expected] of cases) {
    it(`finds ${expected} where there is ${name}`, () => assert.equal(scan(tar), expected));
  }

  it('comes to the same end in whatever pieces it gets it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...cases),
        fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 40 }),
        ([, tar, expected], pieces) => {
          assert.equal(scan(tar, pieces), expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is whole after a whole file and in its padding, cut short anywhere else', () => {
    const tar = packTar({ one: noise(700), two: noise(512), three: '' });
    for (let at = 0; at <= tar.length; at += 1) {
      assert.equal(scan(tar.subarray(0, at)) === 'whole', mayEndAt(at), `cut at ${at}`);
    }
  });
});
