import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createImageStore, type Repository, type Stored } from '../../webhook/demo/image-store.ts';
import type { Bend } from '../../webhook/demo/registry.ts';
import {
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  DOCKER_SCHEMA1_SIGNED,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../webhook/image/media-type.ts';
import type { OutcomeKind } from '../../webhook/outcome/outcome.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { only, redirect, reply, status, withHeaders, withoutHeader } from '../support/bend.ts';
import { addArtifact } from '../support/odd-image.ts';
import { addSchema1 } from '../support/odd-image.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { hostsFile, predict } from './rig.ts';

/** Each that differs from another in what it makes of a manifest. */
const RUNTIMES = [
  'containerd@1.7',
  'containerd@2.0',
  'containerd@2.1/transfer',
  'containerd@2.1/local',
  'docker@20.10/graph',
  'docker@26/graph',
  'docker@28.5/graph',
  'docker@25/containerd',
  'docker@29/containerd',
  'crio@1.33',
  'crio@1.34',
] as const;

type Row = {
  readonly rule: string;
  readonly name: string;
  /** Default: a sound image, tagged `1`. What it gives back is asked by digest. */
  readonly fill?: (repository: Repository) => Stored | void;
  readonly bends?: (repository: string) => readonly Bend[];
  /**
   * A mark a runtime: `y` pulls, `w` pulls and will not run, `n` provably does not pull, `?` does not as far as we see.
   * Where marks are fewer, the others were not looked at.
   */
  readonly marks: string;
  /** What a failure is called. */
  readonly kinds?: readonly OutcomeKind[];
};

const ALL = (mark: string): string => mark.repeat(RUNTIMES.length);
const LINUX = { os: 'linux', architecture: 'amd64' };
const S390X = { os: 'linux', architecture: 's390x' };
const OTHER_DIGEST = `sha256:${'ab'.repeat(32)}`;
const PAGE = reply(200, { 'content-type': 'text/html; charset=utf-8' }, '<html>Sign in</html>');
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

const heads = (bend: Bend, repository: string): Bend => only({ kind: 'manifest', method: 'HEAD', repository }, bend);
const manifests = (bend: Bend, repository: string): Bend => only({ kind: 'manifest', repository }, bend);
const typed = (type: string) => (repository: Repository) => {
  const { config, layers } = repository.addImage();
  repository.addManifest({ schemaVersion: 2, config, layers }, type, ['1']);
};
const bare = ({ mediaType, digest, size }: Stored): Stored => ({ mediaType, digest, size });
const configured =
  (config: unknown, layers = 1) =>
  (repository: Repository) => {
    const image = repository.addImage({ layers: Array.from({ length: layers }, (_, at) => ({ at: String(at) })) });
    const stored = repository.addBlob(
      Buffer.from(typeof config === 'string' ? config : JSON.stringify(config)),
      OCI_CONFIG,
    );
    repository.addManifest({ schemaVersion: 2, config: stored, layers: image.layers }, OCI_MANIFEST, ['1']);
  };
const schema1 = (type: string, signatures: readonly object[] | undefined) => (repository: Repository) => {
  const layer = repository.addBlob(Buffer.from('an old layer'));
  const history = [{ v1Compatibility: '{}' }];
  const document = { schemaVersion: 1, fsLayers: [{ blobSum: layer.digest }], history, signatures };
  repository.addManifest(document, type, ['1']);
};
const SIGNATURES = [{ signature: 'c2ln', protected: 'e30' }];
const layered = (type: string) => (repository: Repository) => {
  const { config, layers } = repository.addImage();
  const renamed = layers.map((layer) => ({ ...layer, mediaType: type }));
  repository.addManifest({ schemaVersion: 2, config, layers: renamed }, OCI_MANIFEST, ['1']);
};

type Form = {
  readonly type?: string;
  readonly inside?: string;
  readonly configType?: string;
  readonly layerType?: string;
};
/** A sound image of docker's, with types of one's own. */
const formed =
  ({ type = DOCKER_MANIFEST, inside = type, configType, layerType }: Form) =>
  (repository: Repository) => {
    const image = repository.addImage({ format: 'docker' });
    const config = { ...image.config, mediaType: configType ?? image.config.mediaType };
    const layers = image.layers.map((layer) => ({ ...layer, mediaType: layerType ?? layer.mediaType }));
    const mediaType = inside === '' ? undefined : inside;
    repository.addManifest({ schemaVersion: 2, mediaType, config, layers }, type, ['1']);
  };

const ROWS: readonly Row[] = [
  { rule: 'J20', name: 'a sound image', marks: ALL('y') },
  { rule: 'J4', name: 'a sound image by digest', fill: (repository) => repository.addImage(), marks: ALL('y') },
  {
    rule: 'D10',
    name: 'by digest, with another Docker-Content-Digest: only a tag has to be told',
    fill: (repository) => repository.addImage(),
    bends: (repository) => [manifests(withHeaders({ 'docker-content-digest': OTHER_DIGEST }), repository)],
    marks: ALL('y'),
  },
  {
    rule: 'D10',
    name: 'by digest, with a Docker-Content-Digest that is none',
    fill: (repository) => repository.addImage(),
    bends: (repository) => [manifests(withHeaders({ 'docker-content-digest': 'foo:bar' }), repository)],
    marks: ALL('y'),
  },
  {
    rule: 'D10',
    name: 'by digest, HEAD without a length',
    fill: (repository) => repository.addImage(),
    bends: (repository) => [heads(withHeaders({ 'transfer-encoding': 'chunked' }), repository)],
    marks: ALL('y'),
  },
  {
    rule: 'J51',
    name: 'no Docker-Content-Digest',
    bends: (repository) => [manifests(withoutHeader('docker-content-digest'), repository)],
    marks: ALL('y'),
  },
  {
    rule: 'J51',
    name: 'a tag, no length and a Docker-Content-Digest that is none: nobody looks at it',
    bends: (repository) => [
      heads(withHeaders({ 'transfer-encoding': 'chunked', 'docker-content-digest': 'foo:bar' }), repository),
    ],
    marks: 'yyyy???yyyy',
    kinds: ['registry-error'],
  },
  {
    rule: 'J57',
    name: 'HEAD with a length of 0, GET well: dockerd pays sizes no heed',
    bends: (repository) => [heads(withHeaders({ 'content-length': '0' }), repository)],
    marks: 'nnnnyyynnyy',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'J57',
    name: 'nothing at all',
    bends: (repository) => [manifests(reply(200, { 'content-type': OCI_MANIFEST }), repository)],
    marks: ALL('n'),
    kinds: ['unsupported-manifest', 'damaged'],
  },
  {
    rule: 'J56',
    name: 'a login page for every manifest',
    bends: (repository) => [manifests(PAGE, repository)],
    marks: ALL('?'),
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'J53',
    name: 'other bytes under the digest that the tag stands for',
    bends: (repository) => [
      only({ kind: 'manifest', method: 'GET', repository }, (question, answer) =>
        'reference' in question.route && question.route.reference.startsWith('sha256:')
          ? { ...answer, body: Buffer.from('{"schemaVersion":2}') }
          : answer,
      ),
    ],
    marks: 'nnnnnnnnnyy',
    kinds: ['damaged'],
  },
  ...['application/json', 'application/octet-stream', 'application/vnd.example.thing'].map((type) => ({
    rule: 'J54',
    name: `an image served as ${type}`,
    fill: typed(type),
    marks: ALL('n'),
    kinds: ['unsupported-manifest'] as const,
  })),
  {
    rule: 'J54',
    name: 'an image served without a type',
    bends: (repository) => [manifests(withHeaders({ 'content-type': '' }), repository)],
    marks: ALL('n'),
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'J55',
    name: 'an image served as text/plain',
    fill: typed('text/plain'),
    marks: 'n?nnn?nnnnn',
    kinds: ['unsupported-manifest', 'damaged'],
  },
  {
    rule: 'F15',
    name: 'schema 1, signed',
    fill: schema1(DOCKER_SCHEMA1_SIGNED, SIGNATURES),
    marks: 'y?nny?nynyy',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'F15',
    name: 'schema 1, without a signature',
    fill: schema1(DOCKER_SCHEMA1_SIGNED, undefined),
    marks: 'n?nnn?nnnyy',
    kinds: ['unsupported-manifest', 'damaged'],
  },
  {
    rule: 'D11',
    name: 'schema 1, signed, as text/plain',
    fill: schema1('text/plain', SIGNATURES),
    marks: 'y?nny?nynyy',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'D11',
    name: 'schema 1, signed, as application/json: what the first registries said',
    fill: schema1('application/json', SIGNATURES),
    marks: 'nnnny?nnnyy',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'J59',
    name: 'an index served as a manifest',
    fill: (repository) => {
      const entries = [bare(repository.addImage())];
      repository.addManifest({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: entries }, OCI_MANIFEST, ['1']);
    },
    marks: ALL('n'),
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'J59',
    name: 'a manifest served as an index',
    fill: (repository) => {
      const { config, layers } = repository.addImage();
      repository.addManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }, OCI_INDEX, ['1']);
    },
    marks: ALL('n'),
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'D13',
    name: 'a manifest of 4.3 million bytes',
    fill: (repository) => {
      const { config, layers } = repository.addImage();
      const annotations = { padding: 'x'.repeat(4_300_000) };
      repository.addManifest({ schemaVersion: 2, config, layers, annotations }, OCI_MANIFEST, ['1']);
    },
    marks: 'yyyyyyyyynn',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'J61',
    name: 'a redirect to a path beside it',
    bends: (repository) => [only({ path: `/v2/${repository}/manifests/1` }, redirect(`/v2/${repository}/manifests/2`))],
    fill: (repository) => void repository.addImage({ tags: ['1', '2'] }),
    marks: ALL('y'),
  },
  {
    rule: 'J61',
    name: 'a redirect to a login page',
    bends: (repository) => [manifests(redirect('/login'), repository), only({ path: '/login' }, PAGE)],
    marks: ALL('?'),
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'J68',
    name: 'an index whose only entry is missing',
    fill: (repository) => {
      const image = repository.addImage();
      const gone = { ...image, digest: image.digest.replace(/.{8}$/u, '00000000') as typeof image.digest };
      repository.addIndex([gone], { tags: ['1'] });
    },
    marks: ALL('n'),
    kinds: ['damaged'],
  },
  {
    rule: 'F6',
    name: 'an index entry that lies about its platform',
    fill: (repository) =>
      void repository.addIndex([{ ...repository.addImage({ platform: S390X }), platform: LINUX }], { tags: ['1'] }),
    marks: ALL('y'),
  },
  {
    rule: 'F4',
    name: 'an index entry without platform, of the right one',
    fill: (repository) => void repository.addIndex([bare(repository.addImage())], { tags: ['1'] }),
    marks: 'yyyynyyyyyy',
    kinds: ['platform-mismatch'],
  },
  {
    rule: 'F4',
    name: 'an index entry without platform, of another architecture',
    fill: (repository) => void repository.addIndex([bare(repository.addImage({ platform: S390X }))], { tags: ['1'] }),
    marks: 'nnnnnwwwwww',
    kinds: ['platform-mismatch'],
  },
  {
    rule: 'F4',
    name: 'an index entry without platform, of the right one, beside one of another: CRI sizes the image by that',
    fill: (repository) => {
      const named = { ...bare(repository.addImage({ platform: S390X })), platform: S390X };
      repository.addIndex([named, bare(repository.addImage())], { tags: ['1'] });
    },
    marks: '????nyyyyyy',
    kinds: ['platform-mismatch'],
  },
  {
    rule: 'F4',
    name: 'an index entry without platform beside one of the right one',
    fill: (repository) => {
      const other = bare(repository.addImage({ platform: S390X }));
      repository.addIndex([other, { ...bare(repository.addImage()), platform: LINUX }], { tags: ['1'] });
    },
    marks: ALL('y'),
  },
  {
    rule: 'F15',
    name: 'schema 1 below an index, which no containerd takes',
    fill: (repository) => {
      const old = addSchema1(repository);
      repository.addIndex([{ ...bare(old), platform: LINUX }], { tags: ['1'] });
    },
    marks: 'nnnn',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'F9',
    name: 'an OCI layer in a packing of another name, which containerd takes for a plain archive',
    fill: (repository) => {
      const { config, layers } = repository.addImage();
      const named = layers.map((layer) => ({ ...layer, mediaType: 'application/vnd.oci.image.layer.v1.tar+br' }));
      repository.addManifest({ schemaVersion: 2, config, layers: named }, OCI_MANIFEST, ['1']);
    },
    marks: '????',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'F4',
    name: 'two index entries without platform, the second of the right one',
    fill: (repository) => {
      const both = [repository.addImage({ platform: S390X }), repository.addImage()];
      repository.addIndex(both.map(bare), { tags: ['1'] });
    },
    marks: 'nnnnnwwwwww',
    kinds: ['platform-mismatch'],
  },
  {
    rule: 'F4',
    name: 'an entry of the platform beside one without, which is missing: only the transfer service fetches it',
    fill: (repository) => {
      const other = repository.addImage({ platform: S390X });
      const gone = { ...bare(other), digest: other.digest.replace(/.{8}$/u, '00000000') as typeof other.digest };
      repository.addIndex([repository.addImage(), gone], { tags: ['1'] });
    },
    marks: 'yynyyyyyyyy',
    kinds: ['damaged'],
  },
  {
    rule: 'D11',
    name: 'an index entry of a type that is none, of which the GET says that it is a manifest',
    fill: (repository) => {
      const entry = { ...repository.addImage(), mediaType: 'application/x' };
      repository.addIndex([entry], { tags: ['1'] });
    },
    marks: 'nnnnyyynnyy',
    kinds: ['platform-mismatch', 'damaged'],
  },
  {
    rule: 'F7',
    name: 'an index in an index in an index',
    fill: (repository) => {
      const inner = repository.addIndex([repository.addImage()]);
      const middle = repository.addIndex([{ ...inner, platform: LINUX }], { format: 'docker' });
      repository.addIndex([{ ...middle, platform: LINUX }], { tags: ['1'] });
    },
    marks: 'yyyynyyyynn',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'F7',
    name: 'an index in an index, for another platform inside',
    fill: (repository) => {
      const inner = repository.addIndex([repository.addImage({ platform: S390X })]);
      repository.addIndex([{ ...inner, platform: LINUX }], { tags: ['1'] });
    },
    marks: 'nnnnnnnnnnn',
    kinds: ['platform-mismatch', 'unsupported-manifest'],
  },
  {
    rule: 'F5',
    name: 'the same entry twice',
    fill: (repository) => {
      const image = repository.addImage();
      repository.addIndex([image, image], { tags: ['1'] });
    },
    marks: ALL('y'),
  },
  {
    rule: 'design 2.1',
    name: 'an index of more entries than anybody reads',
    fill: (repository) => {
      const image = repository.addImage();
      const many = Array.from({ length: 3_000 }, () => ({ ...bare(image), platform: S390X }));
      const entries = [...many, { ...bare(image), platform: LINUX }];
      repository.addManifest({ schemaVersion: 2, manifests: entries }, DOCKER_MANIFEST_LIST, ['1']);
    },
    marks: ALL('?'),
    kinds: ['not-checked'],
  },
  {
    rule: 'J67',
    name: 'a single manifest of another architecture',
    fill: (repository) => void repository.addImage({ platform: S390X, tags: ['1'] }),
    marks: ALL('w'),
  },
  {
    rule: 'J67',
    name: 'a single manifest for Windows',
    fill: (repository) => void repository.addImage({ platform: { os: 'windows', architecture: 'amd64' }, tags: ['1'] }),
    marks: 'wwwwnnnwwww',
    kinds: ['platform-mismatch'],
  },
  {
    rule: 'J77',
    name: 'a Helm chart',
    fill: (repository) =>
      void addArtifact(repository, {
        configType: 'application/vnd.cncf.helm.config.v1+json',
        layerType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
        tags: ['1'],
      }),
    marks: 'wwwwnnnwwnw',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'J77',
    name: 'an artifact with the empty config',
    fill: (repository) => void addArtifact(repository, { tags: ['1'] }),
    marks: 'wwwwnnnwwnw',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'F9',
    name: 'a wasm layer under an image config',
    fill: layered('application/wasm'),
    marks: 'nnwnnnnnnww',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'F10',
    name: 'zstd of the OCI type',
    fill: layered('application/vnd.oci.image.layer.v1.tar+zstd'),
    marks: 'yyyy?yyyyyy',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'F10',
    name: "zstd of docker's type",
    fill: layered('application/vnd.docker.image.rootfs.diff.tar.zstd'),
    marks: 'nyyy?yyyyyy',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'F10',
    name: "zstd of docker's type in a docker manifest",
    fill: formed({ layerType: 'application/vnd.docker.image.rootfs.diff.tar.zstd' }),
    marks: 'nyyy?yyyynn',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'F9',
    name: 'OCI layers in a docker manifest',
    fill: formed({ layerType: OCI_LAYER }),
    marks: 'yyyyyyyyynn',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'F8',
    name: "docker's config in an OCI manifest",
    fill: formed({ type: OCI_MANIFEST }),
    marks: 'yyyyyyyyyn?',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'D12',
    name: 'a docker manifest that names no type',
    fill: formed({ inside: '' }),
    marks: 'yyyynnnyynn',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'D12',
    name: 'an OCI manifest that names another type',
    fill: formed({ type: OCI_MANIFEST, inside: 'application/json', configType: OCI_CONFIG }),
    marks: 'yyyynnnyyyy',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'F9',
    name: 'a layer of a type that only begins as one',
    fill: layered('application/vnd.docker.image.something'),
    marks: 'nnwnyyynnww',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'F9',
    name: 'a config of a type that only begins as one',
    fill: (repository) => {
      const { config, layers } = repository.addImage();
      const mediaType = 'application/vnd.oci.image.config.v9+json';
      const later = { ...config, mediaType };
      repository.addManifest({ schemaVersion: 2, config: later, layers }, OCI_MANIFEST, ['1']);
    },
    marks: 'nnwnyyywwnw',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'D11',
    name: 'HEAD of another type than GET',
    bends: (repository) => [heads(withHeaders({ 'content-type': 'application/json' }), repository)],
    marks: 'nnnnyyynnyy',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'D11',
    name: 'GET of another type than HEAD',
    bends: (repository) => [
      only({ kind: 'manifest', method: 'GET', repository }, withHeaders({ 'content-type': 'application/json' })),
    ],
    marks: 'yyyynnnyynn',
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'F10',
    name: 'an encrypted layer',
    fill: layered(`${OCI_LAYER}+encrypted`),
    marks: ALL('?'),
    kinds: ['unsupported-manifest'],
  },
  {
    rule: 'F13',
    name: 'no layers',
    fill: (repository) => void repository.addImage({ layers: [], tags: ['1'] }),
    marks: ALL('y'),
  },
  { rule: 'J76', name: 'a config that is no JSON', fill: configured('<html>'), marks: ALL('n'), kinds: ['damaged'] },
  {
    rule: 'J76',
    name: 'a config with a member of another type than runtimes want',
    fill: configured({ ...LINUX, created: 'yesterday', rootfs: { diff_ids: [OTHER_DIGEST] } }),
    marks: ALL('?'),
    kinds: ['damaged'],
  },
  {
    rule: 'J76',
    name: 'a config that is null, which is an empty one to Go',
    fill: configured('null'),
    marks: 'nnnnnnnnnyy',
    kinds: ['damaged'],
  },
  { rule: 'J76', name: 'a config that is a list', fill: configured([]), marks: ALL('n'), kinds: ['damaged'] },
  {
    rule: 'J76',
    name: 'a config with more diff ids than layers',
    fill: configured({ ...LINUX, rootfs: { type: 'layers', diff_ids: [OTHER_DIGEST, OTHER_DIGEST] } }),
    marks: ALL('n'),
    kinds: ['damaged'],
  },
  {
    rule: 'F13',
    name: 'a config with a diff id and no layers: containerd has nothing to unpack',
    fill: (repository) => {
      const { config } = repository.addImage();
      repository.addManifest({ schemaVersion: 2, config, layers: [] }, OCI_MANIFEST, ['1']);
    },
    marks: '????nnn??nn',
    kinds: ['damaged'],
  },
  {
    rule: 'F13',
    name: 'a layer of a known type and one of an unknown type, with a diff id each',
    fill: (repository) => {
      const { config, layers } = repository.addImage({ layers: [{ at: '0' }, { at: '1' }] });
      const mixed = layers.map((layer, at) => (at === 0 ? layer : { ...layer, mediaType: 'application/wasm' }));
      repository.addManifest({ schemaVersion: 2, config, layers: mixed }, OCI_MANIFEST, ['1']);
    },
    marks: 'nnnnnnnnnww',
    kinds: ['unsupported-manifest', 'damaged'],
  },
  {
    rule: 'F13',
    name: 'a layer with a size below zero',
    fill: (repository) => {
      const { config, layers } = repository.addImage();
      const negative = layers.map((layer) => ({ ...layer, size: -1 }));
      repository.addManifest({ schemaVersion: 2, config, layers: negative }, OCI_MANIFEST, ['1']);
    },
    marks: ALL('?'),
    kinds: ['damaged'],
  },
  {
    rule: 'D12',
    name: 'annotations that are no texts',
    fill: (repository) => {
      const { config, layers } = repository.addImage();
      const annotations = { built: 5 };
      repository.addManifest({ schemaVersion: 2, config, layers, annotations }, OCI_MANIFEST, ['1']);
    },
    marks: ALL('?'),
    kinds: ['damaged'],
  },
  {
    rule: 'F13',
    name: 'a config of 9 MiB',
    fill: configured({ ...LINUX, rootfs: { diff_ids: [OTHER_DIGEST] }, padding: 'x'.repeat(9 * 1024 * 1024) }),
    marks: ALL('y'),
  },
  {
    rule: 'F4',
    name: 'a config of 9 MiB behind an index entry without platform: only the config would tell',
    fill: (repository) => {
      const { layers } = repository.addImage();
      const text = JSON.stringify({ ...LINUX, rootfs: { diff_ids: [OTHER_DIGEST] }, padding: 'x'.repeat(9 * 2 ** 20) });
      const config = repository.addBlob(Buffer.from(text), OCI_CONFIG);
      const entry = repository.addManifest({ schemaVersion: 2, config, layers }, OCI_MANIFEST);
      repository.addIndex([bare(entry)], { tags: ['1'] });
    },
    marks: '????nyyyyyy',
    kinds: ['not-checked', 'platform-mismatch'],
  },
  {
    rule: 'J69',
    name: 'a missing config',
    bends: (repository) => [
      only({ kind: 'blob', repository }, (question, answer) =>
        answer.body[0] === 0x7b ? status(404, 'BLOB_UNKNOWN')(question, answer) : answer,
      ),
    ],
    marks: ALL('n'),
    kinds: ['damaged'],
  },
  {
    rule: 'F13',
    name: 'a layer of size 0 in the manifest',
    fill: (repository) => {
      const { config, layers } = repository.addImage();
      const zero = layers.map((layer) => ({ ...layer, size: 0 }));
      repository.addManifest({ schemaVersion: 2, config, layers: zero }, OCI_MANIFEST, ['1']);
    },
    marks: 'nnnnyyynnyy',
    kinds: ['damaged'],
  },
  {
    rule: 'F13',
    name: 'a layer of another size than the manifest says, with the right bytes',
    fill: (repository) => {
      const { config, layers } = repository.addImage();
      const wrong = layers.map((layer) => ({ ...layer, size: layer.size - 10 }));
      repository.addManifest({ schemaVersion: 2, config, layers: wrong }, OCI_MANIFEST, ['1']);
    },
    marks: 'nnnnyyynnyy',
    kinds: ['damaged'],
  },
  {
    rule: 'D12',
    name: 'a layer that lost its second half in the registry',
    bends: (repository) => [
      only({ kind: 'blob', repository }, (_question, answer) =>
        answer.body[0] === 0x1f ? { ...answer, body: answer.body.subarray(0, 60) } : answer,
      ),
    ],
    marks: ALL('n'),
    kinds: ['damaged'],
  },
];

const MARKS: Readonly<Partial<Record<OutcomeKind, string>>> = { pullable: 'y', 'will-not-run': 'w' };

describe('what each runtime makes of a manifest', { concurrency: 4 }, () => {
  const store = createImageStore();
  const nameOf = (at: number): string => `served/m${at}`;
  const digests = new Map<number, string>();
  let registry: ScriptedRegistry;
  let transport: Transport;
  before(async () => {
    const bends = ROWS.flatMap((row, at) => row.bends?.(nameOf(at)) ?? []);
    for (const [at, { fill }] of ROWS.entries()) {
      const repository = store.repository(nameOf(at));
      if (fill === undefined) repository.addImage({ tags: ['1'] });
      const stored = fill?.(repository);
      if (stored !== undefined) digests.set(at, stored.digest);
    }
    registry = await startScriptedRegistry({ store, bends });
    transport = createWire();
  });
  after(() => Promise.all([transport.close(), registry.close()]));

  for (const [at, { rule, name, marks, kinds = [] }] of ROWS.entries()) {
    it(`${name} (${rule})`, async () => {
      const host = `reg.test:${registry.port}`;
      const digest = digests.get(at);
      const image = `${host}/${nameOf(at)}${digest === undefined ? ':1' : `@${digest}`}`;
      const answers = await Promise.all(
        RUNTIMES.slice(0, marks.length).map(async (runtime, column) => {
          const options = { transport, runtime, insecure: [host], setup: hostsFile(host, []) };
          const { outcome, isConclusive } = await predict(image, options);
          const mark = MARKS[outcome.kind] ?? (isConclusive ? 'n' : '?');
          const isNamed = MARKS[outcome.kind] !== undefined || kinds.includes(outcome.kind);
          return `${mark} ${runtime}${isNamed && mark === marks[column] ? '' : `: ${JSON.stringify(outcome)}`}`;
        }),
      );

      assert.deepEqual(
        answers,
        RUNTIMES.slice(0, marks.length).map((runtime, column) => `${marks[column] ?? ''} ${runtime}`),
      );
    });
  }
});
