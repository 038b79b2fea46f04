import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  formatPlatform,
  isSamePlatform,
  normalizePlatform,
  parsePlatform,
  spellPlatform,
} from '../../webhook/image/platform.ts';

/** Pull-parity F1, checked against containerd's own platforms package. */
const NORMALIZED: readonly (readonly [written: string, normalized: string])[] = [
  ['linux/amd64', 'linux/amd64'],
  ['Linux/AMD64', 'linux/amd64'],
  ['linux/x86_64', 'linux/amd64'],
  ['linux/x86-64', 'linux/amd64'],
  ['linux/x86_64/v1', 'linux/amd64'],
  ['linux/amd64/v1', 'linux/amd64'],
  ['linux/amd64/v2', 'linux/amd64/v2'],
  ['linux/amd64/1', 'linux/amd64/1'],
  ['linux/i386', 'linux/386'],
  ['linux/i386/x', 'linux/386'],
  ['linux/386', 'linux/386'],
  ['linux/aarch64', 'linux/arm64'],
  ['linux/arm64/v8', 'linux/arm64'],
  ['linux/arm64/8', 'linux/arm64'],
  ['linux/arm64/V9', 'linux/arm64/v9'],
  ['linux/arm', 'linux/arm/v7'],
  ['linux/arm/7', 'linux/arm/v7'],
  ['linux/arm/5', 'linux/arm/v5'],
  ['linux/arm/v6', 'linux/arm/v6'],
  ['linux/arm/v8', 'linux/arm/v8'],
  ['linux/armhf', 'linux/arm/v7'],
  ['linux/armhf/v6', 'linux/arm/v7'],
  ['linux/armel', 'linux/arm/v6'],
  ['linux/ppc64le', 'linux/ppc64le'],
  ['macos/arm64', 'darwin/arm64'],
  ['windows/amd64', 'windows/amd64'],
  ['unknown/unknown', 'unknown/unknown'],
  ['linux/__proto__', 'linux/__proto__'],
  ['linux/constructor', 'linux/constructor'],
];

describe('parsePlatform', () => {
  for (const [written, normalized] of NORMALIZED) {
    it(`reads ${written} as ${normalized}`, () => {
      const platform = parsePlatform(written);

      assert.ok(platform.ok);
      assert.equal(formatPlatform(platform.value), normalized);
    });
  }

  for (const text of [
    '',
    'linux',
    'linux/',
    '/amd64',
    'linux//v7',
    'linux/amd64/',
    'a/b/c/d',
    'linux/am d64',
    'l\n/x',
  ]) {
    it(`refuses ${JSON.stringify(text)} and shows the form`, () => {
      const platform = parsePlatform(text);

      assert.ok(!platform.ok);
      assert.match(platform.error, /is no platform/u);
    });
  }
});

describe('a build of Windows', () => {
  it('is written behind a colon and read back, without its revision', () => {
    const platform = parsePlatform('windows/amd64:10.0.20348.2402');

    assert.ok(platform.ok);
    assert.equal(platform.value.osVersion, '10.0.20348.2402');
    assert.equal(spellPlatform(platform.value), 'windows/amd64:10.0.20348');
    assert.equal(formatPlatform(platform.value), 'windows/amd64');
  });

  for (const text of ['windows/amd64:', 'windows/amd64:2022', 'windows/amd64:10.0.x', 'linux/amd64:10.0.20348']) {
    it(`is not ${text}`, () => {
      assert.ok(!parsePlatform(text).ok);
    });
  }
});

describe('normalizePlatform', () => {
  it('keeps an empty system and an empty version apart from a written one', () => {
    const platform = normalizePlatform({ os: '', architecture: '', variant: '', osVersion: '' });

    assert.deepEqual(platform, { os: '', architecture: '', variant: undefined, osVersion: undefined });
  });

  it('keeps the version of Windows and leaves it out of the comparison', () => {
    const old = normalizePlatform({ os: 'windows', architecture: 'amd64', osVersion: '10.0.17763.1' });
    const young = normalizePlatform({ os: 'windows', architecture: 'amd64', osVersion: '10.0.20348.1' });

    assert.equal(old.osVersion, '10.0.17763.1');
    assert.ok(isSamePlatform(old, young));
    assert.ok(!isSamePlatform(old, normalizePlatform({ os: 'linux', architecture: 'amd64' })));
  });

  it('changes nothing the second time', () => {
    const part = fc.oneof(
      fc.constantFrom('amd64', 'i386', 'armhf', 'armel', 'arm', 'arm64', 'v8', '8', 'v1', ''),
      fc.string(),
    );
    fc.assert(
      fc.property(part, part, fc.option(part, { nil: undefined }), (os, architecture, variant) => {
        const once = normalizePlatform({ os, architecture, variant });
        assert.deepEqual(normalizePlatform(once), once);
      }),
      { numRuns: 500 },
    );
  });
});
