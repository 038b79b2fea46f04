import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import {
  packTar,
  sha256,
  type Repository,
  type Stored,
  type StoredImage,
  type StoredPlatform,
} from '../../../webhook/demo/image-store.ts';
import type { Bend } from '../../../webhook/demo/registry.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../../webhook/image/media-type.ts';
import { only, status, withHeaders, type Match } from '../../support/bend.ts';

export type BendsFor = (repository: string) => readonly Bend[];

/** A repository's content and manners, all in one registry that the node asks over plain HTTP. */
export type RegistryCondition = {
  readonly id: string;
  readonly rule: string;
  /** Fills the repository; the Pod pulls `ID:1` of it unless a reference is returned. */
  readonly fill: (repository: Repository) => string | void;
  /** For requests to this repository alone. */
  readonly bends?: BendsFor;
  readonly damage?: 'child' | 'config' | 'layer';
  readonly contentOnly?: true;
  readonly openBecause?: string;
};

export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
export const sha512 = (bytes: Uint8Array): string => `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
export const ABSENT = `sha256:${'ab'.repeat(32)}`;

export const image = (repository: Repository): void => {
  repository.addImage({ tags: ['1'] });
};
/** The Pod names it by digest; it has no tag. */
export const byDigest = (repository: Repository): string =>
  `${repository.name}@${repository.addImage({ tags: ['1'] }).digest}`;

export const manifests = (repository: string, bend: Bend, match: Match = {}): Bend =>
  only({ kind: 'manifest', repository, ...match }, bend);
export const blobs = (repository: string, bend: Bend, match: Match = {}): Bend =>
  only({ kind: 'blob', repository, ...match }, bend);

export const manifestsSay =
  (bend: Bend, match: Match = {}): BendsFor =>
  (repository) => [manifests(repository, bend, match)];
export const headsSay = (bend: Bend): BendsFor => manifestsSay(bend, { method: 'HEAD' });
export const blobsSay =
  (bend: Bend, match: Match = {}): BendsFor =>
  (repository) => [blobs(repository, bend, match)];
/** HEAD is what only we send: nodes go for the bytes. */
export const blobHeadsSay = (bend: Bend): BendsFor => blobsSay(bend, { method: 'HEAD' });
export const heads = (code: number, errorCode: string): BendsFor => headsSay(status(code, errorCode));
export const typed = (contentType: string): BendsFor => manifestsSay(withHeaders({ 'content-type': contentType }));

/** Of all blobs, those that are a gzip stream, or those that are JSON. */
export const ofLayers =
  (bend: Bend): Bend =>
  (question, answer) =>
    answer.body[0] === 0x1f ? bend(question, answer) : answer;
export const ofConfigs =
  (bend: Bend): Bend =>
  (question, answer) =>
    answer.body[0] === 0x7b ? bend(question, answer) : answer;

export const linux = (architecture: string, variant?: string): StoredPlatform => ({
  os: 'linux',
  architecture,
  ...(variant === undefined ? {} : { variant }),
});
export const index =
  (...platforms: readonly StoredPlatform[]) =>
  (repository: Repository): void => {
    repository.addIndex(
      platforms.map((platform) => repository.addImage({ platform })),
      { tags: ['1'] },
    );
  };
export const bare = ({ mediaType, digest, size }: Stored): Stored => ({ mediaType, digest, size });

/** An index with these entries, which are written as they are. */
export const indexOf =
  (entries: (repository: Repository) => readonly object[], more: object = {}) =>
  (repository: Repository): void => {
    const document = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: entries(repository), ...more };
    repository.addManifest(document, OCI_INDEX, ['1']);
  };

/** A manifest of a sound image's parts, with other members or without some. */
export const manifestWith =
  (change: (parts: StoredImage, repository: Repository) => object, type = OCI_MANIFEST) =>
  (repository: Repository): void => {
    const parts = repository.addImage();
    const { config, layers } = parts;
    const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers, ...change(parts, repository) };
    repository.addManifest(document, type, ['1']);
  };

/** The text of a sound manifest, spelled otherwise. */
export const manifestText =
  (spell: (text: string) => string | Uint8Array) =>
  (repository: Repository): void => {
    const { config, layers } = repository.addImage();
    const text = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers });
    repository.addManifest(Buffer.from(spell(text)), OCI_MANIFEST, ['1']);
  };

/** An image with this archive for its layer, packed or typed in a way of its own; its config knows what it unpacks to. */
export const packedAs =
  (
    archive: (repository: Repository) => Uint8Array,
    pack: (tar: Uint8Array) => Uint8Array = gzipSync,
    type = OCI_LAYER,
  ) =>
  (repository: Repository): void => {
    const tar = archive(repository);
    const layers = [repository.addBlob(pack(tar), type)];
    pushWith(repository, layers, JSON.stringify(configOf([sha256(tar)])));
  };
export const packedBy = (pack: (tar: Uint8Array) => Uint8Array, type = OCI_LAYER): ((repository: Repository) => void) =>
  packedAs(({ name }) => packTar({ 'app/name': `${name} in a packing of its own\n` }), pack, type);

/** A sound image but for the text of its config. */
export const configText =
  (spell: (config: ReturnType<typeof configOf>) => string | Uint8Array) =>
  (repository: Repository): void => {
    const tar = packTar({ 'app/name': `${repository.name} with a config of its own\n` });
    pushWith(repository, [repository.addBlob(gzipSync(tar), OCI_LAYER)], spell(configOf([sha256(tar)])));
  };
export const configWith = (change: object): ((repository: Repository) => void) =>
  configText((config) => JSON.stringify({ ...config, ...change }));

function configOf(diffIds: readonly string[]) {
  return { ...linux('amd64'), config: { Cmd: ['/app/name'] }, rootfs: { type: 'layers', diff_ids: diffIds } };
}

function pushWith(repository: Repository, layers: readonly Stored[], config: string | Uint8Array): void {
  const stored = repository.addBlob(Buffer.from(config), OCI_CONFIG);
  repository.addManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: stored, layers }, OCI_MANIFEST, ['1']);
}
