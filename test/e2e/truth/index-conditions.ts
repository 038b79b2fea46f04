import { OCI_INDEX, OCI_MANIFEST } from '../../../webhook/image/media-type.ts';
import { addAttestation } from '../../support/odd-image.ts';
import { ABSENT, bare, index, indexOf, linux, type RegistryCondition } from './registry-condition.ts';

const S390X = linux('s390x');
const gone = { mediaType: OCI_MANIFEST, digest: ABSENT, size: 400 };

/** pull-parity part F, as rows: which entry of an index a node takes, and which it cannot take. */
export const INDEX_CONDITIONS: readonly RegistryCondition[] = [
  { id: 'index-amd64', rule: 'F2', fill: index(linux('arm64'), linux('amd64')) },
  { id: 'index-others', rule: 'J62', fill: index(linux('arm64'), linux('ppc64le')) },
  { id: 'index-empty', rule: 'J63', fill: (r) => void r.addIndex([], { tags: ['1'] }) },
  { id: 'index-only-attestation', rule: 'J63', fill: (r) => void r.addIndex([addAttestation(r)], { tags: ['1'] }) },
  { id: 'index-386', rule: 'J65', fill: index(linux('386')) },
  { id: 'index-amd64-v2', rule: 'J66', fill: index(linux('amd64', 'v2')) },
  { id: 'index-amd64-v1', rule: 'F1', fill: index(linux('amd64', 'v1')) },
  { id: 'index-x86-64', rule: 'F1', fill: index(linux('x86_64')) },
  { id: 'index-windows', rule: 'F2', fill: index({ os: 'windows', architecture: 'amd64' }) },
  {
    id: 'index-entry-lies',
    rule: 'F6',
    fill: (r) =>
      void r.addIndex([{ ...r.addImage({ platform: linux('arm64') }), platform: linux('amd64') }], { tags: ['1'] }),
  },
  {
    id: 'index-unnamed-right',
    rule: 'F4',
    fill: (r) => {
      const { mediaType, digest, size } = r.addImage();
      r.addIndex([{ mediaType, digest, size }], { tags: ['1'] });
    },
  },
  {
    id: 'index-unnamed-wrong',
    rule: 'F4',
    fill: (r) => {
      const { mediaType, digest, size } = r.addImage({ platform: linux('arm64') });
      r.addIndex([{ mediaType, digest, size }], { tags: ['1'] });
    },
  },
  {
    id: 'index-nested-named',
    rule: 'F7',
    fill: (r) => void r.addIndex([{ ...r.addIndex([r.addImage()]), platform: linux('amd64') }], { tags: ['1'] }),
  },
  {
    id: 'index-two-matches-one-absent',
    rule: 'F5',
    fill: indexOf((r) => [r.addImage(), { ...gone, platform: linux('amd64') }]),
  },
  { id: 'single-arm64', rule: 'J67', fill: (r) => void r.addImage({ platform: linux('arm64'), tags: ['1'] }) },
  {
    id: 'single-windows',
    rule: 'F6',
    fill: (r) => void r.addImage({ platform: { os: 'windows', architecture: 'amd64' }, tags: ['1'] }),
  },
  {
    id: 'index-docker-list',
    rule: 'F2',
    fill: (r) => void r.addIndex([r.addImage()], { format: 'docker', tags: ['1'] }),
  },
  { id: 'index-amd64-and-attestation', rule: 'J64', fill: indexOf((r) => [r.addImage(), addAttestation(r)]) },
  { id: 'index-amd64-v3', rule: 'J66', fill: index(linux('amd64', 'v3')) },
  { id: 'index-v3-and-plain', rule: 'F2', fill: index(linux('amd64', 'v3'), linux('amd64')) },
  { id: 'index-i386', rule: 'F1', fill: index(linux('i386')) },
  { id: 'index-386-and-arm', rule: 'J65', fill: index(linux('arm', 'v7'), linux('386')) },
  { id: 'index-upper-case', rule: 'F1', fill: index({ os: 'Linux', architecture: 'AMD64' }) },
  { id: 'index-no-os', rule: 'F1', fill: index({ os: '', architecture: 'amd64' }) },
  { id: 'index-no-architecture', rule: 'F1', fill: index({ os: 'linux', architecture: '' }) },
  {
    id: 'index-os-version',
    rule: 'F14',
    fill: indexOf((r) => [{ ...r.addImage(), platform: { ...linux('amd64'), 'os.version': '10.0.17763' } }]),
  },
  {
    id: 'index-os-features',
    rule: 'F14',
    fill: indexOf((r) => [{ ...r.addImage(), platform: { ...linux('amd64'), 'os.features': ['fast'] } }]),
  },
  {
    id: 'index-platform-null',
    rule: 'F4',
    fill: indexOf((r) => [{ ...bare(r.addImage()), platform: null }]),
  },
  {
    id: 'index-two-unnamed',
    rule: 'F4',
    fill: indexOf((r) => [bare(r.addImage({ platform: S390X })), bare(r.addImage())]),
  },
  { id: 'index-named-unnamed-absent', rule: 'F5', fill: indexOf((r) => [r.addImage(), gone]) },
  {
    id: 'index-other-absent',
    rule: 'F5',
    fill: indexOf((r) => [r.addImage(), { ...gone, platform: S390X }]),
  },
  {
    id: 'index-same-entry-twice',
    rule: 'F5',
    fill: (r) => {
      const one = r.addImage();
      r.addIndex([one, one], { tags: ['1'] });
    },
  },
  {
    id: 'index-two-of-amd64',
    rule: 'F5',
    fill: indexOf((r) => [r.addImage(), r.addImage({ layers: [{ b: r.name }] })]),
  },
  {
    id: 'index-three-deep',
    rule: 'F7',
    fill: (r) => {
      const middle = r.addIndex([{ ...r.addIndex([r.addImage()]), platform: linux('amd64') }], { format: 'docker' });
      r.addIndex([{ ...middle, platform: linux('amd64') }], { tags: ['1'] });
    },
  },
  {
    id: 'index-nested-other-inside',
    rule: 'F7',
    fill: indexOf((r) => [{ ...r.addIndex([r.addImage({ platform: S390X })]), platform: linux('amd64') }]),
  },
  { id: 'index-nested-unnamed', rule: 'F7', fill: indexOf((r) => [bare(r.addIndex([r.addImage()]))]) },
  {
    id: 'index-odd-digest-elsewhere',
    rule: 'D12',
    fill: indexOf((r) => [r.addImage(), { ...gone, digest: 'md5:00', platform: S390X }]),
  },
  { id: 'index-odd-digest-unnamed', rule: 'F5', fill: indexOf((r) => [r.addImage(), { ...gone, digest: 'md5:00' }]) },
  {
    id: 'index-unknown-kind-absent',
    rule: 'F5',
    fill: indexOf((r) => [{ ...r.addImage() }, { ...gone, mediaType: 'application/vnd.example' }]),
  },
  {
    id: 'index-unknown-kind-elsewhere',
    rule: 'F5',
    fill: indexOf((r) => [r.addImage(), { ...gone, mediaType: 'application/vnd.example', platform: S390X }]),
  },
  {
    id: 'index-entry-size-wrong',
    rule: 'F13',
    fill: indexOf((r) => {
      const one = r.addImage();
      return [{ ...one, size: one.size + 3 }];
    }),
  },
  { id: 'index-entry-size-zero', rule: 'F13', fill: indexOf((r) => [{ ...r.addImage(), size: 0 }]) },
  {
    id: 'index-entry-typed-docker',
    rule: 'D12',
    fill: indexOf((r) => [{ ...r.addImage(), mediaType: 'application/vnd.docker.distribution.manifest.v2+json' }]),
  },
  {
    id: 'index-entry-untyped',
    rule: 'D12',
    fill: indexOf((r) => {
      const { digest, size, platform } = r.addImage();
      return [{ digest, size, platform }];
    }),
  },
  { id: 'index-with-layers', rule: 'D12', fill: indexOf((r) => [r.addImage()], { layers: [] }) },
  { id: 'index-with-config-null', rule: 'D12', fill: indexOf((r) => [r.addImage()], { config: null }) },
  {
    id: 'index-with-subject',
    rule: 'D12',
    fill: indexOf((r) => [r.addImage()], { subject: gone, artifactType: 'a/b' }),
  },
  { id: 'index-untyped-inside', rule: 'D12', fill: indexOf((r) => [r.addImage()], { mediaType: undefined }) },
  { id: 'index-typed-otherwise', rule: 'D12', fill: indexOf((r) => [r.addImage()], { mediaType: 'a/b' }) },
  { id: 'index-manifests-null', rule: 'J63', fill: indexOf(() => [], { manifests: null }) },
  {
    id: 'index-upper-case-keys',
    rule: 'D12',
    fill: (r) => {
      const { digest, size, mediaType } = r.addImage();
      const entry = {
        MediaType: mediaType,
        DIGEST: digest,
        Size: size,
        Platform: { OS: 'linux', Architecture: 'amd64' },
      };
      r.addManifest({ SchemaVersion: 2, MediaType: OCI_INDEX, Manifests: [entry] }, OCI_INDEX, ['1']);
    },
  },
  {
    id: 'index-of-3000',
    rule: 'design 2.11',
    openBecause: 'an index of more than 2048 entries is not read',
    fill: indexOf((r) => {
      const others = r.addImage({ platform: S390X });
      return [...Array.from({ length: 3_000 }, () => ({ ...bare(others), platform: S390X })), r.addImage()];
    }),
  },
  {
    id: 'index-of-2000',
    rule: 'design 2.11',
    fill: indexOf((r) => {
      const others = r.addImage({ platform: S390X });
      return [...Array.from({ length: 2_000 }, () => ({ ...bare(others), platform: S390X })), r.addImage()];
    }),
  },
  { id: 'single-arm64-by-digest', rule: 'J67', fill: (r) => `${r.name}@${r.addImage({ platform: S390X }).digest}` },
  {
    id: 'child-by-digest-other',
    rule: 'F6',
    fill: (r) => {
      const child = r.addImage({ platform: linux('arm64') });
      r.addIndex([child, r.addImage()], { tags: ['1'] });
      return `${r.name}@${child.digest}`;
    },
  },
  { id: 'index-by-digest', rule: 'A8', fill: (r) => `${r.name}@${r.addIndex([r.addImage()]).digest}` },
];
