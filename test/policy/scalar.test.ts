import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { formatDuration, parseDuration } from '../../webhook/policy/duration.ts';
import { quote } from '../../webhook/policy/quote.ts';
import { nearestWord } from '../../webhook/policy/spelling.ts';
import { parseThroughput } from '../../webhook/policy/throughput.ts';
import { anyText } from '../support/any-text.ts';

describe('parseDuration', () => {
  const GOOD: Readonly<Record<string, number>> = {
    '3500ms': 3500,
    '2s': 2000,
    '1.5s': 1500,
    '1m30s': 90_000,
    '1h': 3_600_000,
    '0s': 0,
  };
  for (const [text, millis] of Object.entries(GOOD)) {
    it(`reads ${text} as ${millis} ms`, () => {
      assert.deepEqual(parseDuration(text), { ok: true, value: millis });
    });
  }

  for (const text of ['', '2', '2 s', '-1s', 's', '1s ', '1d', '1ns', '١s', '1s'.repeat(5)]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(parseDuration(text).ok, false);
    });
  }

  it('reads what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000_000 }), (millis) => {
        assert.deepEqual(parseDuration(formatDuration(millis)), { ok: true, value: millis });
      }),
    );
  });
});

describe('parseThroughput', () => {
  const GOOD: Readonly<Record<string, number>> = {
    '20MB/s': 20_000_000,
    '100Mbit/s': 12_500_000,
    '1.5 GB/s': 1_500_000_000,
    '8MiB/s': 8_388_608,
    '800B/s': 800,
    '64kbit/s': 8000,
  };
  for (const [text, bytes] of Object.entries(GOOD)) {
    it(`reads ${text} as ${bytes} bytes a second`, () => {
      assert.deepEqual(parseThroughput(text), { ok: true, value: bytes });
    });
  }

  for (const text of ['', '20', '20MB', '20Mb/s', '20mb/s', '0MB/s', '-1MB/s', '1bit/s', 'MB/s', '1e3MB/s']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(parseThroughput(text).ok, false);
    });
  }
});

describe('quote', () => {
  it('is printable ASCII on one line whatever it quotes', () => {
    fc.assert(
      fc.property(anyText(200), (text) => {
        assert.match(quote(text), /^"[ -~]*"$/u);
      }),
    );
  });

  it('never shows the inside of a PEM block', () => {
    assert.equal(quote('x -----BEGIN PRIVATE KEY-----\nMIIE'), '"x -----BEGIN..."');
  });
});

describe('nearestWord', () => {
  const KNOWN = ['exempt', 'mode', 'rules', 'nodes', 'tag-not-found', 'controllerPods'];
  const CASES: Readonly<Record<string, string | undefined>> = {
    exmept: 'exempt',
    rule: 'rules',
    node: 'nodes',
    TagNotFound: 'tag-not-found',
    'controller-pods': 'controllerPods',
    password: undefined,
    x: undefined,
  };
  for (const [word, near] of Object.entries(CASES)) {
    it(`takes ${word} for ${near}`, () => {
      assert.equal(nearestWord(word, KNOWN), near);
    });
  }
});
