import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { field, listed, quote, shortenEnd, shortenMiddle, toPrintable } from '../../webhook/outcome/printable.ts';
import { formatBytes, formatDuration, formatRate } from '../../webhook/outcome/quantity.ts';
import { anyText } from '../support/any-text.ts';

describe('printable text', () => {
  const ROWS: readonly (readonly [string, string])[] = [
    ['plain', 'plain'],
    [' a\t\r\n b ', 'a b'],
    ['caf\u00e9 \u{1f600}', 'caf? ?'],
    ['\u001b[31mred\u0007', '?[31mred?'],
    ['a\u2028b\u00a0c', 'a b c'],
  ];
  for (const [text, expected] of ROWS) {
    it(`turns ${JSON.stringify(text)} into ${JSON.stringify(expected)}`, () => {
      assert.equal(toPrintable(text), expected);
    });
  }

  it('is printable for any input, and left as it is the second time', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        const once = toPrintable(text);

        assert.match(once, /^[\x20-\x7e]*$/u);
        assert.equal(toPrintable(once), once);
      }),
    );
  });

  it('keeps both ends of what is too long', () => {
    assert.equal(shortenMiddle('registry.example/team/app:1.2.3', 15), 'regist...:1.2.3');
    assert.equal(shortenEnd('registry.example', 10), 'registr...');
    assert.equal(shortenMiddle('short', 5), 'short');
  });

  it('is never longer than asked', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 30 }), (text, max) => {
        assert.ok(shortenMiddle(text, max).length <= max);
        assert.ok(shortenEnd(text, max).length <= max);
        assert.ok(field(text, max).length <= max);
      }),
    );
  });

  it('cannot break out of its quotes', () => {
    assert.equal(quote('a" is fine. "b', 40), `"a' is fine. 'b"`);
  });

  it('counts what a list leaves out', () => {
    assert.equal(listed(['a', 'b', 'c', 'd', 'e', 'f']), 'a, b, c, d and 2 more');
    assert.equal(listed(['a', 'b'], 2), 'a, b');
  });
});

describe('quantities', () => {
  const BYTES: readonly (readonly [number, string])[] = [
    [0, '0 B'],
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [1_048_575, '1 MiB'],
    [4_402_341_478, '4.1 GiB'],
    [31_457_280, '30 MiB'],
    [-5, '0 B'],
    [Number.NaN, '0 B'],
  ];
  for (const [bytes, expected] of BYTES) {
    it(`writes ${bytes} bytes as ${expected}`, () => assert.equal(formatBytes(bytes), expected));
  }

  const DURATIONS: readonly (readonly [number, string])[] = [
    [0, '0 s'],
    [1.25, '1.3 s'],
    [45, '45 s'],
    [120, '2 min'],
    [210, '3.5 min'],
    [600, '10 min'],
    [7200, '2 h'],
    [200_000, '2.3 days'],
    [Infinity, 'forever'],
  ];
  for (const [seconds, expected] of DURATIONS) {
    it(`writes ${seconds} seconds as ${expected}`, () => assert.equal(formatDuration(seconds), expected));
  }

  it('writes rates in powers of 1000', () => {
    assert.equal(formatRate(20_000_000), '20 MB/s');
    assert.equal(formatRate(1500), '1.5 kB/s');
  });
});
