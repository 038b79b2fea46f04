/** The media types that a runtime knows, and what each is to it. Source: OCI image spec, containerd core/images. */
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_MANIFEST_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const DOCKER_SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+json';
export const DOCKER_SCHEMA1_SIGNED = 'application/vnd.docker.distribution.manifest.v1+prettyjws';

/** What containerd sends with its first request (pull-parity D1). */
export const MANIFEST_ACCEPT = [DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, OCI_MANIFEST, OCI_INDEX, '*/*'].join(', ');

export const isManifestType = (type: string): boolean => type === DOCKER_MANIFEST || type === OCI_MANIFEST;
export const isIndexType = (type: string): boolean => type === DOCKER_MANIFEST_LIST || type === OCI_INDEX;
/** `text/plain` is how old registries served schema 1, and containerd still reads it so (pull-parity D11). */
export const isSchema1Type = (type: string): boolean =>
  type === DOCKER_SCHEMA1 || type === DOCKER_SCHEMA1_SIGNED || type === 'text/plain';
export const isImageConfigType = (type: string): boolean => type === DOCKER_CONFIG || type === OCI_CONFIG;

/** What containers/image takes in a docker manifest, wherever it stands (`SupportedSchema2MediaType`), but for zstd. */
const SCHEMA2_TYPES: ReadonlySet<string> = new Set([
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  DOCKER_SCHEMA1,
  DOCKER_SCHEMA1_SIGNED,
  DOCKER_CONFIG,
  'application/vnd.docker.image.rootfs.diff.tar',
  'application/vnd.docker.image.rootfs.diff.tar.gzip',
  'application/vnd.docker.image.rootfs.foreign.diff.tar',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
]);
export const isSchema2Type = (type: string): boolean => SCHEMA2_TYPES.has(type);
export const DOCKER_ZSTD_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.zstd';

const LAYER_BASES: ReadonlySet<string> = new Set([
  'application/vnd.docker.image.rootfs.diff.tar',
  'application/vnd.docker.image.rootfs.foreign.diff.tar',
  'application/vnd.oci.image.layer.v1.tar',
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
]);

export type LayerCompression = 'none' | 'gzip' | 'zstd' | 'unknown';

/** How a layer's bytes are packed by its type alone, `undefined` where no runtime takes the type for a layer. */
export function layerCompression(type: string): LayerCompression | undefined {
  const bare = type.replace(/\+encrypted$/u, '');
  if (LAYER_BASES.has(bare)) return 'none';
  const cut = Math.max(bare.lastIndexOf('+'), bare.lastIndexOf('.'));
  if (cut < 0 || !LAYER_BASES.has(bare.slice(0, cut))) return undefined;
  const suffix = bare.slice(cut + 1);
  return suffix === 'gzip' || suffix === 'zstd' ? suffix : 'unknown';
}

/** containerd takes what begins like that for a layer, and unpacks what it has no name for as a plain archive. */
export const isOciLayerType = (type: string): boolean => type.startsWith('application/vnd.oci.image.layer.');
export const isLayerType = (type: string): boolean => layerCompression(type) !== undefined;
export const isForeignLayerType = (type: string): boolean =>
  type.startsWith('application/vnd.docker.image.rootfs.foreign.') ||
  type.startsWith('application/vnd.oci.image.layer.nondistributable.');
export const isEncryptedLayerType = (type: string): boolean => type.endsWith('+encrypted');

/** The type as containerd takes it, which only cuts it at its parameters: `Application/JSON ;q=1` is `Application/JSON `. */
export function cutMediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0] ?? '';
}

/** The type without its parameters, as Go's `mime` reads it: `Application/JSON; charset=utf-8` is `application/json`. */
export function bareMediaType(header: string | undefined): string {
  return cutMediaType(header).trim().toLowerCase();
}
