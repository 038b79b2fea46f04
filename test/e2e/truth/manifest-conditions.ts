import { DOCKER_MANIFEST, OCI_MANIFEST } from '../../../webhook/image/media-type.ts';
import { addArtifact } from '../../support/odd-image.ts';
import { ABSENT, manifestText, manifestWith, type RegistryCondition } from './registry-condition.ts';

const withLayer = (change: object): RegistryCondition['fill'] =>
  manifestWith(({ layers }) => ({ layers: layers.map((one) => ({ ...one, ...change })) }));
const withConfig = (change: object): RegistryCondition['fill'] =>
  manifestWith(({ config }) => ({ config: { ...config, ...change } }));
const upperCase = (text: string): string =>
  text.replaceAll(/"(?:schemaVersion|mediaType|config|layers|digest|size)":/gu, (key) => key.toUpperCase());

/** pull-parity D12 and F13, as rows: what a manifest says of its parts, and how it is written. */
export const MANIFEST_CONDITIONS: readonly RegistryCondition[] = [
  {
    id: 'layer-size-wrong',
    rule: 'J73',
    fill: manifestWith(({ layers }) => ({ layers: layers.map((one) => ({ ...one, size: one.size + 5 })) })),
  },
  {
    id: 'layer-size-too-small',
    rule: 'J73',
    fill: manifestWith(({ layers }) => ({ layers: layers.map((one) => ({ ...one, size: one.size - 5 })) })),
  },
  { id: 'layer-size-zero', rule: 'F13', fill: withLayer({ size: 0 }) },
  { id: 'layer-size-negative', rule: 'F13', fill: withLayer({ size: -1 }) },
  { id: 'layer-size-absent', rule: 'F13', fill: withLayer({ size: undefined }) },
  { id: 'layer-size-text', rule: 'F13', fill: withLayer({ size: '100' }) },
  {
    id: 'layer-size-decimal',
    rule: 'F13',
    fill: manifestText((text) => text.replaceAll(/"size":(?<size>\d+)/gu, '"size":$<size>.0')),
  },
  {
    id: 'layer-size-exponent',
    rule: 'F13',
    fill: manifestText((text) => text.replaceAll(/"size":(?<size>\d+)/gu, '"size":$<size>e0')),
  },
  { id: 'layer-digest-odd', rule: 'D12', fill: withLayer({ digest: 'md5:00' }) },
  { id: 'layer-digest-null', rule: 'D12', fill: withLayer({ digest: null }) },
  { id: 'layer-type-null', rule: 'F9', fill: withLayer({ mediaType: null }) },
  { id: 'layer-annotations-odd', rule: 'D12', fill: withLayer({ annotations: { one: 1 } }) },
  { id: 'layer-urls-odd', rule: 'D12', fill: withLayer({ urls: 'https://store.truth.invalid/' }) },
  { id: 'layer-urls-beside', rule: 'D12', fill: withLayer({ urls: ['https://store.truth.invalid/'] }) },
  { id: 'layer-platform-beside', rule: 'D12', fill: withLayer({ platform: { os: 'linux', architecture: 's390x' } }) },
  {
    id: 'layers-null',
    openBecause: 'it is pulled and cannot start, which we call damaged without proof',
    rule: 'D12',
    fill: manifestWith(() => ({ layers: null })),
  },
  { id: 'layers-object', rule: 'D12', fill: manifestWith(() => ({ layers: {} })) },
  { id: 'layers-none', rule: 'F13', fill: (r) => void r.addImage({ layers: [], tags: ['1'] }) },
  { id: 'layers-hold-null', rule: 'D12', fill: manifestWith(({ layers }) => ({ layers: [...layers, null] })) },
  {
    id: 'config-size-wrong',
    rule: 'F13',
    fill: manifestWith(({ config }) => ({ config: { ...config, size: config.size + 1 } })),
  },
  { id: 'config-size-zero', rule: 'F13', fill: withConfig({ size: 0 }) },
  { id: 'config-type-null', rule: 'F9', fill: withConfig({ mediaType: null }) },
  { id: 'config-is-list', rule: 'D12', fill: manifestWith(() => ({ config: [] })) },
  { id: 'manifest-no-config', rule: 'D12', fill: manifestWith(() => ({ config: undefined })) },
  { id: 'manifest-config-null', rule: 'D12', fill: manifestWith(() => ({ config: null })) },
  {
    id: 'manifest-not-json',
    rule: 'D12',
    fill: (r) => void r.addManifest(Buffer.from('{"schemaVersion": 2,'), OCI_MANIFEST, ['1']),
  },
  { id: 'manifest-is-list', rule: 'D12', fill: manifestText((text) => `[${text}]`) },
  { id: 'manifest-is-null', rule: 'D12', fill: manifestText(() => 'null') },
  { id: 'manifest-byte-order-mark', rule: 'D12', fill: manifestText((text) => `\u{FEFF}${text}`) },
  { id: 'manifest-ends-in-lines', rule: 'D12', fill: manifestText((text) => `\r\n\t${text}\n\n`) },
  { id: 'manifest-goes-on', rule: 'D12', fill: manifestText((text) => `${text} {}`) },
  { id: 'manifest-upper-case-keys', rule: 'D12', fill: manifestText(upperCase) },
  {
    id: 'manifest-odd-utf8',
    rule: 'D12',
    fill: manifestText((text) => Buffer.from(`${text.slice(0, -1)},"annotations":{"a":"\u{FF}"}}`, 'latin1')),
  },
  {
    id: 'manifest-lone-surrogate',
    rule: 'D12',
    fill: manifestText((text) => `${text.slice(0, -1)},"annotations":{"a":"\\ud800"}}`),
  },
  {
    id: 'manifest-key-twice',
    rule: 'D12',
    fill: manifestText((text) => `{"config":{"size":1,"digest":"${ABSENT}"},${text.slice(1)}`),
  },
  { id: 'manifest-annotations-odd', rule: 'D12', fill: manifestWith(() => ({ annotations: { one: 1 } })) },
  { id: 'manifest-annotations-list', rule: 'D12', fill: manifestWith(() => ({ annotations: [] })) },
  { id: 'manifest-version-text', rule: 'D12', fill: manifestWith(() => ({ schemaVersion: '2' })) },
  { id: 'manifest-version-1', rule: 'D12', fill: manifestWith(() => ({ schemaVersion: 1 })) },
  { id: 'manifest-version-absent', rule: 'D12', fill: manifestWith(() => ({ schemaVersion: undefined })) },
  { id: 'manifest-untyped-inside', rule: 'D12', fill: manifestWith(() => ({ mediaType: undefined })) },
  { id: 'manifest-typed-otherwise', rule: 'D12', fill: manifestWith(() => ({ mediaType: 'a/b' })) },
  { id: 'manifest-type-number', rule: 'D12', fill: manifestWith(() => ({ mediaType: 7 })) },
  { id: 'manifest-with-fslayers', rule: 'D12', fill: manifestWith(() => ({ fsLayers: [] })) },
  { id: 'manifest-with-manifests', rule: 'D12', fill: manifestWith(() => ({ manifests: [] })) },
  { id: 'manifest-manifests-null', rule: 'D12', fill: manifestWith(() => ({ manifests: null })) },
  {
    id: 'manifest-with-subject',
    rule: 'D12',
    fill: manifestWith(({ config }) => ({ subject: { ...config, digest: ABSENT }, artifactType: 'a/b' })),
  },
  { id: 'docker-type-oci-inside', rule: 'D12', fill: manifestWith(() => ({}), DOCKER_MANIFEST) },
  { id: 'same-layer-twice', rule: 'F13', fill: manifestWith(({ layers }) => ({ layers: [...layers, ...layers] })) },
  { id: 'artifact-empty-config', rule: 'J77', fill: (r) => void addArtifact(r, { tags: ['1'] }) },
  {
    id: 'artifact-helm',
    rule: 'J77',
    fill: (r) =>
      void addArtifact(r, {
        tags: ['1'],
        configType: 'application/vnd.cncf.helm.config.v1+json',
        layerType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
      }),
  },
  {
    id: 'unknown-layer-type',
    rule: 'F9',
    fill: withLayer({ mediaType: 'application/vnd.wasm.content.layer.v1+wasm' }),
  },
  { id: 'unknown-config-type', rule: 'F9', fill: withConfig({ mediaType: 'application/vnd.wasm.config.v1+json' }) },
];
