import type { Descriptor } from '../image/descriptor.ts';
import type { ImageManifest } from '../image/manifest.ts';
import {
  DOCKER_CONFIG,
  DOCKER_MANIFEST,
  DOCKER_ZSTD_LAYER,
  isImageConfigType,
  isLayerType,
  isOciLayerType,
  isSchema2Type,
  layerCompression,
  OCI_CONFIG,
  OCI_MANIFEST,
} from '../image/media-type.ts';
import type { RuntimeTraits } from './traits.ts';

/** What a manifest is by its media types alone, to one runtime. */
export type ImageKind = {
  /** No image, by the type of its config: a chart, a signature, anything (pull-parity F8). */
  readonly isArtifact: boolean;
  /** The first layer whose type the runtime does not know. */
  readonly unknownLayer: Descriptor | undefined;
  /** How many layers are of a type that it knows. */
  readonly knownLayers: number;
  /** The media type for which the runtime refuses the pull. */
  readonly refused: string | undefined;
  /** Whether some version pulls it all the same, as something else. */
  readonly isRefusalOpen: boolean;
  /** A type that makes the pulled thing unable to start. */
  readonly unrunnable: { readonly reason: 'not-an-image' | 'unknown-layer-type'; readonly found: string } | undefined;
};

/** dockerd takes what has these types for an image's, as some registries lost the right ones (moby distribution `supportedMediaTypes`). */
const LOST_CONFIG_TYPES: ReadonlySet<string> = new Set([
  '',
  'application/octet-stream',
  'application/json',
  'text/html',
]);

export function kindOf(manifest: ImageManifest, traits: RuntimeTraits): ImageKind {
  const { layers } = manifest;
  const isArtifact = !isImage(manifest, traits);
  const unknownLayers = layers.filter((layer) => !isKnownLayer(layer.mediaType, traits));
  const unknownLayer = unknownLayers[0];
  const misplaced = misplacedIn(manifest, traits);
  return {
    isArtifact,
    unknownLayer,
    knownLayers: layers.length - unknownLayers.length,
    refused: misplaced ?? (isArtifact ? refusedArtifact(manifest, traits) : refusedLayer(unknownLayer, traits)),
    // CRI-O's artifact store looks at more than the config's type
    isRefusalOpen: misplaced !== undefined && isArtifact && traits.artifact === 'pulled',
    unrunnable: unrunnable(manifest, isArtifact, unknownLayer),
  };
}

function isImage(manifest: ImageManifest, { imageTypes }: RuntimeTraits): boolean {
  const { mediaType } = manifest.config;
  if (imageTypes === 'by-format') return manifest.mediaType === DOCKER_MANIFEST || mediaType === OCI_CONFIG;
  return isImageConfigType(mediaType) || (imageTypes === 'by-prefix' && isTakenForConfig(manifest));
}

/** What containers/image refuses for the format of the manifest that it stands in (`Schema2FromManifest`, `OCI1.OCIConfig`). */
function misplacedIn(
  { mediaType, declaredType, config, layers }: ImageManifest,
  traits: RuntimeTraits,
): string | undefined {
  if (traits.imageTypes !== 'by-format') return undefined;
  // an artifact's config is neither; storage reads a manifest by what it calls itself
  const isNoArtifacts = config.mediaType === '' || config.mediaType === DOCKER_CONFIG;
  if (mediaType === OCI_MANIFEST && isNoArtifacts) return config.mediaType;
  if (mediaType !== DOCKER_MANIFEST && declaredType !== DOCKER_MANIFEST) return undefined;
  const isFit = (type: string): boolean =>
    isSchema2Type(type) || (traits.knowsDockerZstd && type === DOCKER_ZSTD_LAYER);
  return layers.find((layer) => !isFit(layer.mediaType))?.mediaType;
}

/** An OCI manifest's config need only look like one; docker's own must be on the list (moby `validateMediaType`). */
function isTakenForConfig({ config, mediaType }: ImageManifest): boolean {
  return mediaType === DOCKER_MANIFEST ? LOST_CONFIG_TYPES.has(config.mediaType) : isTakenByPrefix(config.mediaType);
}

/** As dockerd's graph driver looks at types (moby distribution `checkSupportedMediaType`); models are refused lately. */
function isTakenByPrefix(mediaType: string): boolean {
  const type = mediaType.toLowerCase();
  if (type.startsWith('application/vnd.docker.ai.')) return false;
  return LOST_CONFIG_TYPES.has(type) || /^application\/vnd\.(?:oci\.image|docker)(?:$|\.)/u.test(type);
}

function isKnownLayer(mediaType: string, traits: RuntimeTraits): boolean {
  if (traits.imageTypes === 'by-prefix') return isTakenByPrefix(mediaType);
  if (traits.style === 'containerd' && isOciLayerType(mediaType)) return true;
  const compression = layerCompression(mediaType);
  if (compression === undefined || compression === 'unknown') return false;
  if (compression !== 'zstd' || !mediaType.startsWith('application/vnd.docker.')) return true;
  return traits.knowsDockerZstd || traits.imageTypes === 'by-format';
}

function refusedArtifact({ config, layers }: ImageManifest, traits: RuntimeTraits): string | undefined {
  if (traits.artifact === 'refused') return config.mediaType;
  const hasLayers = layers.some((layer) => isLayerType(layer.mediaType));
  return hasLayers && traits.layersUnderUnknownConfig === 'refused' ? config.mediaType : undefined;
}

function refusedLayer(unknown: Descriptor | undefined, traits: RuntimeTraits): string | undefined {
  return traits.unknownLayer === 'refused' ? unknown?.mediaType : undefined;
}

function unrunnable(
  { config }: ImageManifest,
  isArtifact: boolean,
  unknown: Descriptor | undefined,
): ImageKind['unrunnable'] {
  if (isArtifact) return { reason: 'not-an-image', found: config.mediaType };
  return unknown === undefined ? undefined : { reason: 'unknown-layer-type', found: unknown.mediaType };
}
