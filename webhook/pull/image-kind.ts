import type { Descriptor, ImageManifest } from '../image/manifest.ts';
import { DOCKER_MANIFEST, isImageConfigType, isLayerType, layerCompression } from '../image/media-type.ts';
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
  const { config, layers } = manifest;
  const isImage = isImageConfigType(config.mediaType);
  const isArtifact = !isImage && !(traits.imageTypes === 'by-prefix' && isTakenForConfig(manifest));
  const unknownLayers = layers.filter((layer) => !isKnownLayer(layer.mediaType, traits));
  const unknownLayer = unknownLayers[0];
  return {
    isArtifact,
    unknownLayer,
    knownLayers: layers.length - unknownLayers.length,
    refused: isArtifact ? refusedArtifact(manifest, traits) : refusedLayer(unknownLayer, traits),
    unrunnable: unrunnable(manifest, isArtifact, unknownLayer),
  };
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
  const compression = layerCompression(mediaType);
  if (compression === undefined || compression === 'unknown') return false;
  return compression !== 'zstd' || !mediaType.startsWith('application/vnd.docker.') || traits.knowsDockerZstd;
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
