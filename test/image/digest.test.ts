import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { digestAlgorithm, parseDigest, shortDigest } from '../../webhook/image/digest.ts';

const hex = (length: number): string => '0f'.repeat(length / 2);

describe('parseDigest', () => {
  for (const text of [`sha256:${hex(64)}`, `sha384:${hex(96)}`, `sha512:${hex(128)}`]) {
    it(`takes ${text.slice(0, 6)} of the exact length, which node:crypto knows by the same name`, () => {
      const digest = parseDigest(text);

      assert.ok(digest.ok);
      assert.equal(digest.value, text);
      const made = createHash(digestAlgorithm(digest.value)).digest('hex');
      assert.equal(made.length, text.length - 7);
      assert.equal(shortDigest(digest.value), `${text.slice(0, 6)}:0f0f0f0f0f0f`);
    });
  }

  const refused: readonly (readonly [text: string, error: string])[] = [
    [`sha256:${hex(62)}f`, 'invalid checksum digest length'],
    [`sha256:${hex(66)}`, 'invalid checksum digest length'],
    [`sha512:${hex(64)}`, 'invalid checksum digest length'],
    [`sha256:${hex(64).toUpperCase()}`, 'invalid checksum digest format'],
    [`sha256:${hex(62)}g0`, 'invalid checksum digest format'],
    [`SHA256:${hex(64)}`, 'unsupported digest algorithm'],
    [`md5:${hex(32)}`, 'unsupported digest algorithm'],
    [`__proto__:${hex(64)}`, 'unsupported digest algorithm'],
    [`constructor:${hex(64)}`, 'unsupported digest algorithm'],
    ['', 'invalid checksum digest format'],
    ['sha256', 'invalid checksum digest format'],
    ['sha256:', 'invalid checksum digest format'],
    [`:${hex(64)}`, 'invalid checksum digest format'],
    [`sha256:${hex(64)}\n`, 'invalid checksum digest format'],
    [` sha256:${hex(64)}`, 'invalid checksum digest format'],
    [`sha256:${hex(32)}/../${hex(26)}`, 'invalid checksum digest format'],
    ['a'.repeat(1024 * 1024), 'invalid checksum digest format'],
  ];
  for (const [text, error] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 30))} of ${text.length} characters: ${error}`, () => {
      assert.deepEqual(parseDigest(text), { ok: false, error });
    });
  }

  it('lets through what is safe in a path and nothing else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `sha256:${text}`),
        ),
        (text) => {
          const digest = parseDigest(text);
          return !digest.ok || /^sha(?:256|384|512):[0-9a-f]+$/u.test(digest.value);
        },
      ),
      { numRuns: 500 },
    );
  });
});
