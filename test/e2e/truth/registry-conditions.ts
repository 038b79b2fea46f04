import type { Bend } from '../../../webhook/demo/registry.ts';
import { basicAuth } from '../../../webhook/demo/registry.ts';
import type { Repository } from '../../../webhook/demo/image-store.ts';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../../webhook/image/media-type.ts';
import {
  neverAnswer,
  only,
  raw,
  redirect,
  reply,
  status,
  withHeaders,
  withoutHeader,
  type Match,
} from '../../support/bend.ts';
import { addArtifact, addAttestation, addSchema1 } from '../../support/odd-image.ts';

type BendsFor = (repository: string) => readonly Bend[];

/** A repository's content and manners, all in one registry that the node asks over plain HTTP. */
export type RegistryCondition = {
  readonly id: string;
  readonly rule: string;
  /** Fills the repository; the Pod pulls `app:1` of it unless a reference is returned. */
  readonly fill: (repository: Repository) => string | void;
  /** For requests to this repository alone. */
  readonly bends?: BendsFor;
  readonly damage?: 'child' | 'config' | 'layer';
};

const image = (repository: Repository): void => {
  repository.addImage({ tags: ['1'] });
};
const manifests = (repository: string, bend: Bend, match: Match = {}): Bend =>
  only({ kind: 'manifest', repository, ...match }, bend);
const blobs = (repository: string, bend: Bend, match: Match = {}): Bend =>
  only({ kind: 'blob', repository, ...match }, bend);
const heads =
  (code: number, errorCode: string): BendsFor =>
  (repository) => [manifests(repository, status(code, errorCode), { method: 'HEAD' })];
const linux = (architecture: string, variant?: string): { os: string; architecture: string; variant?: string } => ({
  os: 'linux',
  architecture,
  ...(variant === undefined ? {} : { variant }),
});
const index =
  (...platforms: readonly ReturnType<typeof linux>[]) =>
  (repository: Repository): void => {
    repository.addIndex(
      platforms.map((platform) => repository.addImage({ platform })),
      { tags: ['1'] },
    );
  };
const typed =
  (contentType: string): BendsFor =>
  (repository) => [manifests(repository, withHeaders({ 'content-type': contentType }))];

/** pull-parity parts D and F, as rows. */
export const REGISTRY_CONDITIONS: readonly RegistryCondition[] = [
  { id: 'ok-oci', rule: 'J20', fill: image },
  { id: 'ok-docker', rule: 'J20', fill: (r) => void r.addImage({ format: 'docker', tags: ['1'] }) },
  {
    id: 'many-layers',
    rule: 'D12',
    fill: (r) => void r.addImage({ tags: ['1'], layers: [{ a: '1' }, { b: '2' }, { c: '3' }] }),
  },
  { id: 'tag-absent', rule: 'J21', fill: (r) => void r.addImage({ tags: ['2'] }) },
  { id: 'repository-absent', rule: 'J22', fill: () => 'nowhere-at-all:1' },
  {
    id: 'not-found-html',
    rule: 'J23',
    fill: image,
    bends: (r) => [manifests(r, reply(404, { 'content-type': 'text/html' }, '<html>gone</html>'))],
  },
  { id: 'head-400', rule: 'D7', fill: image, bends: heads(400, 'UNSUPPORTED') },
  { id: 'head-403', rule: 'D7', fill: image, bends: heads(403, 'DENIED') },
  { id: 'head-500', rule: 'D7', fill: image, bends: heads(500, 'UNKNOWN') },
  { id: 'head-501', rule: 'D7', fill: image, bends: heads(501, 'UNSUPPORTED') },
  { id: 'head-405', rule: 'J49', fill: image, bends: heads(405, 'UNSUPPORTED') },
  {
    id: 'no-digest-header',
    rule: 'J51',
    fill: image,
    bends: (r) => [manifests(r, withoutHeader('docker-content-digest'))],
  },
  {
    id: 'no-length-on-head',
    rule: 'J51',
    fill: image,
    bends: (r) => [manifests(r, withHeaders({ 'transfer-encoding': 'chunked' }), { method: 'HEAD' })],
  },
  {
    id: 'digest-header-untrue',
    rule: 'J52',
    fill: image,
    bends: (r) => [
      manifests(r, withHeaders({ 'docker-content-digest': `sha256:${'ab'.repeat(32)}` }), { reference: '1' }),
    ],
  },
  {
    id: 'digest-header-no-digest',
    rule: 'J52',
    fill: image,
    bends: (r) => [manifests(r, withHeaders({ 'docker-content-digest': 'foo:bar' }), { reference: '1' })],
  },
  {
    id: 'get-other-bytes',
    rule: 'J53',
    fill: image,
    bends: (r) => [
      manifests(r, (_q, answer) => ({ ...answer, body: Buffer.concat([answer.body, Buffer.from(' ')]) }), {
        method: 'GET',
      }),
    ],
  },
  { id: 'type-json', rule: 'J54', fill: image, bends: typed('application/json') },
  { id: 'type-octets', rule: 'J54', fill: image, bends: typed('application/octet-stream') },
  { id: 'type-text', rule: 'J55', fill: image, bends: typed('text/plain') },
  { id: 'type-with-charset', rule: 'D11', fill: image, bends: typed(`${OCI_MANIFEST}; charset=utf-8`) },
  {
    id: 'empty-200',
    rule: 'J57',
    fill: image,
    bends: (r) => [manifests(r, reply(200, { 'content-type': OCI_MANIFEST }))],
  },
  {
    id: 'manifest-too-large',
    rule: 'J58',
    fill: (r) => {
      const { config, layers } = r.addImage();
      const annotations = { padding: 'x'.repeat(4_500_000) };
      r.addManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers, annotations }, OCI_MANIFEST, ['1']);
    },
  },
  { id: 'index-served-as-manifest', rule: 'J59', fill: index(linux('amd64')), bends: typed(OCI_MANIFEST) },
  { id: 'manifest-served-as-index', rule: 'J59', fill: image, bends: typed(OCI_INDEX) },
  { id: 'schema1', rule: 'J60', fill: (r) => void addSchema1(r, ['1']) },
  {
    id: 'redirect-to-sibling',
    rule: 'J61',
    fill: image,
    bends: (r) =>
      [
        manifests(
          r,
          redirect(({ url }) => `${url.pathname}?moved=1`),
          { path: /manifests\/1$/u },
        ),
      ].map(
        (bend): Bend =>
          (q, a) =>
            q.url.search.includes('moved') ? a : bend(q, a),
      ),
  },
  {
    id: 'redirect-to-login',
    rule: 'J61',
    fill: image,
    bends: (r) => [
      manifests(r, (q, a) =>
        q.url.pathname.endsWith('/1') ? { status: 302, headers: { location: '/login' }, body: Buffer.alloc(0) } : a,
      ),
      only({ path: '/login' }, reply(200, { 'content-type': 'text/html' }, '<html>log in</html>')),
    ],
  },
  {
    id: 'redirect-loop',
    rule: 'D15',
    fill: image,
    bends: (r) => [
      manifests(
        r,
        redirect(({ url }) => url.pathname),
      ),
    ],
  },
  {
    id: 'status-408-once',
    rule: 'D8',
    fill: image,
    bends: (r) => [only({ kind: 'manifest', repository: r }, status(408, 'UNKNOWN'), { times: 1 })],
  },
  { id: 'status-429', rule: 'J46', fill: image, bends: (r) => [manifests(r, status(429, 'TOOMANYREQUESTS'))] },
  { id: 'status-500', rule: 'J47', fill: image, bends: (r) => [manifests(r, status(500, 'UNKNOWN'))] },
  { id: 'status-502', rule: 'J48', fill: image, bends: (r) => [manifests(r, status(502, 'UNKNOWN'))] },
  {
    id: 'status-503-once',
    rule: 'J47',
    fill: image,
    bends: (r) => [only({ kind: 'manifest', repository: r }, status(503, 'UNAVAILABLE'), { times: 1 })],
  },
  {
    id: 'status-504-once',
    rule: 'D8',
    fill: image,
    bends: (r) => [only({ kind: 'manifest', repository: r }, status(504, 'UNKNOWN'), { times: 1 })],
  },
  { id: 'no-http', rule: 'E13', fill: image, bends: (r) => [manifests(r, raw('hello, this is no HTTP\r\n'))] },
  { id: 'denied-403', rule: 'J45', fill: image, bends: (r) => [manifests(r, status(403, 'DENIED'))] },
  {
    id: 'unauthorized-no-challenge',
    rule: 'J24',
    fill: image,
    bends: (r) => [manifests(r, status(401, 'UNAUTHORIZED'))],
  },
  {
    id: 'challenge-digest-only',
    rule: 'J25',
    fill: image,
    bends: (r) => [manifests(r, status(401, 'UNAUTHORIZED', { 'www-authenticate': 'Digest realm="x", nonce="y"' }))],
  },
  {
    id: 'bearer-no-realm',
    rule: 'J26',
    fill: image,
    bends: (r) => [manifests(r, status(401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer service="x"' }))],
  },
  {
    id: 'bearer-relative-realm',
    rule: 'D5',
    fill: image,
    bends: (r) => [manifests(r, status(401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer realm="/token"' }))],
  },
  {
    id: 'bearer-dead-realm',
    rule: 'J42',
    fill: image,
    bends: (r) => [
      manifests(r, status(401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer realm="http://127.0.0.1:1/token"' })),
    ],
  },
  { id: 'basic-on-blobs-only', rule: 'J82', fill: image, bends: (r) => [blobs(r, basicAuth({ u: 'p' }))] },

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
    fill: (r) => {
      const gone = { mediaType: OCI_MANIFEST, digest: `sha256:${'cd'.repeat(32)}`, size: 400 } as never;
      r.addIndex([r.addImage(), { ...(gone as object), platform: linux('amd64') } as never], { tags: ['1'] });
    },
  },
  { id: 'single-arm64', rule: 'J67', fill: (r) => void r.addImage({ platform: linux('arm64'), tags: ['1'] }) },
  {
    id: 'single-windows',
    rule: 'F6',
    fill: (r) => void r.addImage({ platform: { os: 'windows', architecture: 'amd64' }, tags: ['1'] }),
  },

  { id: 'child-absent', rule: 'J68', fill: index(linux('amd64')), damage: 'child' },
  { id: 'config-absent', rule: 'J69', fill: image, damage: 'config' },
  { id: 'layer-absent', rule: 'J70', fill: image, damage: 'layer' },
  {
    id: 'layer-size-wrong',
    rule: 'J73',
    fill: (r) => {
      const { config, layers } = r.addImage();
      r.addManifest(
        {
          schemaVersion: 2,
          mediaType: OCI_MANIFEST,
          config,
          layers: layers.map((one) => ({ ...one, size: one.size + 5 })),
        },
        OCI_MANIFEST,
        ['1'],
      );
    },
  },
  {
    id: 'layer-size-zero',
    rule: 'F13',
    fill: (r) => {
      const { config, layers } = r.addImage();
      r.addManifest(
        { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: layers.map((one) => ({ ...one, size: 0 })) },
        OCI_MANIFEST,
        ['1'],
      );
    },
  },
  {
    id: 'config-size-wrong',
    rule: 'F13',
    fill: (r) => {
      const { config, layers } = r.addImage();
      r.addManifest(
        { schemaVersion: 2, mediaType: OCI_MANIFEST, config: { ...config, size: config.size + 1 }, layers },
        OCI_MANIFEST,
        ['1'],
      );
    },
  },
  {
    id: 'config-not-json',
    rule: 'J76',
    fill: (r) => {
      const { layers, config } = r.addImage();
      const bad = r.addBlob(Buffer.from('not json'), config.mediaType);
      r.addManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: bad, layers }, OCI_MANIFEST, ['1']);
    },
  },
  {
    id: 'diff-ids-too-few',
    rule: 'J76',
    fill: (r) => {
      const { layers, config } = r.addImage();
      const bad = r.addBlob(
        Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } })),
        config.mediaType,
      );
      r.addManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: bad, layers }, OCI_MANIFEST, ['1']);
    },
  },
  {
    id: 'manifest-no-config',
    rule: 'D12',
    fill: (r) => {
      const { layers } = r.addImage();
      r.addManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, layers }, OCI_MANIFEST, ['1']);
    },
  },
  {
    id: 'manifest-not-json',
    rule: 'D12',
    fill: (r) => void r.addManifest(Buffer.from('{"schemaVersion": 2,'), OCI_MANIFEST, ['1']),
  },
  {
    id: 'docker-type-oci-inside',
    rule: 'D12',
    fill: (r) => {
      const { layers, config } = r.addImage();
      r.addManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }, DOCKER_MANIFEST, ['1']);
    },
  },
  {
    id: 'same-layer-twice',
    rule: 'F13',
    fill: (r) => {
      const { layers, config } = r.addImage();
      r.addManifest(
        { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [...layers, ...layers] },
        OCI_MANIFEST,
        ['1'],
      );
    },
  },
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
    fill: (r) => {
      const { layers, config } = r.addImage();
      r.addManifest(
        {
          schemaVersion: 2,
          mediaType: OCI_MANIFEST,
          config,
          layers: layers.map((one) => ({ ...one, mediaType: 'application/vnd.wasm.content.layer.v1+wasm' })),
        },
        OCI_MANIFEST,
        ['1'],
      );
    },
  },
  {
    id: 'unknown-config-type',
    rule: 'F9',
    fill: (r) => {
      const { layers, config } = r.addImage();
      r.addManifest(
        {
          schemaVersion: 2,
          mediaType: OCI_MANIFEST,
          config: { ...config, mediaType: 'application/vnd.wasm.config.v1+json' },
          layers,
        },
        OCI_MANIFEST,
        ['1'],
      );
    },
  },

  {
    id: 'blob-head-404',
    rule: 'design 5.6',
    fill: image,
    bends: (r) => [blobs(r, status(404, 'BLOB_UNKNOWN'), { method: 'HEAD' })],
  },
  {
    id: 'blob-head-403',
    rule: 'design 5.6',
    fill: image,
    bends: (r) => [blobs(r, status(403, 'DENIED'), { method: 'HEAD' })],
  },
  { id: 'blob-get-403', rule: 'J81', fill: image, bends: (r) => [blobs(r, status(403, 'DENIED'))] },
  { id: 'blob-get-429', rule: 'J81', fill: image, bends: (r) => [blobs(r, status(429, 'TOOMANYREQUESTS'))] },
  { id: 'blob-get-500', rule: 'J81', fill: image, bends: (r) => [blobs(r, status(500, 'UNKNOWN'))] },
  { id: 'blob-redirect-dead', rule: 'J80', fill: image, bends: (r) => [blobs(r, redirect('http://127.0.0.1:1/gone'))] },
  {
    id: 'blob-redirect-no-host',
    rule: 'J80',
    fill: image,
    bends: (r) => [blobs(r, redirect('http://cdn.truth.invalid/blob'))],
  },
  {
    id: 'blob-no-length',
    rule: 'D12',
    fill: image,
    bends: (r) => [blobs(r, withHeaders({ 'transfer-encoding': 'chunked' }))],
  },
  { id: 'silent-manifest', rule: 'G5', fill: image, bends: (r) => [manifests(r, neverAnswer)] },
];
