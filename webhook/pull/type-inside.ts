import type { ImageIndex, ImageManifest } from '../image/manifest.ts';
import { DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, isSchema2Type } from '../image/media-type.ts';
import type { RuntimeTraits } from './traits.ts';

/**
 * Whether a runtime takes what a document calls itself (`mediaType`) beside the type that it is served as. dockerd wants
 * docker's documents to name that very type, and OCI's to name no other (distribution `UnmarshalManifest`);
 * containers/image wants a docker manifest to name a type of schema 2 (`Schema2FromManifest`).
 */
export function isTypeInsideTaken(document: ImageManifest | ImageIndex, { typeInside }: RuntimeTraits): boolean {
  const { mediaType, declaredType } = document;
  const isDockers = mediaType === DOCKER_MANIFEST || mediaType === DOCKER_MANIFEST_LIST;
  if (typeInside === 'as-served') return declaredType === mediaType || (!isDockers && declaredType === '');
  return typeInside === 'any' || mediaType !== DOCKER_MANIFEST || isSchema2Type(declaredType);
}
