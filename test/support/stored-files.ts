import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OCI_MANIFEST } from '../../webhook/image/media-type.ts';
import type { DockerRegistry } from './docker-registry.ts';

/** Files of one repository, where the filesystem driver keeps them (distribution, registry/storage/paths.go). */
export type StoredFiles = {
  /** The bytes of a blob or a manifest: every repository has the same. */
  readonly content: (digest: string) => string;
  /** What makes a manifest one of this repository. */
  readonly revision: (digest: string) => string;
  /** What makes a config or a layer one of this repository. */
  readonly blobLink: (digest: string) => string;
  /** Holds the digest that the tag stands for. */
  readonly tag: (name: string) => string;
};

export function storedFiles({ storagePath }: Pick<DockerRegistry, 'storagePath'>, repository: string): StoredFiles {
  const root = join(storagePath, 'docker/registry/v2');
  const own = join(root, 'repositories', repository);
  const link = (folder: string, digest: string): string => join(own, folder, digest.replace(':', '/'), 'link');
  return {
    content: (digest) => {
      const [algorithm = '', hex = ''] = digest.split(':');
      return join(root, 'blobs', algorithm, hex.slice(0, 2), hex, 'data');
    },
    revision: (digest) => link('_manifests/revisions', digest),
    blobLink: (digest) => link('_layers', digest),
    tag: (name) => join(own, '_manifests/tags', name, 'current/link'),
  };
}

/** Turns one bit of one byte, of the middle one unless it is said which. */
export function flipBit(path: string, at?: number): void {
  const bytes = readFileSync(path);
  const place = at ?? bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
  writeFileSync(path, bytes);
}

/** Puts the members of an image manifest into another order: it says the same, in as many bytes. */
export function reorderManifest(path: string): void {
  const text = readFileSync(path, 'utf8');
  const members = ['"schemaVersion":2', `"mediaType":"${OCI_MANIFEST}"`];
  const changed = text.replace(members.join(','), members.toReversed().join(','));
  assert.ok(changed !== text && changed.length === text.length, 'it is not written as the image store writes one');
  writeFileSync(path, changed);
}
