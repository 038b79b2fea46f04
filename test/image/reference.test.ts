import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { canonicalName, manifestKey, parseReference } from '../../webhook/image/reference.ts';
import { anyText } from '../support/any-text.ts';

const hex = (length: number): string => 'a1'.repeat(length / 2);
const SHA256 = `sha256:${hex(64)}`;
const SHA384 = `sha384:${hex(96)}`;
const SHA512 = `sha512:${hex(128)}`;
const FORMAT = /^invalid reference format/u;
const LOWER = /must be lowercase$/u;

/** Pull-parity part A: what is written, and the host, path, tag and digest that the kubelet's own code reads. */
type Read = readonly [
  number: number,
  image: string,
  host: string,
  path: string,
  tag: string | undefined,
  digest?: string,
];
const VALID: readonly Read[] = [
  [1, 'nginx', 'docker.io', 'library/nginx', 'latest'],
  [2, 'nginx:latest', 'docker.io', 'library/nginx', 'latest'],
  [3, 'library/nginx', 'docker.io', 'library/nginx', 'latest'],
  [4, 'docker.io/nginx', 'docker.io', 'library/nginx', 'latest'],
  [5, 'docker.io/library/nginx', 'docker.io', 'library/nginx', 'latest'],
  [6, 'index.docker.io/nginx', 'docker.io', 'library/nginx', 'latest'],
  [7, 'nginx:1.25', 'docker.io', 'library/nginx', '1.25'],
  [8, 'nginx:Latest', 'docker.io', 'library/nginx', 'Latest'],
  [9, 'me/app', 'docker.io', 'me/app', 'latest'],
  [10, 'me/team/app', 'docker.io', 'me/team/app', 'latest'],
  [11, 'localhost', 'docker.io', 'library/localhost', 'latest'],
  [12, 'localhost:5000', 'docker.io', 'library/localhost', '5000'],
  [13, 'localhost/app', 'localhost', 'app', 'latest'],
  [14, 'localhost:5000/app:v1', 'localhost:5000', 'app', 'v1'],
  [15, 'example.com', 'docker.io', 'library/example.com', 'latest'],
  [16, 'example.com:5000', 'docker.io', 'library/example.com', '5000'],
  [17, 'myregistry/app', 'docker.io', 'myregistry/app', 'latest'],
  [18, 'myregistry:5000/app', 'myregistry:5000', 'app', 'latest'],
  [19, 'MyRegistry/app', 'MyRegistry', 'app', 'latest'],
  [20, 'EXAMPLE.com/app', 'EXAMPLE.com', 'app', 'latest'],
  [21, 'registry-1.docker.io/library/nginx', 'registry-1.docker.io', 'library/nginx', 'latest'],
  [22, '127.0.0.1:5000/app', '127.0.0.1:5000', 'app', 'latest'],
  [23, '[::1]:5000/app', '[::1]:5000', 'app', 'latest'],
  [24, '[2001:db8::1]/app', '[2001:db8::1]', 'app', 'latest'],
  [25, 'a--b/app', 'docker.io', 'a--b/app', 'latest'],
  [26, 'a__b/app', 'docker.io', 'a__b/app', 'latest'],
  [27, 'a.b', 'docker.io', 'library/a.b', 'latest'],
  [28, 'a_b', 'docker.io', 'library/a_b', 'latest'],
  [29, 'ex_ample.com/app', 'ex_ample.com', 'app', 'latest'],
  [30, 'docker.io', 'docker.io', 'library/docker.io', 'latest'],
  [31, 'latest', 'docker.io', 'library/latest', 'latest'],
  [32, 'scratch', 'docker.io', 'library/scratch', 'latest'],
  [33, 'nginx:_x', 'docker.io', 'library/nginx', '_x'],
  [34, `nginx@${SHA256}`, 'docker.io', 'library/nginx', undefined, SHA256],
  [35, `nginx:1.25@${SHA256}`, 'docker.io', 'library/nginx', '1.25', SHA256],
  [36, `nginx:latest@${SHA256}`, 'docker.io', 'library/nginx', 'latest', SHA256],
  [37, `nginx@${SHA512}`, 'docker.io', 'library/nginx', undefined, SHA512],
  [38, `nginx@${SHA384}`, 'docker.io', 'library/nginx', undefined, SHA384],
  // the rest of part A's prose
  [81, 'xn--bcher-kva.example/app', 'xn--bcher-kva.example', 'app', 'latest'],
  [84, `library/${hex(64)}`, 'docker.io', `library/${hex(64)}`, 'latest'],
  [84, SHA256, 'docker.io', 'library/sha256', hex(64)],
  [86, 'h/'.padEnd(255, 'a'), 'docker.io', 'h/'.padEnd(255, 'a'), 'latest'],
  [86, 'a'.repeat(247), 'docker.io', `library/${'a'.repeat(247)}`, 'latest'],
  [86, `h_h.example/${'a'.repeat(243)}`, 'h_h.example', 'a'.repeat(243), 'latest'],
  [86, `h.example/${'a'.repeat(255)}`, 'h.example', 'a'.repeat(255), 'latest'],
  [86, 'h.example:99999/app', 'h.example:99999', 'app', 'latest'],
];

const INVALID: readonly (readonly [number: number, image: string, error: RegExp])[] = [
  [39, `nginx@sha256:${hex(62)}a`, /^invalid checksum digest length$/u],
  [40, `nginx@sha256:${hex(64).toUpperCase()}`, /^invalid checksum digest format$/u],
  [41, `nginx@md5:${hex(32)}`, /^unsupported digest algorithm$/u],
  [42, `nginx@SHA256:${hex(64)}`, LOWER],
  [43, 'Nginx', /^invalid reference format: repository name \(library\/Nginx\) must be lowercase$/u],
  [44, 'example.com/App', /^invalid reference format: repository name \(App\) must be lowercase$/u],
  [45, 'ghcr.io/Org/App:1', /repository name \(Org\/App\) must be lowercase$/u],
  [46, '$(IMAGE)', LOWER],
  [47, '${IMAGE}', LOWER],
  [48, 'nginx:', FORMAT],
  [49, 'nginx@', FORMAT],
  [50, ':tag', FORMAT],
  [51, 'nginx:-rc', FORMAT],
  [52, 'nginx:.x', FORMAT],
  [53, `nginx:${'t'.repeat(129)}`, FORMAT],
  [54, 'nginx@sha256', FORMAT],
  [55, `x@${SHA256}:tag`, /^invalid reference format$/u],
  [55, 'x@sha256:abc', /^invalid reference format$/u],
  [56, 'https://example.com/app', FORMAT],
  [57, 'docker://example.com/app', FORMAT],
  [58, 'oci://example.com/app', FORMAT],
  [59, 'example.com//app', FORMAT],
  [60, 'example.com/app/', FORMAT],
  [61, '/app', FORMAT],
  [62, 'example.com/a:b/c', FORMAT],
  [63, 'x:1:2', FORMAT],
  [64, ' nginx', FORMAT],
  [65, 'ngi nx', FORMAT],
  [66, 'nginx\n', FORMAT],
  [67, 'user@host/app', FORMAT],
  [68, 'h/app?x', FORMAT],
  [69, 'h/app#1', FORMAT],
  [70, 'h:port/app', FORMAT],
  [71, 'h:/app', FORMAT],
  [72, 'a___b', FORMAT],
  [73, 'a..b', FORMAT],
  [74, 'a._b', FORMAT],
  [75, '-a', FORMAT],
  [76, 'a-', FORMAT],
  [77, '_a', FORMAT],
  [78, '-h.com/app', FORMAT],
  [79, 'h.com./app', FORMAT],
  [80, '.h.com/app', FORMAT],
  [81, 'bücher.example/app', FORMAT],
  [82, '[fe80::1%25eth0]:5000/app', FORMAT],
  [83, '::1/app', FORMAT],
  [84, hex(64), /^invalid repository name \([0-9a-f]{64}\), cannot specify 64-byte hexadecimal strings$/u],
  [85, 'docker.io/', FORMAT],
  [86, `h/${'a'.repeat(256)}`, /^repository name must not be more than 255 characters$/u],
  [86, `h.example/${'a'.repeat(256)}`, /^repository name must not be more than 255 characters$/u],
  [86, `h_h.example/${'a'.repeat(244)}`, /^repository name must not be more than 255 characters$/u],
  [86, 'a'.repeat(248), /^repository name must not be more than 255 characters$/u],
  // security bar A1, A4, A6 to A10
  [0, '', FORMAT],
  [0, 'nginx'.repeat(200_000), /^repository name must not be more than 255 characters$/u],
  [0, 'nginx\r', FORMAT],
  [0, 'nginx\0', FORMAT],
  [0, 'ngi\u202Enx', FORMAT],
  [0, 'ngi\u0085nx', FORMAT],
  [0, 'reg.io/../../v2/_catalog', FORMAT],
  [0, 'reg.io/%2e%2e/v2', FORMAT],
  [0, String.raw`reg.io\app`, FORMAT],
  [0, 'u:p@evil.example/app', FORMAT],
  [0, 'reg\u3002example/app', FORMAT],
  [0, 'reg\uFF0Eexample/app', FORMAT],
  [0, 'rеg.example/app', FORMAT],
  [0, 'reg.example./app', FORMAT],
];

describe('parseReference', () => {
  for (const [number, image, host, path, tag, digest] of VALID) {
    it(`reads example ${number}, ${show(image)}, as the kubelet does`, () => {
      const parsed = parseReference(image);

      assert.ok(parsed.ok, JSON.stringify(parsed));
      const { host: readHost, path: readPath, tag: readTag, digest: readDigest } = parsed.value;
      assert.deepEqual([readHost, readPath, readTag, readDigest], [host, path, tag, digest]);
      assert.equal(parsed.value.original, image);
    });
  }

  for (const [number, image, error] of INVALID) {
    it(`refuses example ${number}, ${show(image)}, with the parser's sentence`, () => {
      const parsed = parseReference(image);

      assert.ok(!parsed.ok);
      assert.match(parsed.error, error);
    });
  }

  it('has every number of part A in its tables', () => {
    const numbers = new Set([...VALID, ...INVALID].map(([number]) => number));

    assert.deepEqual(
      Array.from({ length: 86 }, (_, at) => at + 1).filter((number) => !numbers.has(number)),
      [],
    );
  });

  it('knows which names no registry was written for', () => {
    const short = ['nginx', 'me/app', 'localhost:5000', 'ex_ample.com/app'];
    for (const image of [...short, 'docker.io/nginx', 'localhost/app', 'reg.io/app']) {
      const parsed = parseReference(image);
      const isShortName = short.includes(image);
      assert.equal(parsed.ok && parsed.value.isShortName, isShortName, image);
    }
  });

  it('takes ports that nothing can be dialled at, which fail later', () => {
    for (const port of ['0', '65536', '99999999999']) assert.ok(parseReference(`reg.io:${port}/app`).ok, port);
  });

  it('takes addresses as they are written and never folds them', () => {
    for (const host of ['2130706433:5000', '0x7f.1', '0177.0.0.1', '127.1', '[::ffff:a9fe:a9fe]']) {
      const parsed = parseReference(`${host}/x`);
      assert.equal(parsed.ok && parsed.value.host, host);
    }
  });

  for (const probe of ['a/', 'a-_.', ':@:@', 'a.', '-', '[', '__', 'a-', '@sha256:']) {
    it(`gives up at once on a mebibyte of ${show(probe)}`, () => {
      for (const length of [64 * 1024, 1024 * 1024]) {
        const hostile = probe.repeat(length / probe.length);
        for (const image of [hostile, `reg.io/${hostile}`, `${hostile}/app`, `app:${hostile}`]) {
          assert.ok(!parseReference(image).ok);
        }
      }
    });
  }

  it('does not backtrack within the length that it reads', () => {
    for (const image of [
      'a-'.repeat(370),
      `${'a.'.repeat(370)}!`,
      `${'a-'.repeat(120)}!/x`,
      `x/${'a--'.repeat(80)}_`,
    ]) {
      assert.ok(!parseReference(image).ok, image.slice(0, 20));
    }
  });
});

describe('canonicalName', () => {
  it('writes every part in full, and the digest in the place of the tag', () => {
    const names = ['nginx', 'reg.io:5000/a/b:1', `nginx:1@${SHA256}`].map((image) => {
      const parsed = parseReference(image);
      return parsed.ok ? [canonicalName(parsed.value), manifestKey(parsed.value)] : [];
    });

    assert.deepEqual(names, [
      ['docker.io/library/nginx:latest', 'latest'],
      ['reg.io:5000/a/b:1', '1'],
      [`docker.io/library/nginx@${SHA256}`, SHA256],
    ]);
  });
});

const PIECES = [
  'a',
  'nginx',
  '/',
  '.',
  '_',
  '__',
  '-',
  ':',
  '@',
  'A',
  'localhost',
  'docker.io',
  '5000',
  SHA256,
  '[::1]',
];
const likely = fc.array(fc.constantFrom(...PIECES, 'é', '\n', ' ', '%', 'library'), { maxLength: 9 });
const anyImage = fc.oneof(
  likely.map((pieces) => pieces.join('')),
  fc.string(),
  anyText(),
);

describe('any image string', () => {
  it('is read or refused, never thrown at', () => {
    fc.assert(
      fc.property(anyImage, (image) => {
        const parsed = parseReference(image);
        return parsed.ok ? parsed.value.original === image : parsed.error.length > 0;
      }),
      { numRuns: 1000 },
    );
  });

  it('means the same once it is written in full', () => {
    fc.assert(
      fc.property(anyImage, (image) => {
        const parsed = parseReference(image);
        if (!parsed.ok) return;
        const again = parseReference(canonicalName(parsed.value));

        assert.ok(again.ok, canonicalName(parsed.value));
        const { host, path, tag, digest } = parsed.value;
        assert.deepEqual([again.value.host, again.value.path, again.value.digest], [host, path, digest]);
        if (digest === undefined) assert.equal(again.value.tag, tag);
      }),
      { numRuns: 1000 },
    );
  });

  it('yields only what may stand in a URL as it is', () => {
    fc.assert(
      fc.property(anyImage, (image) => {
        const parsed = parseReference(image);
        if (!parsed.ok) return;
        assert.match(parsed.value.host, /^[A-Za-z0-9._:[\]-]+$/u);
        assert.match(parsed.value.path, /^[a-z0-9._/-]+$/u);
        assert.match(manifestKey(parsed.value), /^[\w.:-]+$/u);
        assert.ok(!parsed.value.path.split('/').some((component) => /^\.*$/u.test(component)));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a very long image string', () => {
  for (const piece of [
    'a',
    'a/',
    'a.',
    'a-',
    '-',
    '_',
    '__',
    ':',
    '@',
    'A',
    '[',
    '[::1]',
    '1',
    `@${SHA256}`,
    '\u00e9',
    ' ',
  ]) {
    it(`is refused in time linear enough: many ${JSON.stringify(piece)}`, { timeout: 20_000 }, () => {
      const long = piece.repeat(Math.ceil(300_000 / piece.length));

      for (const image of [long, `reg.test/${long}`, `reg.test:5000/a:${long}`, `a@${long}`, `${long}.`, `${long}/a`]) {
        assert.equal(parseReference(image).ok, false);
      }
    });
  }
});

function show(image: string): string {
  const text = JSON.stringify(image);
  return text.length > 60 ? `${text.slice(0, 40)}... (${image.length})` : text;
}
