import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as types from '../../webhook/image/media-type.ts';

const LAYERS: readonly (readonly [type: string, compression: types.LayerCompression | undefined])[] = [
  ['application/vnd.docker.image.rootfs.diff.tar', 'none'],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'gzip'],
  ['application/vnd.docker.image.rootfs.diff.tar.zstd', 'zstd'],
  ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'gzip'],
  ['application/vnd.oci.image.layer.v1.tar', 'none'],
  ['application/vnd.oci.image.layer.v1.tar+gzip', 'gzip'],
  ['application/vnd.oci.image.layer.v1.tar+zstd', 'zstd'],
  ['application/vnd.oci.image.layer.v1.tar+xz', 'unknown'],
  ['application/vnd.oci.image.layer.v1.tar+gzip+encrypted', 'gzip'],
  ['application/vnd.oci.image.layer.v1.tar+encrypted', 'none'],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'gzip'],
  ['application/vnd.cncf.helm.chart.content.v1.tar+gzip', undefined],
  ['application/vnd.wasm.content.layer.v1+wasm', undefined],
  ['application/vnd.oci.empty.v1+json', undefined],
  ['application/octet-stream', undefined],
  ['application/vnd.oci.image.layer.v1.tar+', 'unknown'],
  ['', undefined],
  ['+encrypted', undefined],
];

describe('layerCompression', () => {
  for (const [type, compression] of LAYERS) {
    it(`takes ${JSON.stringify(type)} for ${compression ?? 'no layer'}`, () => {
      assert.equal(types.layerCompression(type), compression);
      assert.equal(types.isLayerType(type), compression !== undefined);
    });
  }

  it('knows the foreign and the encrypted ones', () => {
    const all = LAYERS.map(([type]) => type);

    assert.equal(all.filter(types.isForeignLayerType).length, 2);
    assert.equal(all.filter(types.isEncryptedLayerType).length, 3);
  });
});

describe('the kinds of a document', () => {
  const kinds: readonly (readonly [type: string, kind: 'manifest' | 'index' | 'schema1' | 'config' | 'none'])[] = [
    ['application/vnd.docker.distribution.manifest.v2+json', 'manifest'],
    ['application/vnd.oci.image.manifest.v1+json', 'manifest'],
    ['application/vnd.docker.distribution.manifest.list.v2+json', 'index'],
    ['application/vnd.oci.image.index.v1+json', 'index'],
    ['application/vnd.docker.distribution.manifest.v1+json', 'schema1'],
    ['application/vnd.docker.distribution.manifest.v1+prettyjws', 'schema1'],
    ['text/plain', 'schema1'],
    ['application/vnd.docker.container.image.v1+json', 'config'],
    ['application/vnd.oci.image.config.v1+json', 'config'],
    ['application/json', 'none'],
    ['text/html', 'none'],
    ['', 'none'],
  ];
  for (const [type, kind] of kinds) {
    it(`has ${JSON.stringify(type)} as ${kind} and nothing else`, () => {
      const claims = {
        manifest: types.isManifestType(type),
        index: types.isIndexType(type),
        schema1: types.isSchema1Type(type),
        config: types.isImageConfigType(type),
      };

      const expected = { manifest: false, index: false, schema1: false, config: false };
      assert.deepEqual(claims, kind === 'none' ? expected : { ...expected, [kind]: true });
    });
  }

  it('asks for all that a runtime takes, in the order of containerd', () => {
    const asked = types.MANIFEST_ACCEPT.split(', ');

    assert.equal(asked.at(-1), '*/*');
    assert.deepEqual(
      asked.slice(0, -1).map((type) => types.isManifestType(type) || types.isIndexType(type)),
      [true, true, true, true],
    );
  });
});

describe('bareMediaType', () => {
  const headers: readonly (readonly [header: string | undefined, bare: string])[] = [
    [undefined, ''],
    ['', ''],
    ['application/json', 'application/json'],
    ['application/json; charset=utf-8', 'application/json'],
    [' text/html ;x', 'text/html'],
    [';', ''],
  ];
  for (const [header, bare] of headers) {
    it(`takes ${JSON.stringify(bare)} from ${JSON.stringify(header ?? null)}`, () => {
      assert.equal(types.bareMediaType(header), bare);
    });
  }
});
