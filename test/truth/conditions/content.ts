import { gzipSync, zstdCompressSync } from 'node:zlib';
import { packTar, sha256, type Repository, type Stored } from '../../../webhook/demo/image-store.ts';
import type { Bend } from '../../../webhook/demo/registry.ts';
import {
  DOCKER_MANIFEST_LIST,
  DOCKER_CONFIG,
  DOCKER_MANIFEST,
  DOCKER_SCHEMA1_SIGNED,
  DOCKER_ZSTD_LAYER,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../../webhook/image/media-type.ts';
import { cut, redirect, reply, status, type Match } from '../../support/bend.ts';
import { addArtifact } from '../../support/odd-image.ts';
import type { Asked, Condition } from '../condition.ts';
import { insecureRegistry, type Stage } from '../stage.ts';

const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';
const OCI_LAYER = `${LAYER}+gzip`;
const TAR = Buffer.from(packTar({ 'app/name': 'a layer' }));

/** Puts something into `team/app` under the tag 1, in a registry over plain HTTP that the node was told of. */
const holding =
  (fill: (app: Repository, stage: Stage) => Promise<void> | void) =>
  async (stage: Stage): Promise<Asked> => {
    const { app, image, files } = await insecureRegistry(stage);
    await fill(app, stage);
    return { image, files };
  };

type Parts = {
  readonly config?: object | null;
  readonly configType?: string;
  readonly diffIds?: readonly string[];
  readonly layers?: readonly object[];
  readonly mediaType?: string;
  readonly tags?: readonly string[];
};

/** An image of given parts, sound where nothing is given: one layer of plain tar. */
export function addParts(app: Repository, parts: Parts): Stored {
  const plain = app.addBlob(TAR, LAYER);
  const { diffIds = [sha256(TAR)], layers = [plain], mediaType = OCI_MANIFEST } = parts;
  const document = { os: 'linux', architecture: 'amd64', config: {}, rootfs: { type: 'layers', diff_ids: diffIds } };
  const text = JSON.stringify(parts.config === undefined ? document : parts.config);
  const config = app.addBlob(Buffer.from(text), parts.configType ?? OCI_CONFIG);
  return app.addManifest({ schemaVersion: 2, mediaType, config, layers }, mediaType, parts.tags ?? ['1']);
}

/** A sound image with a member that another kind of document has. */
function addAmbiguous(
  app: Repository,
  {
    format,
    kind,
    more,
  }: { readonly format: 'oci' | 'docker'; readonly kind: 'manifest' | 'index'; readonly more: object },
): void {
  const { digest, size, mediaType, config, layers, platform } = app.addImage({ format });
  const index = format === 'oci' ? OCI_INDEX : DOCKER_MANIFEST_LIST;
  const type = kind === 'index' ? index : mediaType;
  const inside = kind === 'index' ? { manifests: [{ digest, size, mediaType, platform }] } : { config, layers };
  app.addManifest({ schemaVersion: 2, mediaType: type, ...inside, ...more }, type, ['1']);
}

const layerOf = (app: Repository, bytes: Uint8Array, mediaType: string): object => app.addBlob(bytes, mediaType);

/** Schema 1 as registries kept it, unsigned: containers/image reads it all the same. */
function addSchema1(app: Repository, packed: Uint8Array): void {
  const { digest } = app.addBlob(packed);
  const history = [{ v1Compatibility: JSON.stringify({ id: 'f'.repeat(64), architecture: 'amd64', os: 'linux' }) }];
  const document = {
    schemaVersion: 1,
    name: app.name,
    tag: '1',
    architecture: 'amd64',
    fsLayers: [{ blobSum: digest }],
    history,
  };
  app.addManifest(document, DOCKER_SCHEMA1_SIGNED, ['1']);
}

/** Spoils one blob of a sound image. */
const spoilt =
  (which: 'config' | 'layer' | 'manifest', how: 'removed' | 'flipped' | 'halved') =>
  async (stage: Stage): Promise<Asked> => {
    const { registry, app, image, files } = await insecureRegistry(stage);
    const stored = app.addImage({ tags: ['1'] });
    const [layer] = stored.layers;
    const victim = which === 'config' ? stored.config : which === 'layer' && layer !== undefined ? layer : stored;
    registry.store.damage(victim.digest, how);
    return { image: which === 'manifest' ? image.replace(':1', `@${stored.digest}`) : image, files };
  };

const sized =
  (which: 'config' | 'layer', by: number) =>
  async (stage: Stage): Promise<Asked> => {
    const { app, image, files } = await insecureRegistry(stage);
    const { config, layers } = app.addImage();
    const resize = (one: Stored): Stored => ({ ...one, size: one.size + by });
    const document = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: which === 'config' ? resize(config) : config,
      layers: which === 'layer' ? layers.map(resize) : layers,
    };
    app.addManifest(document, OCI_MANIFEST, ['1']);
    return { image, files };
  };

/** A layer of a URL, at a server that answers so; the registry itself may have the layer too. */
const foreign =
  (at: number | 'dead' | 'there', inRegistry: 'absent' | 'present' = 'absent') =>
  async (stage: Stage): Promise<Asked> => {
    const elsewhere = await stage.registry();
    const layer = elsewhere.store.repository('layers').addBlob(gzipSync(TAR));
    if (typeof at === 'number') elsewhere.bend({}, status(at, 'UNKNOWN'));
    if (at === 'dead') elsewhere.bend({}, cut('start'));
    const urls = [`${elsewhere.origin}/v2/layers/blobs/${layer.digest}`];
    return await holding((app) => {
      if (inRegistry === 'present') app.addBlob(gzipSync(TAR));
      const mediaType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
      addParts(app, { mediaType: DOCKER_MANIFEST, layers: [{ ...layer, mediaType, urls }] });
    })(stage);
  };

/** The registry serves a blob's GET or HEAD in a way of its own. */
const blobs =
  (bend: Bend, match: Match = {}) =>
  async (stage: Stage): Promise<Asked> => {
    const { registry, app, image, files } = await insecureRegistry(stage);
    app.addImage({ tags: ['1'] });
    registry.bend({ kind: 'blob', ...match }, bend);
    return { image, files };
  };

async function blobsElsewhere(stage: Stage, isAlive: boolean): Promise<Asked> {
  const { registry, app, image, files } = await insecureRegistry(stage);
  app.addImage({ tags: ['1'] });
  const cdn = await stage.registry({ store: registry.store });
  if (!isAlive) await cdn.close();
  registry.bend(
    { kind: 'blob' },
    redirect(({ url }) => `${cdn.origin}${url.pathname}`),
  );
  return { image, files };
}

/** The library compares diff ids since 5.34, which is in CRI-O 1.33. */
const BEFORE_DIFF_IDS = { runtime: 'crio@1.32' } as const;
const BEFORE_ARTIFACTS = { runtime: 'crio@1.33' } as const;

export const CONTENT: readonly Condition[] = [
  { name: 'a sound OCI image', pulls: true, arrange: holding((app) => void app.addImage({ tags: ['1'] })) },
  {
    name: 'a sound docker image',
    pulls: true,
    arrange: holding((app) => void app.addImage({ format: 'docker', tags: ['1'] })),
  },
  { name: 'an image of plain tar', pulls: true, arrange: holding((app) => void addParts(app, {})) },
  {
    name: 'an image without any layer',
    pulls: true,
    arrange: holding((app) => void addParts(app, { layers: [], diffIds: [] })),
  },
  { name: 'a config that is gone', pulls: false, arrange: spoilt('config', 'removed') },
  { name: 'a config with a bit turned', pulls: false, arrange: spoilt('config', 'flipped') },
  { name: 'a config that lost its end', pulls: false, arrange: spoilt('config', 'halved') },
  { name: 'a layer that is gone', pulls: false, arrange: spoilt('layer', 'removed') },
  { name: 'a layer with a bit turned', pulls: false, arrange: spoilt('layer', 'flipped') },
  { name: 'a layer that lost its end', pulls: false, arrange: spoilt('layer', 'halved') },
  { name: 'a manifest that is not what its digest says', pulls: false, arrange: spoilt('manifest', 'flipped') },
  { name: 'a layer whose declared size is too large', pulls: true, arrange: sized('layer', 10) },
  { name: 'a layer whose declared size is too small', pulls: true, arrange: sized('layer', -10) },
  {
    name: 'a config whose declared size is wrong',
    pulls: false,
    docker: { pulls: true },
    arrange: sized('config', 10),
  },
  {
    name: 'a diff id that no layer has',
    pulls: true,
    docker: { pulls: false },
    ...BEFORE_DIFF_IDS,
    arrange: holding((app) => void addParts(app, { diffIds: [`sha256:${'0'.repeat(64)}`] })),
  },
  {
    name: 'a layer without any diff id',
    pulls: true,
    docker: { pulls: false },
    arrange: holding((app) => void addParts(app, { diffIds: [] })),
  },
  {
    name: 'a diff id for one of two layers',
    pulls: true,
    docker: { pulls: false },
    ...BEFORE_DIFF_IDS,
    arrange: holding((app) => {
      const other = Buffer.from(packTar({ 'app/more': 'another layer' }));
      addParts(app, { layers: [layerOf(app, TAR, LAYER), layerOf(app, other, LAYER)] });
    }),
  },
  {
    name: 'a config that is no image config',
    pulls: true,
    docker: { pulls: false },
    arrange: holding((app) => void addParts(app, { config: {} })),
  },
  {
    name: 'a config that is null',
    pulls: true,
    docker: { pulls: false },
    arrange: holding((app) => void addParts(app, { config: null })),
  },
  {
    name: 'gzip under the type of plain tar',
    pulls: true,
    arrange: holding((app) => void addParts(app, { layers: [layerOf(app, gzipSync(TAR), LAYER)] })),
  },
  {
    name: 'plain tar under the type of gzip',
    pulls: true,
    arrange: holding((app) => void addParts(app, { layers: [layerOf(app, TAR, `${LAYER}+gzip`)] })),
  },
  {
    name: 'a layer of zstd',
    pulls: true,
    docker: { pulls: false },
    arrange: holding((app) => void addParts(app, { layers: [layerOf(app, zstdCompressSync(TAR), `${LAYER}+zstd`)] })),
  },
  {
    name: 'a layer that is no archive',
    pulls: false,
    arrange: holding((app) => {
      const bytes = Buffer.from('not an archive of any kind, and longer than a block'.repeat(30));
      addParts(app, { layers: [layerOf(app, bytes, LAYER)], diffIds: [sha256(bytes)] });
    }),
  },
  {
    name: 'a layer of a type that nobody knows',
    pulls: true,
    docker: { pulls: false },
    arrange: holding((app) => void addParts(app, { layers: [layerOf(app, TAR, 'application/vnd.example.layer')] })),
  },
  {
    name: 'a wasm layer beside an image config',
    pulls: true,
    docker: { pulls: false },
    arrange: holding((app) => void addParts(app, { layers: [layerOf(app, TAR, 'application/wasm')] })),
  },
  {
    name: 'an artifact with an empty config',
    pulls: false,
    ...BEFORE_ARTIFACTS,
    arrange: holding((app) => void addArtifact(app, { tags: ['1'] })),
  },
  {
    name: 'an artifact, for a CRI-O with an artifact store',
    pulls: false,
    differs: 'podman 4.3 has no artifact store, CRI-O pulls artifacts into its own since 1.34',
    arrange: holding((app) => void addArtifact(app, { tags: ['1'] })),
  },
  {
    name: 'a Helm chart',
    pulls: false,
    ...BEFORE_ARTIFACTS,
    arrange: holding(
      (app) => void addArtifact(app, { configType: 'application/vnd.cncf.helm.config.v1+json', tags: ['1'] }),
    ),
  },
  {
    name: 'schema 1',
    pulls: true,
    docker: { pulls: false },
    arrange: holding((app) => addSchema1(app, gzipSync(TAR))),
  },
  {
    name: 'schema 1 whose layer is no archive',
    pulls: false,
    differs: 'of schema 1 only the presence of its layers is asked',
    arrange: holding((app) => addSchema1(app, Buffer.from('no archive'))),
  },
  { name: 'a foreign layer at a server that says nothing', pulls: false, arrange: foreign('dead') },
  { name: 'a foreign layer that its server refuses', pulls: false, arrange: foreign(403) },
  { name: 'a foreign layer that neither server nor registry has', pulls: false, arrange: foreign(404) },
  {
    name: 'a foreign layer at a server that says nothing, and in the registry',
    pulls: true,
    differs: 'the library of today asks no registry after a URL that failed, podman 4.3 does after silence',
    arrange: foreign('dead', 'present'),
  },
  {
    name: 'a foreign layer that its server refuses, and in the registry',
    pulls: false,
    docker: { pulls: true },
    arrange: foreign(403, 'present'),
  },
  {
    name: 'a foreign layer that its server has not, and in the registry',
    pulls: false,
    docker: { pulls: true },
    arrange: foreign(404, 'present'),
  },
  { name: 'a foreign layer that its server has', pulls: true, docker: { pulls: false }, arrange: foreign('there') },
  { name: 'blobs at another server', pulls: true, arrange: async (stage) => await blobsElsewhere(stage, true) },
  {
    name: 'blobs at a server that is gone',
    pulls: false,
    arrange: async (stage) => await blobsElsewhere(stage, false),
  },
  {
    name: 'blobs that only GET is shown',
    pulls: true,
    arrange: blobs(status(404, 'BLOB_UNKNOWN'), { method: 'HEAD' }),
  },
  { name: 'blobs that are refused', pulls: false, arrange: blobs(status(403, 'DENIED')) },
  { name: 'blobs behind a login that the rest is not', pulls: false, arrange: blobs(status(401, 'UNAUTHORIZED')) },
  { name: 'blobs that fail', pulls: false, arrange: blobs(status(500, 'UNKNOWN')) },
  {
    name: 'a web page in place of a layer',
    pulls: false,
    arrange: blobs(reply(200, { 'content-type': 'text/html' }, '<html>')),
  },
  // what could be read both ways, and no tool writes: containerd refuses all of it
  ...(
    [
      ['a docker manifest with a list of manifests', 'docker', 'manifest', { manifests: [] }],
      ['a docker manifest with fsLayers', 'docker', 'manifest', { fsLayers: [] }],
      ['a docker list with layers', 'docker', 'index', { layers: [] }],
      ['a docker list with fsLayers', 'docker', 'index', { fsLayers: [] }],
    ] as const
  ).map(([name, format, kind, more]) => ({
    name,
    pulls: false,
    docker: { pulls: true, differs: 'it is called no manifest, and that is no proof' },
    arrange: holding((app) => addAmbiguous(app, { format, kind, more })),
  })),
  ...(
    [
      ['an OCI manifest with a list of manifests', 'oci', 'manifest', { manifests: [] }],
      ['an OCI index with layers', 'oci', 'index', { layers: [] }],
      ['an OCI manifest that calls itself an index', 'oci', 'manifest', { mediaType: OCI_INDEX }],
    ] as const
  ).map(([name, format, kind, more]) => ({
    name,
    pulls: false,
    arrange: holding((app) => addAmbiguous(app, { format, kind, more })),
  })),
  // what a document calls itself: podman's answer, then dockerd's
  ...(
    [
      ['a docker manifest that names no type', 'docker', 'manifest', undefined, false, false],
      ['a docker manifest that calls itself OCI', 'docker', 'manifest', OCI_MANIFEST, false, false],
      ['a docker manifest of another type inside', 'docker', 'manifest', 'application/json', false, false],
      ['a docker manifest that calls itself a config', 'docker', 'manifest', DOCKER_CONFIG, true, false],
      ['a docker list that names no type', 'docker', 'index', undefined, true, false],
      ['a docker list that calls itself OCI', 'docker', 'index', OCI_INDEX, true, false],
      ['an OCI manifest that names no type', 'oci', 'manifest', undefined, true, true],
      ['an OCI manifest that calls itself docker', 'oci', 'manifest', DOCKER_MANIFEST, false, false],
      ['an OCI manifest of another type inside', 'oci', 'manifest', 'application/json', true, false],
      ['an OCI index that names no type', 'oci', 'index', undefined, true, true],
      ['an OCI index that calls itself docker', 'oci', 'index', DOCKER_MANIFEST_LIST, true, false],
    ] as const
  ).map(([name, format, kind, mediaType, podman, docker]) => ({
    name,
    pulls: podman,
    docker: { pulls: docker },
    arrange: holding((app) => addAmbiguous(app, { format, kind, more: { mediaType } })),
  })),
  ...(
    [
      ['a docker manifest with OCI layers', DOCKER_MANIFEST, OCI_LAYER, OCI_CONFIG, false, true],
      ['a docker manifest with OCI layers and a docker config', DOCKER_MANIFEST, OCI_LAYER, DOCKER_CONFIG, false, true],
      ['a docker manifest with an OCI config', DOCKER_MANIFEST, DOCKER_LAYER, OCI_CONFIG, true, true],
      ['a docker manifest with a config of another type', DOCKER_MANIFEST, DOCKER_LAYER, 'application/x', true, false],
      ['a docker manifest with a config of no type', DOCKER_MANIFEST, DOCKER_LAYER, '', true, true],
      ['a docker manifest with zstd layers of OCI', DOCKER_MANIFEST, `${LAYER}+zstd`, DOCKER_CONFIG, false, false],
      ['a docker manifest with zstd layers of docker', DOCKER_MANIFEST, DOCKER_ZSTD_LAYER, DOCKER_CONFIG, false, false],
      ['a docker manifest with a layer of no type', DOCKER_MANIFEST, '', DOCKER_CONFIG, false, true],
      ['a docker manifest with a layer of a config type', DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_CONFIG, true, true],
      ['an OCI manifest with docker layers', OCI_MANIFEST, DOCKER_LAYER, OCI_CONFIG, true, true],
      ['an OCI manifest with docker layers and config', OCI_MANIFEST, DOCKER_LAYER, DOCKER_CONFIG, false, true],
      ['an OCI manifest with a config of no type', OCI_MANIFEST, DOCKER_LAYER, '', false, true],
    ] as const
  ).map(([name, mediaType, layerType, configType, podman, docker]) => ({
    name,
    pulls: podman,
    docker: { pulls: docker },
    arrange: holding((app) => {
      const bytes = layerType.endsWith('zstd') ? zstdCompressSync(TAR) : gzipSync(TAR);
      addParts(app, { mediaType, configType, layers: [layerOf(app, bytes, layerType)] });
    }),
  })),
  {
    name: 'an OCI index that calls itself a manifest',
    pulls: true,
    differs: 'it is called no manifest, and that is no proof',
    docker: { pulls: false },
    arrange: holding((app) => addAmbiguous(app, { format: 'oci', kind: 'index', more: { mediaType: OCI_MANIFEST } })),
  },
];
