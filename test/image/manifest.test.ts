import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isWithinBounds } from '../../webhook/image/go-json.ts';
import { decodeImageConfig } from '../../webhook/image/image-config.ts';
import { decodeManifest } from '../../webhook/image/manifest.ts';
import { DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, OCI_INDEX, OCI_MANIFEST } from '../../webhook/image/media-type.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const descriptor = (more: object = {}): object => ({ mediaType: LAYER, digest: DIGEST, size: 7, ...more });
const bytes = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const manifest = (more: object = {}): object => ({
  schemaVersion: 2,
  config: descriptor(),
  layers: [descriptor()],
  ...more,
});
const index = (more: object = {}): object => ({ schemaVersion: 2, manifests: [descriptor()], ...more });

describe('decodeManifest', () => {
  for (const type of [OCI_MANIFEST, DOCKER_MANIFEST]) {
    it(`reads a manifest served as ${type}`, () => {
      const decoded = decodeManifest(bytes(manifest({ mediaType: type })), type);

      assert.ok(decoded.ok && decoded.value.kind === 'manifest');
      assert.equal(decoded.value.mediaType, type);
      assert.equal(decoded.value.config.digest, DIGEST);
      assert.deepEqual(decoded.value.layers, [
        { mediaType: LAYER, digest: DIGEST, size: 7, urls: [], platform: undefined },
      ]);
    });
  }

  for (const type of [OCI_INDEX, DOCKER_MANIFEST_LIST]) {
    it(`reads an index served as ${type}, with each entry's platform normalised`, () => {
      const entries = [descriptor({ platform: { os: 'linux', architecture: 'aarch64' } }), descriptor()];
      const decoded = decodeManifest(bytes(index({ manifests: entries })), type);

      assert.ok(decoded.ok && decoded.value.kind === 'index');
      assert.deepEqual(
        decoded.value.manifests.map(({ platform }) => platform?.architecture),
        ['arm64', undefined],
      );
    });
  }

  it('leaves an entry of an index that nobody can follow to those who would follow it', () => {
    const odd = ['', 'md5:00', `sha256:${'AB'.repeat(32)}`].map((digest) => descriptor({ digest }));
    const entries = [descriptor(), ...odd, descriptor({ size: 2 ** 53 })];
    const decoded = decodeManifest(bytes(index({ manifests: entries })), OCI_INDEX);

    assert.ok(decoded.ok && decoded.value.kind === 'index');
    assert.deepEqual(
      decoded.value.manifests.map((entry) => entry.digest ?? entry.problem.replace(/ \(.*/u, '')),
      [
        DIGEST,
        ...[1, 2, 3].map((at) => `its "manifests[${at}].digest" is no digest`),
        'its "manifests[4].size" is too large',
      ],
    );
  });

  it('heeds no case in names, as Go does', () => {
    const config = { MediaType: LAYER, DIGEST, sIze: 7 };
    const decoded = decodeManifest(bytes({ SchemaVersion: 2, Config: config, LAYERS: [config] }), OCI_MANIFEST);

    assert.ok(decoded.ok && decoded.value.kind === 'manifest');
    assert.deepEqual(decoded.value.config, decoded.value.layers[0]);
    assert.equal(decoded.value.config.size, 7);
    assert.ok(!decodeManifest(bytes(manifest({ Manifests: [] })), OCI_MANIFEST).ok);
  });

  it('keeps where a foreign layer may be fetched', () => {
    const layers = [descriptor({ urls: ['https://elsewhere.example/layer'] })];
    const decoded = decodeManifest(bytes(manifest({ layers })), OCI_MANIFEST);

    assert.ok(decoded.ok && decoded.value.kind === 'manifest');
    assert.deepEqual(decoded.value.layers[0]?.urls, ['https://elsewhere.example/layer']);
  });

  const odd: readonly (readonly [problem: string, body: object, type: string])[] = [
    ['a size in it is below zero', manifest({ config: descriptor({ size: -1 }) }), OCI_MANIFEST],
    ['a size in it is below zero', index({ manifests: [descriptor({ size: -1 })] }), OCI_INDEX],
    ['its "manifests" hold null', index({ manifests: [descriptor(), null] }), OCI_INDEX],
    ['its "manifests" is null', manifest({ manifests: null }), OCI_MANIFEST],
    ['its "fsLayers" is null', manifest({ fsLayers: null }), OCI_MANIFEST],
    ['its "config" is null', index({ config: null }), OCI_INDEX],
    ['its "layers" is null', index({ layers: null }), OCI_INDEX],
    ['"schemaVersion" in it is not a whole number', manifest({ schemaVersion: '2' }), OCI_MANIFEST],
    ['"mediaType" in it is not text', manifest({ mediaType: 5 }), OCI_MANIFEST],
    ['"annotations" in it is not an object of texts', manifest({ annotations: 5 }), OCI_MANIFEST],
    ['"annotations" in it is not an object of texts', manifest({ annotations: { a: 5 } }), OCI_MANIFEST],
    ['"subject" in it is not an object', index({ subject: [] }), OCI_INDEX],
    ['"urls" in it is not a list of texts', manifest({ layers: [descriptor({ urls: ['a', 5] })] }), OCI_MANIFEST],
    ['"data" in it is not base64', manifest({ config: descriptor({ data: 'AAA' }) }), OCI_MANIFEST],
    ['"urls" in it is not a list of texts', index({ subject: descriptor({ urls: 5 }) }), OCI_INDEX],
    ['"variant" in it is not text', index({ manifests: [descriptor({ platform: { variant: 8 } })] }), OCI_INDEX],
    ['"platform" in it is not an object', index({ manifests: [descriptor({ platform: 'linux' })] }), OCI_INDEX],
    [
      '"os.features" in it is not a list of texts',
      index({ manifests: [descriptor({ platform: { os: 'linux', 'os.features': 'a' } })] }),
      OCI_INDEX,
    ],
  ];
  for (const [problem, body, type] of odd) {
    it(`says of ${JSON.stringify(body).slice(0, 60)} that not every runtime reads it: ${problem}`, () => {
      assert.deepEqual(decodeManifest(bytes(body), type), { ok: false, error: { kind: 'odd', problem } });
    });
  }

  it('tells what is something else from what is that too', () => {
    const kindOf = (body: object, type: string): string => {
      const decoded = decodeManifest(bytes(body), type);
      return decoded.ok ? 'sound' : decoded.error.kind;
    };

    assert.equal(kindOf(manifest(), OCI_INDEX), 'mistyped');
    assert.equal(kindOf(index(), OCI_MANIFEST), 'mistyped');
    assert.equal(kindOf(manifest({ manifests: [] }), OCI_MANIFEST), 'ambiguous');
    assert.equal(kindOf(index({ layers: [] }), OCI_INDEX), 'ambiguous');
    assert.equal(kindOf(index({ mediaType: OCI_MANIFEST }), OCI_INDEX), 'ambiguous');
  });

  it('takes null for a field that is left out', () => {
    const nothing = { annotations: null, subject: null, mediaType: null };

    assert.ok(decodeManifest(bytes(manifest({ ...nothing, layers: [descriptor({ urls: null })] })), OCI_MANIFEST).ok);
    assert.ok(decodeManifest(bytes(index(nothing)), OCI_INDEX).ok);
  });

  it('takes an index without entries and a manifest without layers, as runtimes do', () => {
    for (const none of [undefined, null, []]) {
      assert.ok(decodeManifest(bytes(index({ manifests: none })), OCI_INDEX).ok);
      assert.ok(decodeManifest(bytes(manifest({ layers: none })), OCI_MANIFEST).ok);
    }
  });

  const MANIFEST_INSIDE = 'it was served as an index but is a manifest';
  const SCHEMA1_INSIDE = 'it is a schema 1 manifest inside';
  const INDEX_INSIDE = 'it was served as a manifest but is an index';
  const refused: readonly (readonly [title: string, body: unknown, type: string, error: string | RegExp])[] = [
    ['a manifest served as an index', manifest(), OCI_INDEX, MANIFEST_INSIDE],
    ['an index with layers', index({ layers: [] }), OCI_INDEX, MANIFEST_INSIDE],
    ['an index with a config', index({ config: {} }), DOCKER_MANIFEST_LIST, MANIFEST_INSIDE],
    ['an index that calls itself a manifest', index({ mediaType: DOCKER_MANIFEST }), OCI_INDEX, MANIFEST_INSIDE],
    ['an index served as a manifest', index(), OCI_MANIFEST, INDEX_INSIDE],
    ['a manifest with manifests', manifest({ manifests: [] }), OCI_MANIFEST, INDEX_INSIDE],
    ['a manifest that calls itself an index', manifest({ mediaType: OCI_INDEX }), DOCKER_MANIFEST, INDEX_INSIDE],
    ['schema 1 served as a manifest', { fsLayers: [] }, OCI_MANIFEST, SCHEMA1_INSIDE],
    ['schema 1 beside an index', index({ fsLayers: [{}] }), OCI_INDEX, SCHEMA1_INSIDE],
    ['nothing', '', OCI_MANIFEST, 'it is not JSON'],
    ['HTML', '<html></html>', OCI_MANIFEST, 'it is not JSON'],
    ['JSON cut short', JSON.stringify(manifest()).slice(0, -1), OCI_MANIFEST, 'it is not JSON'],
    ['JSON with more after it', `${JSON.stringify(manifest())}{}`, OCI_MANIFEST, 'it is not JSON'],
    ['a byte order mark', `\uFEFF${JSON.stringify(manifest())}`, OCI_MANIFEST, 'it is not JSON'],
    ['a list', '[]', OCI_MANIFEST, 'it is not a JSON object'],
    ['null', 'null', OCI_INDEX, 'it is not a JSON object'],
    ['a number', '5', OCI_MANIFEST, 'it is not a JSON object'],
    ['a manifest without a config', { layers: [] }, OCI_MANIFEST, /^its "config" is missing/u],
    ['a config that is a list', manifest({ config: [] }), OCI_MANIFEST, /^its "config" is missing or not an object$/u],
    [
      'a config without a digest',
      manifest({ config: { size: 1 } }),
      OCI_MANIFEST,
      /^its "config\.digest" is no digest/u,
    ],
    ['layers that are no list', manifest({ layers: {} }), OCI_MANIFEST, 'its "layers" is not a list'],
    ['a layer that is a string', manifest({ layers: [descriptor(), DIGEST] }), OCI_MANIFEST, /^its "layers\[1\]" is/u],
    [
      'a digest that leaves its directory',
      manifest({ layers: [descriptor({ digest: `sha256:../../${'a'.repeat(58)}` })] }),
      OCI_MANIFEST,
      /^its "layers\[0\]\.digest" is no digest/u,
    ],
    [
      'a size in quotes',
      manifest({ layers: [descriptor({ size: '7' })] }),
      OCI_MANIFEST,
      /size" is not a whole number$/u,
    ],
    ['half a byte', manifest({ layers: [descriptor({ size: 0.5 })] }), OCI_MANIFEST, /size" is not a whole number$/u],
    [
      'a size beyond all numbers',
      JSON.stringify(manifest()).replaceAll(':7', ':1e999'),
      OCI_MANIFEST,
      /whole number$/u,
    ],
    [
      'a size that cannot be told apart',
      manifest({ config: descriptor({ size: 2 ** 53 }) }),
      OCI_MANIFEST,
      /^its "config\.size" is too large$/u,
    ],
  ];
  for (const [title, body, type, error] of refused) {
    it(`refuses ${title} and says whether only the type is wrong`, () => {
      const decoded = decodeManifest(bytes(body), type);

      assert.ok(!decoded.ok);
      const { problem, kind } = decoded.error;
      if (typeof error === 'string') assert.equal(problem, error);
      else assert.match(problem, error);
      assert.equal(
        kind === 'mistyped' || kind === 'ambiguous',
        [MANIFEST_INSIDE, INDEX_INSIDE, SCHEMA1_INSIDE].includes(problem),
      );
    });
  }

  it('does not call broken what lists more than it reads', () => {
    const many = Array.from({ length: 2049 }, () => descriptor());
    for (const [body, type, list] of [
      [index({ manifests: many }), OCI_INDEX, 'manifests'],
      [manifest({ layers: many }), OCI_MANIFEST, 'layers'],
    ] as const) {
      const decoded = decodeManifest(bytes(body), type);

      assert.deepEqual(decoded, { ok: false, error: { kind: 'too-long', problem: `a manifest of 2049 ${list}` } });
    }
  });

  const dense: readonly (readonly [what: string, body: string])[] = [
    ['lists in lists', `{"layers":${'['.repeat(9_000)}${']'.repeat(9_000)},"x":[${Array(30_000).fill('[]').join()}]}`],
    ['depth', `{"layers":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
    ['members', `{${Array.from({ length: 40_000 }, (_, at) => `"${at}":0`).join()}}`],
  ];
  for (const [what, body] of dense) {
    it(`builds nothing from a document of nothing but ${what}`, () => {
      for (const type of [OCI_MANIFEST, OCI_INDEX]) {
        const decoded = decodeManifest(bytes(body), type);

        assert.ok(!decoded.ok && decoded.error.kind === 'too-long');
      }
      assert.ok(!isWithinBounds(bytes(body)));
    });
  }

  it('reads an index of two thousand platforms with annotations', () => {
    const platform = { os: 'linux', architecture: 'arm', variant: 'v7' };
    const many = Array.from({ length: 2048 }, () => descriptor({ platform, annotations: { a: '[{,:', b: '"' } }));

    assert.ok(decodeManifest(bytes(index({ manifests: many })), OCI_INDEX).ok);
  });

  it('reads a missing size and a size of null as 0, which is for the runtime to judge', () => {
    for (const size of [undefined, null, 0]) {
      const decoded = decodeManifest(bytes(manifest({ config: descriptor({ size }) })), OCI_MANIFEST);
      assert.equal(decoded.ok && decoded.value.kind === 'manifest' && decoded.value.config.size, 0);
    }
  });

  it('takes names from every prototype for plain data', () => {
    const body = JSON.stringify(manifest()).replace('{', '{"__proto__":{"manifests":[]},"constructor":{"fsLayers":1},');
    const decoded = decodeManifest(bytes(body), OCI_MANIFEST);

    assert.ok(decoded.ok);
    assert.equal(Reflect.get({}, 'manifests'), undefined);
  });

  it('answers for nesting as deep as Go reads', () => {
    const nested = `${'['.repeat(9_999)}${']'.repeat(9_999)}`;

    assert.ok(!decodeManifest(bytes(nested), OCI_MANIFEST).ok);
    assert.ok(decodeManifest(bytes(`{"x":${nested},"manifests":[]}`), OCI_INDEX).ok);
  });
});

describe('sizes that are whole numbers to JSON.parse alone', () => {
  const text = (size: string, more = ''): string => JSON.stringify(manifest()).replaceAll(/:7/gu, `:${size}`) + more;

  for (const size of ['7.0', '7e0', '0.7E1']) {
    it(`are none to Go: ${size}`, () => {
      const decoded = decodeManifest(bytes(text(size)), OCI_MANIFEST);

      assert.deepEqual(decoded, {
        ok: false,
        error: { kind: 'broken', problem: 'its "config.size" is not a whole number' },
      });
    });
  }

  it('are left alone where nobody reads a size', () => {
    const body = text('7').replace('{', '{"x":{"size":7.5},"annotations":{"size":"7.0"},');

    assert.ok(decodeManifest(bytes(body), OCI_MANIFEST).ok);
  });
});

describe('any bytes', () => {
  const types = fc.constantFrom(OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, 'text/html', '');
  const words = fc.constantFrom(
    'config',
    'layers',
    'manifests',
    'digest',
    'size',
    'urls',
    'platform',
    'os',
    'rootfs',
    'diff_ids',
  );
  const leaf = fc.oneof(fc.constantFrom(DIGEST, OCI_INDEX, 7, 0, -1, 1.5, null, true, ''), fc.string());
  const { document } = fc.letrec((tie) => ({
    document: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('document'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(words, fc.constant('__proto__')), tie('document'), { maxKeys: 5 }),
    ),
  }));

  it('are decoded or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), types, (body, type) => {
        assert.equal(typeof decodeManifest(body, type).ok, 'boolean');
        assert.equal(typeof decodeImageConfig(body).ok, 'boolean');
      }),
      { numRuns: 500 },
    );
  });

  it('that are JSON are decoded or refused, and give sound descriptors only', () => {
    fc.assert(
      fc.property(document, types, (value, type) => {
        const body = bytes(JSON.stringify(value));
        assert.equal(typeof decodeImageConfig(body).ok, 'boolean');
        const decoded = decodeManifest(body, type);
        if (!decoded.ok) return;
        const { value: read } = decoded;
        for (const one of read.kind === 'index' ? read.manifests : [read.config, ...read.layers]) {
          assert.match(one.digest ?? `sha256:${'0'.repeat(64)}`, /^sha(?:256|384|512):[0-9a-f]+$/u);
          assert.equal(one.digest === undefined, 'problem' in one);
          assert.ok(one.digest === undefined || Number.isSafeInteger(one.size));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('read one way only: never as a manifest and as an index', () => {
    fc.assert(
      fc.property(document, (value) => {
        const body = bytes(JSON.stringify(value));
        const asManifest = decodeManifest(body, OCI_MANIFEST);
        const asIndex = decodeManifest(body, OCI_INDEX);
        return !(asManifest.ok && asIndex.ok);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a very long document', () => {
  const descriptor = JSON.stringify({ mediaType: OCI_MANIFEST, digest: DIGEST, size: 1 });
  const many = (count: number, text: string): string => `[${Array.from({ length: count }, () => text).join()}]`;
  const documents: readonly (readonly [name: string, text: string])[] = [
    ['brackets', '['.repeat(400_000)],
    ['nested lists', `{"manifests":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['nested objects', `${'{"config":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
    ['backslashes', `{"mediaType":"${'\\\\'.repeat(200_000)}"}`],
    ['an open string', `{"mediaType":"${'a'.repeat(400_000)}`],
    ['digits', `{"size":${'1'.repeat(400_000)}}`],
    ['manifests', `{"schemaVersion":2,"manifests":${many(20_000, descriptor)}}`],
    ['layers', `{"schemaVersion":2,"config":${descriptor},"layers":${many(20_000, descriptor)}}`],
    ['diff ids', `{"rootfs":{"diff_ids":${many(20_000, JSON.stringify(DIGEST))}}}`],
    ['a long digest', `{"config":{"mediaType":"a","size":1,"digest":"sha256:${'a'.repeat(400_000)}"},"layers":[]}`],
    ['urls', `{"config":${descriptor},"layers":[{"urls":${many(20_000, '"https://m/"')}}]}`],
    ['one member many times', `{${Array.from({ length: 20_000 }, () => '"layers":[]').join()}}`],
  ];
  for (const [name, text] of documents) {
    it(`is read in time linear enough: ${name}`, { timeout: 20_000 }, () => {
      const body = Buffer.from(text);

      for (const type of [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_MANIFEST_LIST]) {
        assert.equal(typeof decodeManifest(body, type).ok, 'boolean');
      }
      assert.equal(typeof decodeImageConfig(body).ok, 'boolean');
    });
  }
});
