import { DOCKER_MANIFEST_LIST, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../../webhook/image/media-type.ts';
import { addArtifact, addAttestation, addSchema1 } from '../../support/odd-image.ts';
import {
  ABSENT,
  bare,
  configWith,
  indexOf,
  linux,
  OCI_LAYER,
  sha512,
  type RegistryCondition,
} from './registry-condition.ts';

const S390X = linux('s390x');
const gone = { mediaType: OCI_MANIFEST, digest: ABSENT, size: 400 };

/** pull-parity part F, as rows: more of what the entries of an index can be. */
export const ENTRY_CONDITIONS: readonly RegistryCondition[] = [
  {
    id: 'index-v2-and-v3',
    rule: 'J66',
    fill: indexOf((r) => [
      { ...r.addImage(), platform: linux('amd64', 'v2') },
      { ...r.addImage({ layers: [{ b: r.name }] }), platform: linux('amd64', 'v3') },
    ]),
  },
  {
    id: 'index-v1-and-v2',
    rule: 'F2',
    fill: indexOf((r) => [
      { ...r.addImage(), platform: linux('amd64', 'v1') },
      { ...r.addImage({ layers: [{ b: r.name }] }), platform: linux('amd64', 'v2') },
    ]),
  },
  {
    id: 'index-v1-and-plain',
    rule: 'F5',
    fill: indexOf((r) => [
      { ...r.addImage(), platform: linux('amd64', 'v1') },
      r.addImage({ layers: [{ b: r.name }] }),
    ]),
  },
  {
    id: 'index-386-and-v2',
    rule: 'J65',
    fill: indexOf((r) => [
      { ...r.addImage(), platform: linux('386') },
      { ...r.addImage({ layers: [{ b: r.name }] }), platform: linux('amd64', 'v2') },
    ]),
  },
  {
    id: 'index-386-and-amd64',
    rule: 'F2',
    fill: indexOf((r) => [{ ...r.addImage({ layers: [{ b: r.name }] }), platform: linux('386') }, r.addImage()]),
  },
  {
    id: 'index-386-absent-and-amd64',
    rule: 'F2',
    fill: indexOf((r) => [{ ...gone, platform: linux('386') }, r.addImage()]),
  },
  { id: 'index-variant-empty', rule: 'F1', fill: indexOf((r) => [{ ...r.addImage(), platform: linux('amd64', '') }]) },
  { id: 'index-variant-v8', rule: 'F1', fill: indexOf((r) => [{ ...r.addImage(), platform: linux('amd64', 'v8') }]) },
  { id: 'index-x86', rule: 'F1', fill: indexOf((r) => [{ ...r.addImage(), platform: linux('x86') }]) },
  { id: 'index-platform-empty', rule: 'F4', fill: indexOf((r) => [{ ...bare(r.addImage()), platform: {} }]) },
  { id: 'index-platform-text', rule: 'F4', fill: indexOf((r) => [{ ...bare(r.addImage()), platform: 'linux/amd64' }]) },
  {
    id: 'index-platform-unknown-only-os',
    rule: 'F4',
    fill: indexOf((r) => [{ ...bare(r.addImage()), platform: { os: 'unknown', architecture: 'amd64' } }]),
  },
  {
    id: 'index-unnamed-right-and-named-other',
    rule: 'F4',
    fill: indexOf((r) => [{ ...r.addImage({ platform: S390X }) }, bare(r.addImage())]),
  },
  { id: 'index-unnamed-artifact', rule: 'F4', fill: indexOf((r) => [r.addImage(), bare(addArtifact(r))]) },
  { id: 'index-unnamed-artifact-first', rule: 'F4', fill: indexOf((r) => [bare(addArtifact(r)), r.addImage()]) },
  { id: 'index-unnamed-artifact-alone', rule: 'F4', fill: indexOf((r) => [bare(addArtifact(r))]) },
  {
    id: 'index-named-artifact',
    rule: 'F8',
    fill: indexOf((r) => [{ ...bare(addArtifact(r)), platform: linux('amd64') }]),
  },
  {
    id: 'index-named-artifact-and-image',
    rule: 'F8',
    fill: indexOf((r) => [{ ...bare(addArtifact(r)), platform: linux('amd64') }, r.addImage()]),
  },
  {
    id: 'index-image-and-named-artifact',
    rule: 'F8',
    fill: indexOf((r) => [r.addImage(), { ...bare(addArtifact(r)), platform: linux('amd64') }]),
  },
  { id: 'index-attestation-unnamed', rule: 'F4', fill: indexOf((r) => [r.addImage(), bare(addAttestation(r))]) },
  {
    id: 'index-attestation-absent',
    rule: 'F4',
    fill: indexOf((r) => [r.addImage(), { ...gone, platform: { os: 'unknown', architecture: 'unknown' } }]),
  },
  {
    id: 'index-schema1-named',
    rule: 'F15',
    fill: indexOf((r) => [{ ...bare(addSchema1(r)), platform: linux('amd64') }]),
  },
  {
    id: 'index-schema1-and-image',
    rule: 'F15',
    fill: indexOf((r) => [{ ...bare(addSchema1(r)), platform: linux('amd64') }, r.addImage()]),
  },
  { id: 'index-of-docker-images', rule: 'F2', fill: indexOf((r) => [r.addImage({ format: 'docker' })]) },
  {
    id: 'index-docker-list-of-oci',
    rule: 'F2',
    fill: (r) =>
      void r.addManifest(
        {
          schemaVersion: 2,
          mediaType: DOCKER_MANIFEST_LIST,
          manifests: [r.addImage()].map(({ mediaType, digest, size, platform }) => ({
            mediaType,
            digest,
            size,
            platform,
          })),
        },
        DOCKER_MANIFEST_LIST,
        ['1'],
      ),
  },
  {
    id: 'index-typed-list-inside',
    rule: 'D12',
    fill: indexOf((r) => [r.addImage()], { mediaType: DOCKER_MANIFEST_LIST }),
  },
  { id: 'index-typed-manifest-inside', rule: 'D12', fill: indexOf((r) => [r.addImage()], { mediaType: OCI_MANIFEST }) },
  {
    id: 'index-entry-is-layer',
    rule: 'F5',
    fill: indexOf((r) => [r.addImage(), { ...r.addBlob(Buffer.from('x'), OCI_LAYER), platform: linux('amd64') }]),
  },
  {
    id: 'index-entry-index-typed-manifest',
    rule: 'F7',
    fill: indexOf((r) => [{ ...r.addIndex([r.addImage()]), mediaType: OCI_MANIFEST, platform: linux('amd64') }]),
  },
  {
    id: 'index-entry-size-smaller',
    rule: 'F13',
    fill: indexOf((r) => {
      const one = r.addImage();
      return [{ ...one, size: one.size - 3 }];
    }),
  },
  { id: 'index-entry-size-huge', rule: 'F13', fill: indexOf((r) => [{ ...r.addImage(), size: 9_000_000_000 }]) },
  { id: 'index-entry-size-negative', rule: 'F13', fill: indexOf((r) => [{ ...r.addImage(), size: -1 }]) },
  {
    id: 'index-entry-with-data',
    rule: 'D12',
    fill: indexOf((r) => {
      const one = r.addImage();
      return [{ ...one, data: Buffer.from('x').toString('base64') }];
    }),
  },
  { id: 'index-entry-data-not-base64', rule: 'D12', fill: indexOf((r) => [{ ...r.addImage(), data: '?' }]) },
  {
    id: 'index-entry-with-annotations',
    rule: 'D12',
    fill: indexOf((r) => [{ ...r.addImage(), annotations: { a: 'b' }, artifactType: 'a/b' }]),
  },
  {
    id: 'index-entry-annotations-odd',
    rule: 'D12',
    fill: indexOf((r) => [{ ...r.addImage(), annotations: { a: 1 } }]),
  },
  {
    id: 'index-entry-digest-upper',
    rule: 'D12',
    fill: indexOf((r) => {
      const one = r.addImage();
      return [{ ...one, digest: one.digest.toUpperCase().replace('SHA', 'sha') }];
    }),
  },
  {
    id: 'index-entry-digest-absent',
    rule: 'D12',
    fill: indexOf((r) => {
      const { digest: _digest, ...one } = r.addImage();
      return [one];
    }),
  },
  {
    id: 'index-entry-sha512',
    rule: 'D12',
    fill: indexOf((r) => {
      const one = r.addImage();
      return [{ ...one, digest: sha512(Buffer.from(one.digest)) }];
    }),
  },
  {
    id: 'index-of-images-and-nested',
    rule: 'F7',
    fill: indexOf((r) => [
      r.addImage(),
      { ...r.addIndex([r.addImage({ layers: [{ c: r.name }] })]), platform: linux('amd64') },
    ]),
  },
  {
    id: 'index-nested-absent',
    rule: 'F7',
    fill: indexOf((r) => [r.addImage(), { ...gone, mediaType: OCI_INDEX, platform: linux('amd64') }]),
  },
  { id: 'index-nested-empty', rule: 'F7', fill: indexOf((r) => [{ ...r.addIndex([]), platform: linux('amd64') }]) },
  {
    id: 'index-nested-empty-and-image',
    rule: 'F7',
    fill: indexOf((r) => [{ ...r.addIndex([]), platform: linux('amd64') }, r.addImage()]),
  },
  {
    id: 'index-image-and-nested-empty',
    rule: 'F7',
    fill: indexOf((r) => [r.addImage(), { ...r.addIndex([]), platform: linux('amd64') }]),
  },
  {
    id: 'index-single-artifact-by-config',
    rule: 'F8',
    fill: indexOf((r) => [{ ...bare(addArtifact(r, { configType: OCI_CONFIG })), platform: linux('amd64') }]),
  },
  { id: 'index-version-1', rule: 'D12', fill: indexOf((r) => [r.addImage()], { schemaVersion: 1 }) },
  { id: 'index-version-absent', rule: 'D12', fill: indexOf((r) => [r.addImage()], { schemaVersion: undefined }) },
  {
    id: 'index-untyped-and-typeless',
    rule: 'D12',
    fill: (r) =>
      void r.addManifest(
        {
          schemaVersion: 2,
          manifests: [r.addImage()].map(({ mediaType, digest, size, platform }) => ({
            mediaType,
            digest,
            size,
            platform,
          })),
        },
        OCI_INDEX,
        ['1'],
      ),
  },
  {
    id: 'index-not-json',
    rule: 'D12',
    fill: (r) => void r.addManifest(Buffer.from('{"manifests":['), OCI_INDEX, ['1']),
  },
  { id: 'index-manifests-object', rule: 'D12', fill: indexOf(() => [], { manifests: {} }) },
  { id: 'index-manifests-text', rule: 'D12', fill: indexOf(() => [], { manifests: ['x'] }) },
  { id: 'single-386', rule: 'F6', fill: (r) => void r.addImage({ platform: linux('386'), tags: ['1'] }) },
  { id: 'single-v3', rule: 'F6', fill: (r) => void r.addImage({ platform: linux('amd64', 'v3'), tags: ['1'] }) },
  { id: 'single-no-platform', rule: 'F6', fill: configWith({ os: '', architecture: '' }) },
  { id: 'single-unknown-platform', rule: 'F6', fill: configWith({ os: 'unknown', architecture: 'unknown' }) },
  { id: 'attestation-itself', rule: 'F8', fill: (r) => `${r.name}@${addAttestation(r).digest}` },
];
