import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { basicAuth, type Bend } from '../../webhook/demo/registry.ts';
import { createImageStore, type Repository } from '../../webhook/demo/image-store.ts';
import {
  DOCKER_CONFIG,
  DOCKER_MANIFEST,
  DOCKER_SCHEMA1_SIGNED,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../webhook/image/media-type.ts';
import { isSuccess } from '../../webhook/pull/attempt.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { only, status, withHeaders } from '../support/bend.ts';
import { addArtifact, addAttestation, addForeignImage } from '../support/odd-image.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { startTokenService, type TokenService } from '../support/token-service.ts';
import { hostsFile, login, predict } from './rig.ts';

/** The columns of pull-parity I1, in its order. */
const RUNTIMES = [
  'containerd@1.7',
  'containerd@2.1/transfer',
  'containerd@2.1/local',
  'docker@28.5/graph',
  'docker@28.5/containerd',
  'crio@1.33',
] as const;

type Condition = {
  readonly name: string;
  readonly tag?: string;
  /** Fills the repository, whose image is asked as tag `1`. */
  readonly fill?: (repository: Repository) => void;
  /** Bends the answers about this repository. */
  readonly bends?: (repository: string) => readonly Bend[];
  /** One mark a column: `y` pulls, `n` does not, `-` where the rules do not say. */
  readonly pulls: string;
};

const fill = (repository: Repository): void => void repository.addImage({ tags: ['1'] });

const CONDITIONS: readonly Condition[] = [
  { name: 'a sound image', pulls: 'yyyyyy' },
  ...[400, 403, 404, 500, 501].map((code) => ({
    name: `HEAD ${code}, GET well`,
    bends: (repository: string) => [only({ kind: 'manifest', method: 'HEAD', repository }, status(code, 'UNKNOWN'))],
    pulls: 'nnnyny',
  })),
  {
    name: 'HEAD 405, GET well',
    bends: (repository) => [only({ kind: 'manifest', method: 'HEAD', repository }, status(405, 'UNSUPPORTED'))],
    pulls: 'yyyyyy',
  },
  {
    name: 'HEAD without Content-Length',
    bends: (repository) => [
      only({ kind: 'manifest', method: 'HEAD', repository }, withHeaders({ 'transfer-encoding': 'chunked' })),
    ],
    pulls: 'yyynyy',
  },
  {
    name: 'a Docker-Content-Digest that is another one',
    bends: (repository) => [
      only(
        { kind: 'manifest', repository, reference: '1' },
        withHeaders({ 'docker-content-digest': `sha256:${'ab'.repeat(32)}` }),
      ),
    ],
    pulls: 'nnnnny',
  },
  {
    name: 'a Docker-Content-Digest that is none',
    bends: (repository) => [
      only({ kind: 'manifest', repository, reference: '1' }, withHeaders({ 'docker-content-digest': 'foo:bar' })),
    ],
    pulls: 'nnnnny',
  },
  {
    name: '503 once, then well',
    bends: (repository) =>
      ['HEAD', 'GET'].map((method) =>
        only({ kind: 'manifest', method, repository }, status(503, 'UNAVAILABLE'), { times: 1 }),
      ),
    pulls: 'nyynyn',
  },
  {
    name: 'a manifest of 4.5 MB',
    fill: (repository) => {
      const { config, layers } = repository.addImage();
      const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers };
      repository.addManifest({ ...document, annotations: { padding: 'x'.repeat(4_500_000) } }, OCI_MANIFEST, ['1']);
    },
    pulls: 'nnnynn',
  },
  {
    name: 'an index for 386 only',
    fill: (repository) => {
      repository.addIndex([repository.addImage({ platform: { os: 'linux', architecture: '386' } })], { tags: ['1'] });
    },
    pulls: 'ynyyyn',
  },
  {
    name: 'an index for amd64/v3 only',
    fill: (repository) => {
      const platform = { os: 'linux', architecture: 'amd64', variant: 'v3' };
      repository.addIndex([repository.addImage({ platform })], { tags: ['1'] });
    },
    pulls: 'nnnynn',
  },
  {
    name: 'an index whose entry names no operating system',
    fill: (repository) => {
      const image = repository.addImage();
      repository.addIndex([{ ...image, platform: { os: '', architecture: 'amd64' } }], { tags: ['1'] });
    },
    pulls: 'yyyyyn',
  },
  {
    name: 'an index entry without platform, of another architecture',
    fill: (repository) => {
      const { mediaType, digest, size } = repository.addImage({ platform: { os: 'linux', architecture: 's390x' } });
      repository.addIndex([{ mediaType, digest, size }], { tags: ['1'] });
    },
    pulls: 'nnnyyy',
  },
  {
    name: 'an index with an attestation',
    fill: (repository) => {
      repository.addIndex([repository.addImage(), addAttestation(repository)], { tags: ['1'] });
    },
    pulls: 'yyyyyy',
  },
  {
    name: 'an index of attestations only',
    fill: (repository) => void repository.addIndex([addAttestation(repository)], { tags: ['1'] }),
    pulls: 'nnnnnn',
  },
  {
    name: 'an index in an index',
    fill: (repository) => {
      const platform = { os: 'linux', architecture: 'amd64' };
      const inner = repository.addIndex([repository.addImage()]);
      repository.addIndex([{ ...inner, platform }], { tags: ['1'] });
    },
    pulls: 'yyyyyn',
  },
  {
    name: 'several matching entries, one of them missing',
    fill: (repository) => {
      const image = repository.addImage();
      const gone = { ...image, digest: image.digest.replace(/.{8}$/u, '00000000') as typeof image.digest };
      repository.addIndex([image, gone], { tags: ['1'] });
    },
    pulls: 'ynyyyy',
  },
  {
    name: 'a single image of another architecture',
    fill: (repository) => void repository.addImage({ platform: { os: 'linux', architecture: 'arm64' }, tags: ['1'] }),
    pulls: 'yyyyyy',
  },
  {
    name: 'a single image of another operating system',
    fill: (repository) => void repository.addImage({ platform: { os: 'windows', architecture: 'amd64' }, tags: ['1'] }),
    pulls: 'yyynyy',
  },
  {
    name: 'an artifact with an empty config',
    fill: (repository) => void addArtifact(repository, { tags: ['1'] }),
    pulls: 'yyynyn',
  },
  {
    name: 'a config of an unknown type over known layers',
    fill: (repository) => {
      const { layers } = repository.addImage();
      const config = repository.addBlob(Buffer.from('{"a":1}'), 'application/vnd.example.config');
      repository.addManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }, OCI_MANIFEST, ['1']);
    },
    pulls: 'nynn-n',
  },
  {
    name: 'a config whose type the registry lost',
    fill: (repository) => {
      const { config, layers } = repository.addImage({ format: 'docker' });
      const lost = { ...config, mediaType: 'application/octet-stream' };
      const document = { schemaVersion: 2, mediaType: DOCKER_MANIFEST, config: lost, layers };
      repository.addManifest(document, DOCKER_MANIFEST, ['1']);
    },
    pulls: '-y-y--',
  },
  {
    name: 'an image with a layer of an unknown type',
    fill: (repository) => {
      const { config } = repository.addImage();
      const layers = [repository.addBlob(Buffer.from('\0asm'), 'application/wasm')];
      repository.addManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }, OCI_MANIFEST, ['1']);
    },
    pulls: 'nynnn-',
  },
  {
    name: "a layer of docker's own zstd type",
    fill: (repository) => {
      const { config, layers } = repository.addImage({ format: 'docker' });
      const mediaType = 'application/vnd.docker.image.rootfs.diff.tar.zstd';
      const packed = layers.map((layer) => ({ ...layer, mediaType }));
      const document = { schemaVersion: 2, mediaType: DOCKER_MANIFEST, config, layers: packed };
      repository.addManifest(document, DOCKER_MANIFEST, ['1']);
    },
    pulls: 'nyyyyn',
  },
  {
    name: 'a layer of another size than the manifest says',
    fill: (repository) => {
      const { config, layers } = repository.addImage();
      const lied = layers.map((layer) => ({ ...layer, size: layer.size + 10 }));
      repository.addManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: lied }, OCI_MANIFEST, ['1']);
    },
    pulls: 'nnnyny',
  },
  {
    name: 'an index entry of another size than the index says',
    fill: (repository) => {
      const image = repository.addImage();
      repository.addIndex([{ ...image, size: image.size + 10 }], { tags: ['1'] });
    },
    pulls: 'nnnyny',
  },
  {
    name: 'a config of another size than the manifest says',
    fill: (repository) => {
      const { config, layers } = repository.addImage();
      const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: { ...config, size: 7 }, layers };
      repository.addManifest(document, OCI_MANIFEST, ['1']);
    },
    pulls: 'nnnynn',
  },
  {
    name: 'a foreign layer whose URL is dead, and which the registry has',
    fill: (repository) => {
      const { config, layers } = repository.addImage({ format: 'docker' });
      const mediaType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
      const foreign = layers.map((layer) => ({ ...layer, mediaType, urls: ['http://127.0.0.1:1/layer'] }));
      const document = { schemaVersion: 2, mediaType: DOCKER_MANIFEST, config, layers: foreign };
      repository.addManifest(document, DOCKER_MANIFEST, ['1']);
    },
    pulls: 'nnnynn',
  },
  {
    name: 'a foreign layer whose URL is dead, and which the registry has not',
    fill: (repository) => void addForeignImage(repository, ['http://127.0.0.1:1/layer'], ['1']),
    pulls: 'nnnnnn',
  },
  {
    name: 'a config that lists fewer diff ids than there are layers',
    fill: (repository) => {
      const { layers } = repository.addImage({ format: 'docker' });
      const text = JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } });
      const config = repository.addBlob(Buffer.from(text), DOCKER_CONFIG);
      repository.addManifest({ schemaVersion: 2, mediaType: DOCKER_MANIFEST, config, layers }, DOCKER_MANIFEST, ['1']);
    },
    pulls: 'nnnnny',
  },
  {
    name: 'no layers and no diff ids',
    fill: (repository) => void repository.addImage({ layers: [], tags: ['1'] }),
    pulls: 'yyyyyy',
  },
  {
    name: 'schema 1, signed',
    fill: (repository) => {
      const layer = repository.addBlob(Buffer.from('an old layer'));
      const document = {
        schemaVersion: 1,
        fsLayers: [{ blobSum: layer.digest }],
        history: [{ v1Compatibility: '{}' }],
        signatures: [{ signature: 'c2ln', protected: 'e30' }],
      };
      repository.addManifest(document, DOCKER_SCHEMA1_SIGNED, ['1']);
    },
    pulls: 'ynnnny',
  },
  {
    name: 'a type that says nothing',
    fill: (repository) => {
      const { config, layers } = repository.addImage();
      repository.addManifest({ schemaVersion: 2, config, layers }, 'application/json', ['1']);
    },
    pulls: 'nnnnnn',
  },
  {
    name: 'an index served as a manifest',
    fill: (repository) => {
      const { mediaType, digest, size } = repository.addImage();
      const manifests = [{ mediaType, digest, size }];
      repository.addManifest({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_MANIFEST, ['1']);
    },
    pulls: 'nnnnnn',
  },
  { name: 'a tag that is not there', tag: '2', pulls: 'nnnnnn' },
];

describe('what each runtime pulls', () => {
  const store = createImageStore();
  const nameOf = (at: number): string => `condition/c${at}`;
  let registry: ScriptedRegistry;
  let transport: Transport;
  before(async () => {
    const bends = CONDITIONS.flatMap((condition, at) => {
      (condition.fill ?? fill)(store.repository(nameOf(at)));
      return condition.bends?.(nameOf(at)) ?? [];
    });
    registry = await startScriptedRegistry({ store });
    // each column starts with bends that have counted nothing
    for (const bend of bends) registry.bend({}, bend);
    transport = createWire();
  });
  after(() => Promise.all([transport.close(), registry.close()]));

  for (const [at, { name, tag = '1', bends, pulls }] of CONDITIONS.entries()) {
    for (const [column, runtime] of RUNTIMES.entries()) {
      const mark = pulls[column];
      if (mark === '-') continue;
      it(`${runtime}: ${name} ${mark === 'y' ? 'pulls' : 'does not pull'}`, async () => {
        const host = `reg.test:${registry.port}`;
        registry.straighten();
        for (const bend of bends?.(nameOf(at)) ?? []) registry.bend({}, bend);

        const { outcome } = await predict(`${host}/${nameOf(at)}:${tag}`, {
          transport,
          runtime,
          insecure: [host],
          setup: hostsFile(host, []),
        });

        assert.equal(isSuccess(outcome), mark === 'y', JSON.stringify(outcome));
      });
    }
  }
});

describe('how each runtime logs in', () => {
  const LOGIN = login('puller', 'pass word');
  const USERS = { puller: 'pass word' };
  const store = createImageStore();
  fill(store.repository('app'));
  let transport: Transport;
  let tokens: TokenService;
  before(async () => {
    transport = createWire();
    tokens = await startTokenService({
      logins: USERS,
      isAnonymousAllowed: false,
      bends: [only({ method: 'POST' }, status(403, 'DENIED'))],
    });
  });
  after(() => Promise.all([transport.close(), tokens.close()]));

  const cases = [
    {
      name: 'POST for a token 403, GET well',
      auth: (): Bend => (question, answer) => tokens.bearerAuth(question, answer),
      credentials: [LOGIN],
      pulls: 'nnnyny',
    },
    {
      name: 'an open /v2/ before a repository that wants a login',
      auth: (): Bend => only({ path: /^\/v2\/app\//u }, basicAuth(USERS)),
      credentials: [LOGIN],
      pulls: 'yyynyn',
    },
    {
      name: 'a /v2/ that wants Basic before a public repository, without a login',
      auth: (): Bend => only({ kind: 'base' }, basicAuth(USERS)),
      credentials: [],
      pulls: 'yyynyy',
    },
    { name: 'Basic with a login', auth: (): Bend => basicAuth(USERS), credentials: [LOGIN], pulls: 'yyyyyy' },
    { name: 'Basic without a login', auth: (): Bend => basicAuth(USERS), credentials: [], pulls: 'nnnnnn' },
    {
      name: 'Basic with a wrong login first, a right one then',
      auth: (): Bend => basicAuth(USERS),
      credentials: [login('puller', 'wrong', 'old'), LOGIN],
      pulls: 'yyyyyy',
    },
  ];
  for (const { name, auth, credentials, pulls } of cases) {
    for (const [column, runtime] of RUNTIMES.entries()) {
      const mark = pulls[column];
      it(`${runtime}: ${name} ${mark === 'y' ? 'pulls' : 'does not pull'}`, async () => {
        const registry = await startScriptedRegistry({ store, auth: auth() });
        const host = `reg.test:${registry.port}`;

        const { outcome } = await predict(`${host}/app:1`, {
          transport,
          runtime,
          insecure: [host],
          credentials,
        }).finally(registry.close);

        assert.equal(isSuccess(outcome), mark === 'y', JSON.stringify(outcome));
      });
    }
  }

  it('takes plain HTTP on loopback for granted, but on CRI-O', async () => {
    const registry = await startScriptedRegistry({ store });

    const answers = await Promise.all(
      RUNTIMES.map((runtime) => predict(`${registry.host}/app:1`, { transport, runtime })),
    ).finally(registry.close);

    assert.deepEqual(
      answers.map(({ outcome }) => outcome.kind),
      ['pullable', 'pullable', 'pullable', 'pullable', 'pullable', 'http-not-declared'],
    );
  });
});
