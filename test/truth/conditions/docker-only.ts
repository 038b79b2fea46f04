import { gzipSync, zstdCompressSync } from 'node:zlib';
import { packTar, sha256, type Repository } from '../../../webhook/demo/image-store.ts';
import type { Bend } from '../../../webhook/demo/registry.ts';
import { DOCKER_MANIFEST, DOCKER_SCHEMA1_SIGNED, OCI_INDEX, OCI_MANIFEST } from '../../../webhook/image/media-type.ts';
import { cut, redirect, reply, status, withHeaders, type Match, type When } from '../../support/bend.ts';
import type { Asked, Condition } from '../condition.ts';
import { insecureRegistry, type Stage } from '../stage.ts';
import { addParts } from './content.ts';

const TAR = Buffer.from(packTar({ 'app/name': 'a layer' }));
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

const holding =
  (fill: (app: Repository) => void) =>
  async (stage: Stage): Promise<Asked> => {
    const { app, image, files } = await insecureRegistry(stage);
    fill(app);
    return { image, files };
  };

/** A sound image in a registry that bends, for a dockerd that tries so often. */
const bent =
  (match: Match, bend: Bend, { when, attempts = 1 }: { readonly when?: When; readonly attempts?: number } = {}) =>
  async (stage: Stage): Promise<Asked> => {
    const { registry, app, image } = await insecureRegistry(stage);
    app.addImage({ tags: ['1'] });
    registry.bend(match, bend, when);
    return { image, files: { 'daemon.json': JSON.stringify({ 'max-download-attempts': attempts }) } };
  };

/** HEAD and the first GETs of a part fail; dockerd tries as often as it does by default. */
const failing =
  (part: 'config' | 'layer', times: number, bend: Bend) =>
  async (stage: Stage): Promise<Asked> => {
    const { registry, app, image } = await insecureRegistry(stage);
    const { config, layers } = app.addImage({ tags: ['1'] });
    const reference = part === 'config' ? config.digest : (layers[0]?.digest ?? '');
    registry.bend({ kind: 'blob', reference, method: 'HEAD' }, bend);
    registry.bend({ kind: 'blob', reference, method: 'GET' }, bend, { times });
    return { image, files: { 'daemon.json': JSON.stringify({ 'max-download-attempts': 5 }) } };
  };

/** Says what HEAD says, without the length that node:http would add. */
const lengthless: Bend = (_, answer) => {
  const lines = Object.entries(answer.headers)
    .filter(([name]) => name !== 'content-length')
    .map(([name, value]) => `${name}: ${String(value)}\r\n`);
  return { ...answer, raw: Buffer.from(`HTTP/1.1 ${answer.status} OK\r\n${lines.join('')}connection: close\r\n\r\n`) };
};

/** A layer of this type, of these bytes. */
const layered =
  (mediaType: string, bytes: Uint8Array = gzipSync(TAR)) =>
  (app: Repository): void => {
    addParts(app, { layers: [app.addBlob(bytes, mediaType)] });
  };

const configured =
  (configType: string, mediaType: string = OCI_MANIFEST) =>
  (app: Repository): void => {
    addParts(app, { configType, mediaType });
  };

const described =
  (platform: object) =>
  (app: Repository): void => {
    const { platform: _, ...entry } = app.addImage();
    app.addManifest({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ ...entry, platform }] }, OCI_INDEX, ['1']);
  };

/** Schema 1 with the signature's block as libtrust writes it; nobody verifies the signature itself since docker 1.10. */
function addSigned(
  app: Repository,
  options: { readonly type?: string; readonly layer?: Uint8Array; readonly isAbsent?: boolean } = {},
): void {
  const { digest } =
    options.isAbsent === true ? { digest: sha256(Buffer.from('gone')) } : app.addBlob(options.layer ?? gzipSync(TAR));
  const history = [{ v1Compatibility: JSON.stringify({ id: 'f'.repeat(64), architecture: 'amd64', os: 'linux' }) }];
  const payload = JSON.stringify(
    { schemaVersion: 1, name: app.name, tag: '1', architecture: 'amd64', fsLayers: [{ blobSum: digest }], history },
    undefined,
    3,
  );
  const tail = '\n}';
  const base64 = (text: string): string => Buffer.from(text).toString('base64url');
  const formatLength = payload.length - tail.length;
  const head = { formatLength, formatTail: base64(tail), time: '2016-01-01T00:00:00Z' };
  const jwk = {
    crv: 'P-256',
    kid: 'OD6I:6DRK:JXEJ:KBM4:255X:NSAA:MUSF:E4VM:ZI6W:CUN2:L4Z6:LSF4',
    kty: 'EC',
    x: '3gAwX48IQ5oaYQAYSxor6rYYc_6yjuLCjtQ9LUakg4A',
    y: 't72ge6kIA1XOjqjVoEOiPPAURltJFBMGDSQvEGVB010',
  };
  const signature = base64('0'.repeat(64));
  const signatures = [{ header: { jwk, alg: 'ES256' }, signature, protected: base64(JSON.stringify(head)) }];
  const text = `${payload.slice(0, formatLength)},\n   "signatures": ${JSON.stringify(signatures)}${tail}`;
  app.addManifest(Buffer.from(text), options.type ?? DOCKER_SCHEMA1_SIGNED, ['1']);
}

const head = { kind: 'manifest', method: 'HEAD' } as const;
const get = { kind: 'manifest', method: 'GET' } as const;
const blob = { kind: 'blob' } as const;
const CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  404: 'BLOB_UNKNOWN',
  429: 'TOOMANYREQUESTS',
};
const ASKED_AGAIN = 'what fails for the moment is not asked again, and the answer is no proof';

export const DOCKER_ONLY: readonly Condition[] = [
  { name: 'HEAD without a length', pulls: false, arrange: bent(head, lengthless) },
  { name: 'HEAD with a length of 0', pulls: true, arrange: bent(head, withHeaders({ 'content-length': '0' })) },
  { name: 'HEAD with another length', pulls: true, arrange: bent(head, withHeaders({ 'content-length': '7' })) },
  { name: 'HEAD without an answer', pulls: false, arrange: bent(head, cut('start')) },
  { name: 'HEAD of another type', pulls: true, arrange: bent(head, withHeaders({ 'content-type': 'text/plain' })) },
  { name: 'GET of another type', pulls: false, arrange: bent(get, withHeaders({ 'content-type': 'text/plain' })) },
  {
    name: 'HEAD with a wrong digest',
    pulls: false,
    arrange: bent(head, withHeaders({ 'docker-content-digest': `sha256:${'0'.repeat(64)}` })),
  },
  {
    name: 'GET with a wrong digest',
    pulls: true,
    arrange: bent(get, withHeaders({ 'docker-content-digest': `sha256:${'0'.repeat(64)}` })),
  },
  {
    name: 'HEAD that leads to nowhere',
    pulls: false,
    arrange: bent(
      head,
      redirect(({ url }) => url.href),
    ),
  },
  ...[401, 403, 404, 429, 500].map((code) => ({
    name: `GET answered ${code}, HEAD as it should be`,
    pulls: false,
    arrange: bent(get, status(code, 'UNKNOWN')),
  })),
  ...[500, 503].map((code) => ({
    name: `a config answered ${code} once`,
    pulls: true,
    isSpent: true as const,
    docker: { differs: ASKED_AGAIN },
    arrange: failing('config', 1, status(code, 'UNKNOWN')),
  })),
  ...[401, 403, 404, 429].map((code) => ({
    name: `a config answered ${code} once`,
    pulls: false,
    isSpent: true as const,
    arrange: failing('config', 1, status(code, CODES[code] ?? 'UNKNOWN')),
  })),
  // a layer's first GET only asks how long it is, and may fail
  ...[401, 403, 404, 429, 500, 503].map((code) => ({
    name: `a layer answered ${code} once`,
    pulls: true,
    isSpent: true as const,
    arrange: failing('layer', 1, status(code, CODES[code] ?? 'UNKNOWN')),
  })),
  ...[401, 403, 404, 429].map((code) => ({
    name: `a layer answered ${code} twice`,
    pulls: false,
    isSpent: true as const,
    arrange: failing('layer', 2, status(code, CODES[code] ?? 'UNKNOWN')),
  })),
  {
    name: 'blobs that break off once',
    pulls: true,
    isSpent: true,
    arrange: bent({ ...blob, method: 'GET' }, cut(20), { when: { after: 1, times: 1 }, attempts: 5 }),
  },
  {
    name: 'blobs that lead to a web page',
    pulls: false,
    arrange: bent(blob, reply(200, { 'content-type': 'text/html' }, '<html>login</html>')),
  },
  { name: 'schema 1 with a signature', pulls: true, arrange: holding((app) => addSigned(app)) },
  ...['text/plain', 'application/json', 'application/octet-stream'].map((type) => ({
    name: `schema 1 with a signature, of type ${type}`,
    pulls: true,
    arrange: holding((app) => addSigned(app, { type })),
  })),
  {
    name: 'schema 1 whose layer is gone',
    pulls: false,
    arrange: holding((app) => addSigned(app, { isAbsent: true })),
  },
  { name: 'a layer of gzip of the OCI type', pulls: true, arrange: holding(layered(`${LAYER}+gzip`)) },
  {
    name: 'a layer of zstd under the type of gzip',
    pulls: false,
    arrange: holding(layered(`${LAYER}+gzip`, zstdCompressSync(TAR))),
  },
  { name: 'a layer of gzip under the type of zstd', pulls: true, arrange: holding(layered(`${LAYER}+zstd`)) },
  ...[
    'application/vnd.oci.image.layer.v9.tar+gzip',
    'application/vnd.oci.image.something',
    'application/vnd.docker.something',
    'application/vnd.docker.image.rootfs.diff.tar',
    'APPLICATION/VND.OCI.IMAGE.LAYER.V1.TAR+GZIP',
  ].map((type) => ({ name: `a layer of type ${type}`, pulls: true, arrange: holding(layered(type)) })),
  ...['application/octet-stream', 'application/json', 'text/html', ''].map((type) => ({
    name: `a config of type ${type === '' ? 'nothing' : type}`,
    pulls: true,
    arrange: holding(configured(type)),
  })),
  {
    name: 'a config of type application/vnd.docker.plugin.v1+json',
    pulls: true,
    arrange: holding(configured('application/vnd.docker.plugin.v1+json')),
  },
  {
    name: 'a config of that type in a docker manifest',
    pulls: false,
    arrange: holding(configured('application/vnd.docker.plugin.v1+json', DOCKER_MANIFEST)),
  },
  {
    name: 'a config of type application/octet-stream in a docker manifest',
    pulls: true,
    arrange: holding(configured('application/octet-stream', DOCKER_MANIFEST)),
  },
  {
    name: 'a layer of type application/octet-stream',
    pulls: true,
    arrange: holding(layered('application/octet-stream')),
  },
  {
    name: 'a config of a later version',
    pulls: true,
    arrange: holding(configured('application/vnd.oci.image.config.v2+json')),
  },
  {
    name: 'an OCI config in a docker manifest',
    pulls: true,
    arrange: holding((app) => void addParts(app, { mediaType: DOCKER_MANIFEST })),
  },
  {
    name: 'a config without a system',
    pulls: true,
    arrange: holding(
      (app) => void addParts(app, { config: { config: {}, rootfs: { type: 'layers', diff_ids: [sha256(TAR)] } } }),
    ),
  },
  {
    name: 'a config whose rootfs is of no type',
    pulls: true,
    arrange: holding((app) => void addParts(app, { config: { os: 'linux', rootfs: { diff_ids: [sha256(TAR)] } } })),
  },
  {
    name: 'an entry that asks for a feature of the system',
    pulls: true,
    docker: { differs: 'later versions of dockerd pass over it, and nothing is proven by it' },
    arrange: holding(described({ os: 'linux', architecture: 'amd64', 'os.features': ['sse4'] })),
  },
  {
    name: 'an entry for x86_64',
    pulls: true,
    arrange: holding(described({ os: 'linux', architecture: 'x86_64' })),
  },
  {
    name: 'an entry of no system',
    pulls: true,
    arrange: holding(described({ os: '', architecture: 'amd64' })),
  },
];
