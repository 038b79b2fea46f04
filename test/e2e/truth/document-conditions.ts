import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { DOCKER_CONFIG, DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST } from '../../../webhook/image/media-type.ts';
import { addArtifact } from '../../support/odd-image.ts';
import {
  ABSENT,
  configText,
  configWith,
  indexOf,
  linux,
  manifestText,
  manifestWith,
  OCI_LAYER,
  packedBy,
  sha512,
  type RegistryCondition,
} from './registry-condition.ts';

const withLayer = (change: object): RegistryCondition['fill'] =>
  manifestWith(({ layers }) => ({ layers: layers.map((one) => ({ ...one, ...change })) }));
const withConfig = (change: object): RegistryCondition['fill'] =>
  manifestWith(({ config }) => ({ config: { ...config, ...change } }));

/** pull-parity D12, D13, F8, F9 and J76, as rows: more of what manifests and configs can say. */
export const DOCUMENT_CONDITIONS: readonly RegistryCondition[] = [
  // manifests
  {
    id: 'manifest-size-beyond-2-53',
    rule: 'D12',
    fill: manifestText((text) => text.replace(/"size":\d+/u, '"size":9007199254740993')),
  },
  {
    id: 'manifest-size-beyond-2-63',
    rule: 'D12',
    fill: manifestText((text) => text.replace(/"size":\d+/u, '"size":9223372036854775808')),
  },
  { id: 'manifest-comment', rule: 'D12', fill: manifestText((text) => `/* x */${text}`) },
  { id: 'manifest-comma-last', rule: 'D12', fill: manifestText((text) => `${text.slice(0, -1)},}`) },
  { id: 'manifest-nul-after', rule: 'D12', fill: manifestText((text) => `${text}\u{0}`) },
  {
    id: 'manifest-escaped-keys',
    rule: 'D12',
    fill: manifestText((text) => text.replace('"layers"', '"\\u006cayers"')),
  },
  { id: 'manifest-layers-twice', rule: 'D12', fill: manifestText((text) => `{"layers":[],${text.slice(1)}`) },
  {
    id: 'manifest-layers-absent',
    rule: 'D12',
    openBecause: 'it is pulled and cannot start, which we call damaged without proof',
    fill: manifestWith(() => ({ layers: undefined })),
  },
  { id: 'manifest-pretty', rule: 'D12', fill: manifestText((text) => JSON.stringify(JSON.parse(text), null, 3)) },
  { id: 'manifest-empty-object', rule: 'D12', fill: (r) => void r.addManifest({}, OCI_MANIFEST, ['1']) },
  { id: 'manifest-empty-bytes', rule: 'J57', fill: (r) => void r.addManifest(Buffer.alloc(0), OCI_MANIFEST, ['1']) },
  {
    id: 'manifest-config-with-data',
    rule: 'D12',
    fill: manifestWith(({ config }) => ({ config: { ...config, data: Buffer.from('{}').toString('base64') } })),
  },
  {
    id: 'manifest-config-is-layer',
    rule: 'D12',
    fill: manifestWith(({ layers, config }) => ({
      config: { ...config, digest: layers[0]?.digest, size: layers[0]?.size },
    })),
  },
  {
    id: 'manifest-layer-is-config',
    rule: 'D12',
    contentOnly: true,
    fill: manifestWith(({ layers, config }) => ({
      layers: layers.map((one) => ({ ...one, digest: config.digest, size: config.size })),
    })),
  },
  { id: 'manifest-4-mib-scarcely', rule: 'D13', fill: padded(4 * 1048 * 1048 - 10) },
  { id: 'manifest-4-mib-just', rule: 'D13', fill: padded(4 * 1048 * 1048) },
  { id: 'manifest-4-mib-over', rule: 'D13', fill: padded(4 * 1048 * 1048 + 1) },
  {
    id: 'index-child-of-5-mib',
    rule: 'D13',
    fill: indexOf((r) => {
      const { config, layers } = r.addImage();
      const one = r.addManifest(
        { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers, annotations: { padding: 'x'.repeat(5_000_000) } },
        OCI_MANIFEST,
      );
      return [{ ...one, platform: linux('amd64') }];
    }),
  },
  {
    id: 'types-oci-in-docker',
    rule: 'F9',
    fill: mixed({ config: OCI_CONFIG, layer: OCI_LAYER, manifest: DOCKER_MANIFEST }),
  },
  {
    id: 'types-docker-in-oci',
    rule: 'F9',
    fill: mixed({
      config: DOCKER_CONFIG,
      layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
      manifest: OCI_MANIFEST,
    }),
  },
  {
    id: 'types-docker-plain-tar',
    rule: 'F10',
    fill: packedBy((tar) => tar, 'application/vnd.docker.image.rootfs.diff.tar'),
  },
  {
    id: 'types-docker-gzip-as-tar',
    rule: 'F10',
    fill: packedBy(gzipSync, 'application/vnd.docker.image.rootfs.diff.tar'),
  },
  {
    id: 'types-docker-tar-as-gzip',
    rule: 'F10',
    fill: packedBy((tar) => tar, 'application/vnd.docker.image.rootfs.diff.tar.gzip'),
  },
  {
    id: 'types-docker-zstd-as-gzip',
    rule: 'F10',
    fill: packedBy(zstdCompressSync, 'application/vnd.docker.image.rootfs.diff.tar.gzip'),
  },
  {
    id: 'types-oci-zstd-as-tar',
    rule: 'F10',
    contentOnly: true,
    fill: packedBy(zstdCompressSync, 'application/vnd.oci.image.layer.v1.tar'),
  },
  {
    id: 'types-oci-gzip-as-zstd',
    rule: 'F10',
    contentOnly: true,
    fill: packedBy(gzipSync, 'application/vnd.oci.image.layer.v1.tar+zstd'),
  },
  {
    id: 'types-brotli',
    rule: 'F10',
    fill: packedBy((tar) => brotliCompressSync(tar), 'application/vnd.oci.image.layer.v1.tar+br'),
  },
  { id: 'types-brotli-as-gzip', rule: 'F10', contentOnly: true, fill: packedBy((tar) => brotliCompressSync(tar)) },
  { id: 'types-octet-stream-layer', rule: 'F9', fill: withLayer({ mediaType: 'application/octet-stream' }) },
  { id: 'types-octet-stream-config', rule: 'F9', fill: withConfig({ mediaType: 'application/octet-stream' }) },
  { id: 'types-config-empty-text', rule: 'F9', fill: withConfig({ mediaType: '' }) },
  { id: 'types-layer-upper-case', rule: 'F9', fill: withLayer({ mediaType: OCI_LAYER.toUpperCase() }) },
  { id: 'types-layer-params', rule: 'F9', fill: withLayer({ mediaType: `${OCI_LAYER}; q=1` }) },
  { id: 'types-config-params', rule: 'F9', fill: withConfig({ mediaType: `${OCI_CONFIG}; q=1` }) },
  {
    id: 'types-two-one-unknown',
    rule: 'F9',
    fill: (r) => {
      const { config, layers } = r.addImage({ layers: [{ a: r.name }, { b: r.name }] });
      r.addManifest(
        {
          schemaVersion: 2,
          mediaType: OCI_MANIFEST,
          config,
          layers: layers.map((one, at) => (at === 0 ? one : { ...one, mediaType: 'application/vnd.example' })),
        },
        OCI_MANIFEST,
        ['1'],
      );
    },
  },
  {
    id: 'types-image-config-and-extra',
    rule: 'F9',
    fill: (r) => {
      const { config, layers } = r.addImage();
      r.addManifest(
        {
          schemaVersion: 2,
          mediaType: OCI_MANIFEST,
          config,
          layers: [...layers, r.addBlob(Buffer.from(`extra ${r.name}`), 'application/vnd.example')],
        },
        OCI_MANIFEST,
        ['1'],
      );
    },
  },
  {
    id: 'artifact-signature',
    rule: 'J77',
    fill: (r) =>
      void addArtifact(r, {
        tags: ['1'],
        configType: OCI_CONFIG,
        layerType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      }),
  },
  {
    id: 'artifact-wasm',
    rule: 'J77',
    fill: (r) =>
      void addArtifact(r, {
        tags: ['1'],
        configType: 'application/vnd.wasm.config.v0+json',
        layerType: 'application/wasm',
      }),
  },
  {
    id: 'artifact-no-layers',
    rule: 'J77',
    fill: (r) =>
      void r.addManifest(
        {
          schemaVersion: 2,
          mediaType: OCI_MANIFEST,
          artifactType: 'a/b',
          config: r.addBlob(Buffer.from('{}'), 'application/vnd.oci.empty.v1+json'),
          layers: [],
        },
        OCI_MANIFEST,
        ['1'],
      ),
  },
  {
    id: 'artifact-manifest-type',
    rule: 'J77',
    fill: (r) =>
      void r.addManifest(
        { mediaType: 'application/vnd.oci.artifact.manifest.v1+json', artifactType: 'a/b', blobs: [] },
        'application/vnd.oci.artifact.manifest.v1+json',
        ['1'],
      ),
  },
  {
    id: 'artifact-config-absent',
    rule: 'J77',
    fill: (r) => {
      const { config, ...rest } = addArtifact(r);
      void rest;
      r.addManifest(
        { schemaVersion: 2, mediaType: OCI_MANIFEST, config: { ...config, digest: ABSENT }, layers: [] },
        OCI_MANIFEST,
        ['1'],
      );
    },
  },
  {
    id: 'artifact-layer-absent',
    rule: 'J77',
    fill: (r) => {
      const { config } = addArtifact(r);
      r.addManifest(
        { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [{ mediaType: 'a/b', digest: ABSENT, size: 3 }] },
        OCI_MANIFEST,
        ['1'],
      );
    },
  },
  { id: 'artifact-with-image-layer', rule: 'F9', fill: withConfig({ mediaType: 'application/vnd.oci.empty.v1+json' }) },
  { id: 'sha512-layer', rule: 'D12', fill: withLayer({ digest: sha512(Buffer.from('x')) }) },
  { id: 'sha512-tag-and-digest', rule: 'A8', fill: (r) => `${r.name}:1@${sha512(Buffer.from(r.name))}` },

  // configs
  { id: 'config-empty-object', rule: 'J76', fill: configText(() => '{}') },
  {
    id: 'config-rootfs-other-type',
    rule: 'J76',
    fill: configText(({ rootfs, ...rest }) => JSON.stringify({ ...rest, rootfs: { ...rootfs, type: 'other' } })),
  },
  { id: 'config-rootfs-list', rule: 'J76', fill: configWith({ rootfs: [] }) },
  { id: 'config-rootfs-null', rule: 'J76', fill: configWith({ rootfs: null }) },
  { id: 'config-diff-ids-null', rule: 'J76', fill: configWith({ rootfs: { type: 'layers', diff_ids: null } }) },
  { id: 'config-diff-ids-text', rule: 'J76', fill: configWith({ rootfs: { type: 'layers', diff_ids: 'x' } }) },
  {
    id: 'config-diff-ids-twice',
    rule: 'J76',
    fill: configText(({ rootfs, ...rest }) =>
      JSON.stringify({ ...rest, rootfs: { ...rootfs, diff_ids: [...rootfs.diff_ids, ...rootfs.diff_ids] } }),
    ),
  },
  {
    id: 'config-diff-ids-upper',
    rule: 'J75',
    contentOnly: true,
    fill: configText(({ rootfs, ...rest }) =>
      JSON.stringify({
        ...rest,
        rootfs: { ...rootfs, diff_ids: rootfs.diff_ids.map((one) => one.toUpperCase().replace('SHA', 'sha')) },
      }),
    ),
  },
  {
    id: 'config-diff-ids-sha512',
    rule: 'J75',
    contentOnly: true,
    fill: configText(({ rootfs, ...rest }) =>
      JSON.stringify({ ...rest, rootfs: { ...rootfs, diff_ids: [sha512(Buffer.from('x'))] } }),
    ),
  },
  {
    id: 'config-history-longer',
    rule: 'J76',
    fill: configWith({ history: [{ created: '2024-01-01T00:00:00Z' }, { empty_layer: true }, {}] }),
  },
  { id: 'config-history-created-odd', rule: 'J76', fill: configWith({ history: [{ created: 'x' }] }) },
  { id: 'config-history-empty-layer-text', rule: 'J76', fill: configWith({ history: [{ empty_layer: 'yes' }] }) },
  { id: 'config-created-year-10000', rule: 'J76', fill: configWith({ created: '10000-01-01T00:00:00Z' }) },
  { id: 'config-created-february-30', rule: 'J76', fill: configWith({ created: '2024-02-30T00:00:00Z' }) },
  { id: 'config-created-hour-24', rule: 'J76', fill: configWith({ created: '2024-02-01T24:00:00Z' }) },
  { id: 'config-created-zone-odd', rule: 'J76', fill: configWith({ created: '2024-02-01T00:00:00+25:00' }) },
  { id: 'config-created-comma', rule: 'J76', fill: configWith({ created: '2024-02-01T00:00:00,5Z' }) },
  { id: 'config-created-space', rule: 'J76', fill: configWith({ created: '2024-02-01 00:00:00Z' }) },
  { id: 'config-created-leap-second', rule: 'J76', fill: configWith({ created: '2016-12-31T23:59:60Z' }) },
  { id: 'config-labels-odd', rule: 'J76', fill: configWith({ config: { Labels: { a: 1 } } }) },
  { id: 'config-ports-odd', rule: 'J76', fill: configWith({ config: { ExposedPorts: ['80'] } }) },
  { id: 'config-cmd-text', rule: 'J76', fill: configWith({ config: { Cmd: '/x' } }) },
  { id: 'config-config-null', rule: 'J76', fill: configWith({ config: null }) },
  { id: 'config-args-escaped-odd', rule: 'J76', fill: configWith({ config: { ArgsEscaped: 'x' } }) },
];

function mixed(outer: {
  readonly config: string;
  readonly layer: string;
  readonly manifest: string;
}): RegistryCondition['fill'] {
  return (repository) => {
    const { config, layers } = repository.addImage();
    repository.addManifest(
      {
        schemaVersion: 2,
        mediaType: outer.manifest,
        config: { ...config, mediaType: outer.config },
        layers: layers.map((one) => ({ ...one, mediaType: outer.layer })),
      },
      outer.manifest,
      ['1'],
    );
  };
}

function padded(length: number): RegistryCondition['fill'] {
  return (repository) => {
    const { config, layers } = repository.addImage();
    const document = (padding: string): string =>
      JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers, annotations: { padding } });
    const text = document('x'.repeat(length - document('').length));
    repository.addManifest(Buffer.from(text), OCI_MANIFEST, ['1']);
  };
}
