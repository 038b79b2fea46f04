import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { parseDigest, type Digest } from '../image/digest.ts';
import {
  DOCKER_CONFIG,
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../image/media-type.ts';

/** A piece of content as a manifest or an index points to it. `size` in bytes. */
export type Stored = { readonly mediaType: string; readonly digest: Digest; readonly size: number };
export type StoredPlatform = { readonly os: string; readonly architecture: string; readonly variant?: string };
export type StoredImage = Stored & {
  readonly platform: StoredPlatform;
  readonly config: Stored;
  readonly layers: readonly Stored[];
};
export type StoredManifest = { readonly digest: Digest; readonly mediaType: string; readonly body: Uint8Array };

export type ImageFormat = 'oci' | 'docker';
export type ImageOptions = {
  /** Default `oci`. */
  readonly format?: ImageFormat;
  /** Default `linux/amd64`. */
  readonly platform?: StoredPlatform;
  /** One layer for each entry: its files by path, at most 100 bytes a path. Default: one layer with one small file. */
  readonly layers?: readonly Readonly<Record<string, string | Uint8Array>>[];
  /** Bytes that do not compress, in a layer of their own: makes an image large. Default 0. */
  readonly paddingBytes?: number;
  readonly tags?: readonly string[];
};
export type IndexOptions = { readonly format?: ImageFormat; readonly tags?: readonly string[] };

/** What was pushed to one repository. Content is found only through a repository that it was pushed to. */
export interface Repository {
  readonly name: string;
  /** Keeps `bytes`; `mediaType` only stands in the answer, to be put into a manifest. */
  addBlob(bytes: Uint8Array, mediaType?: string): Stored;
  /** Keeps a manifest as it is given, sound or not: an object is written as JSON. */
  addManifest(document: object, mediaType: string, tags?: readonly string[]): Stored;
  addImage(options?: ImageOptions): StoredImage;
  addIndex(entries: readonly (Stored & { readonly platform?: StoredPlatform })[], options?: IndexOptions): Stored;
  tag(tag: string, digest: Digest): void;
}

/** The content of a registry, held in memory. Pushing computes digests; damage afterwards leaves them as they were. */
export interface ImageStore {
  /** The repository of that name, made where there was none. */
  repository(name: string): Repository;
  findManifest(repository: string, reference: string): StoredManifest | undefined;
  findBlob(repository: string, digest: string): Uint8Array | undefined;
  /** Sorted as the distribution specification wants them; `undefined` where there is no such repository. */
  listTags(repository: string): readonly string[] | undefined;
  /** Spoils a blob or a manifest: gone, one bit turned, the second half lost, or other bytes under its name. */
  damage(digest: Digest, how: 'removed' | 'flipped' | 'halved' | Uint8Array): void;
}

type Links = {
  readonly blobs: Set<string>;
  readonly manifests: Map<string, { readonly digest: Digest; readonly mediaType: string }>;
  readonly tags: Map<string, Digest>;
};

export function createImageStore(): ImageStore {
  const content = new Map<string, Uint8Array>();
  const repositories = new Map<string, Links>();

  const keep = (bytes: Uint8Array, mediaType: string): Stored => {
    const digest = sha256(bytes);
    content.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  return {
    repository: (name) => {
      const links = repositories.get(name) ?? { blobs: new Set(), manifests: new Map(), tags: new Map() };
      repositories.set(name, links);
      return createRepository(name, links, keep);
    },
    findManifest: (repository, reference) => {
      const links = repositories.get(repository);
      const found = links?.manifests.get(links.tags.get(reference) ?? reference);
      const body = content.get(found?.digest ?? '');
      return found === undefined || body === undefined ? undefined : { ...found, body };
    },
    findBlob: (repository, digest) =>
      repositories.get(repository)?.blobs.has(digest) === true ? content.get(digest) : undefined,
    listTags: (repository) => {
      const links = repositories.get(repository);
      return links === undefined ? undefined : [...links.tags.keys()].toSorted();
    },
    damage: (digest, how) => {
      const bytes = content.get(digest);
      if (bytes === undefined) throw new Error(`nothing to damage: ${digest} is not in the store`);
      if (how === 'removed') content.delete(digest);
      else content.set(digest, typeof how === 'string' ? spoil(bytes, how) : how);
    },
  };
}

function createRepository(
  name: string,
  links: Links,
  keep: (bytes: Uint8Array, mediaType: string) => Stored,
): Repository {
  const addBlob = (bytes: Uint8Array, mediaType = 'application/octet-stream'): Stored => {
    const stored = keep(bytes, mediaType);
    links.blobs.add(stored.digest);
    return stored;
  };
  const addManifest = (document: object, mediaType: string, tags: readonly string[] = []): Stored => {
    const stored = keep(document instanceof Uint8Array ? document : json(document), mediaType);
    links.manifests.set(stored.digest, { digest: stored.digest, mediaType });
    for (const tag of tags) links.tags.set(tag, stored.digest);
    return stored;
  };
  return {
    name,
    addBlob,
    addManifest,
    addImage: ({ format = 'oci', platform = LINUX_AMD64, layers, paddingBytes = 0, tags = [] } = {}) => {
      const types = TYPES[format];
      const trees = [...(layers ?? [{ 'app/name': `${name} for ${platform.os}/${platform.architecture}\n` }])];
      if (paddingBytes > 0) trees.push({ 'app/padding': randomBytes(paddingBytes) });
      const tars = trees.map(packTar);
      const stored = tars.map((tar) => addBlob(gzipSync(tar), types.layer));
      const rootfs = { type: 'layers', diff_ids: tars.map(sha256) };
      const config = addBlob(json({ ...platform, config: { Cmd: ['/app/name'] }, rootfs, history: [] }), types.config);
      const document = { schemaVersion: 2, mediaType: types.manifest, config, layers: stored };
      return { ...addManifest(document, types.manifest, tags), platform, config, layers: stored };
    },
    addIndex: (entries, { format = 'oci', tags = [] } = {}) => {
      const manifests = entries.map(({ mediaType, digest, size, platform }) => ({ mediaType, digest, size, platform }));
      return addManifest({ schemaVersion: 2, mediaType: TYPES[format].index, manifests }, TYPES[format].index, tags);
    },
    tag: (tag, digest) => {
      links.tags.set(tag, digest);
    },
  };
}

const LINUX_AMD64: StoredPlatform = Object.freeze({ os: 'linux', architecture: 'amd64' });

const TYPES = {
  oci: {
    manifest: OCI_MANIFEST,
    index: OCI_INDEX,
    config: OCI_CONFIG,
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    manifest: DOCKER_MANIFEST,
    index: DOCKER_MANIFEST_LIST,
    config: DOCKER_CONFIG,
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const satisfies Record<ImageFormat, unknown>;

const json = (document: object): Buffer => Buffer.from(JSON.stringify(document));

export function sha256(bytes: Uint8Array): Digest {
  const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  if (!digest.ok) throw new Error(digest.error);
  return digest.value;
}

function spoil(bytes: Uint8Array, how: 'flipped' | 'halved'): Uint8Array {
  const middle = bytes.length >> 1;
  if (how === 'halved') return bytes.subarray(0, middle);
  return bytes.map((byte, at) => (at === middle ? byte ^ 1 : byte));
}

const BLOCK = 512;

/** A ustar archive (POSIX.1-1988) of plain files, owned by root, from 1970: the same files give the same bytes. */
export function packTar(files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  const parts = Object.entries(files).flatMap(([path, given]) => {
    const body = Buffer.from(given);
    return [tarHeader(path, body.length), body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;

function tarHeader(path: string, size: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`a path of more than 100 bytes: ${path}`);
  const header = Buffer.alloc(BLOCK);
  header.write(path, 0);
  header.write(octal(0o755, 7) + octal(0, 7) + octal(0, 7) + octal(size, 11) + octal(0, 11), 100);
  // the sum is taken with its own field full of spaces
  header.write('        0', 148);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)} `, 148);
  return header;
}
