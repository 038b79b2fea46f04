import type { Digest } from '../image/digest.ts';
import { decodeImageConfig, type ImageConfig } from '../image/image-config.ts';
import type { ImageManifest } from '../image/manifest.ts';
import { isEncryptedLayerType, isOciLayerType, layerCompression } from '../image/media-type.ts';
import { formatPlatform, type Platform } from '../image/platform.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { Doubt } from '../outcome/certainty.ts';
import type { Evidence, LayerSize, PullOutcome } from '../outcome/outcome.ts';
import { ended, type Attempt } from './attempt.ts';
import { fetchConfig } from './fetch.ts';
import type { Image, Place } from './graph.ts';
import { kindOf, type ImageKind } from './image-kind.ts';
import { checkLayers } from './layers-check.ts';
import { matchCompatible } from './platform-match.ts';
import type { PullContext } from './pull-context.ts';
import type { RuntimeTraits } from './traits.ts';

export type FoundManifest = {
  readonly digest: Digest;
  readonly manifest: ImageManifest;
  readonly evidence: Evidence;
};

/**
 * More than these are asked for beside the config, over connections of their own, as containerd does. Of fewer the
 * answers come as soon over the one connection that is open: a new one takes two round trips.
 */
const MANY_LAYERS = 2;

/** Whether config and layers of a manifest are there and are what the runtime takes (pull-parity F4, F6 to F13). */
export async function checkImage(
  context: PullContext,
  { digest, manifest, evidence }: FoundManifest,
  entry: Place['entry'],
): Promise<Result<Image, Attempt>> {
  const { platform: node, traits } = context;
  const kind = kindOf(manifest, traits);
  if (kind.refused !== undefined) {
    const refused = { mediaType: kind.refused, reason: 'refused-by-runtime', evidence } as const;
    return err(ended({ kind: 'unsupported-manifest', ...refused }, kind.isRefusalOpen ? ['node-runtime'] : []));
  }
  const empty = [manifest.config, ...manifest.layers].find((one) => one.size <= 0);
  if (empty !== undefined && traits.checksSizes === 'all') {
    const part = empty === manifest.config ? 'config' : 'layer';
    return fail({
      kind: 'damaged',
      part,
      digest: empty.digest,
      problem: 'has a size of zero in the manifest',
      evidence,
    });
  }
  const isJudged = entry === 'unnamed' && traits.entryWithoutPlatform === 'judged-by-config';
  const hangsOnConfig = isJudged || traits.refusesOtherOs || context.contentCheck !== undefined;
  const isEarly = !hangsOnConfig && manifest.layers.length > MANY_LAYERS;
  const [config, early] = await Promise.all([
    checkConfig(context, manifest, kind),
    isEarly ? checkLayers(context, manifest, undefined) : undefined,
  ]);
  if (!config.ok) return config;
  const platform = config.value?.platform;
  const mismatch: PullOutcome = {
    kind: 'platform-mismatch',
    wanted: [node],
    offered: isNamed(platform) ? [platform] : [],
    isPartial: false,
    evidence,
  };
  if (isJudged && config.value === undefined && !kind.isArtifact) {
    return fail({ kind: 'not-checked', reason: 'limit', detail: 'a very long image config' });
  }
  if (isJudged && !isFit(node, platform)) return fail(mismatch);
  if (traits.refusesOtherOs && isNamed(platform) && platform.os !== node.os) return fail(mismatch);
  // containerd unpacks only what is of the node's platform, whatever else it fetches
  const isUnpacked = traits.style !== 'containerd' || isFit(node, platform);
  const layers = early ?? (await checkLayers(context, manifest, isUnpacked ? config.value : undefined));
  if (!layers.ok) return layers;
  const untold = manifest.layers.find(({ mediaType }) => hangsOnBytes(mediaType, traits));
  if (untold !== undefined && isUnpacked && !kind.isArtifact && context.contentCheck === undefined) {
    // nobody has read them
    const refused = { mediaType: untold.mediaType, reason: 'refused-by-runtime', evidence } as const;
    return err(ended({ kind: 'unsupported-manifest', ...refused }, ['node-runtime']));
  }
  const encrypted = manifest.layers.find((one) => isEncryptedLayerType(one.mediaType));
  if (encrypted !== undefined && isUnpacked) {
    // unpacked only where a node has a decoder and the key, which it usually lacks (pull-parity F10)
    const refused = { mediaType: encrypted.mediaType, reason: 'refused-by-runtime', evidence } as const;
    return err(ended({ kind: 'unsupported-manifest', ...refused }, ['node-runtime']));
  }
  return ok({
    digest,
    platform,
    compressedBytes: sumOnce(manifest),
    largeLayers: largeLayersOf(manifest),
    willNotRun: kind.unrunnable ?? otherPlatform(node, platform, entry),
  });
}

/** zstd where it is taken for a tar archive, and what containerd takes for one for want of a better name. */
function hangsOnBytes(mediaType: string, { unpacksZstd, style }: RuntimeTraits): boolean {
  const compression = layerCompression(mediaType);
  if (compression === 'zstd') return !unpacksZstd;
  return style === 'containerd' && isOciLayerType(mediaType) && (compression ?? 'unknown') === 'unknown';
}

async function checkConfig(
  context: PullContext,
  manifest: ImageManifest,
  kind: ImageKind,
): Promise<Result<ImageConfig | undefined, Attempt>> {
  const fetched = await fetchConfig(context, manifest.config);
  if (!fetched.ok) return fetched;
  const { bytes, evidence } = fetched.value;
  if (kind.isArtifact || bytes === undefined) return ok(undefined);
  const damaged = (problem: string, doubts: readonly Doubt[] = []): Result<never, Attempt> =>
    err(ended({ kind: 'damaged', part: 'config', digest: manifest.config.digest, problem, evidence }, doubts));
  const config = decodeImageConfig(bytes);
  if (!config.ok) return damaged(`cannot be read: ${config.error}`);
  const { diffIds, oddity } = config.value;
  const { traits } = context;
  if (oddity !== undefined) return damaged(`cannot be read: ${oddity}`, ['node-runtime']);
  const wanted = traits.diffIds;
  if (wanted === 'unread') return ok({ ...config.value, diffIds: [] });
  const isUnknowing = diffIds.length === 0 && wanted === 'all-or-none';
  // containerd unpacks the layers that it knows, and where there are none looks at nothing that it would unpack
  const isCounted = kind.unknownLayer === undefined || (traits.style === 'containerd' && kind.knownLayers > 0);
  if (!isCounted || isUnknowing || diffIds.length === kind.knownLayers) return config;
  const problem = `lists ${diffIds.length} diff ids for ${kind.knownLayers} layers`;
  return damaged(problem, traits.style === 'containerd' && kind.knownLayers === 0 ? ['node-runtime'] : []);
}

/** An index that lies about a platform is believed by every runtime, and by us; one that says nothing is not (F4, F6). */
function otherPlatform(node: Platform, platform: Platform | undefined, entry: Place['entry']): Image['willNotRun'] {
  if (entry === 'named' || !isNamed(platform) || isFit(node, platform)) return undefined;
  return { reason: 'other-platform', found: formatPlatform(platform) };
}

function isNamed(platform: Platform | undefined): platform is Platform {
  return platform !== undefined && platform.os !== '';
}

function isFit(node: Platform, platform: Platform | undefined): boolean {
  return platform !== undefined && matchCompatible(node, platform) > 0;
}

function sumOnce({ config, layers }: ImageManifest): number {
  const sizes = new Map([config, ...layers].map((one) => [one.digest, one.size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** A smaller image is pulled before any limit that anybody sets, and what a smaller layer takes does not matter. */
const LARGE_IMAGE_BYTES = 50 * 1024 * 1024;
const LARGE_LAYER_BYTES = 1024 * 1024;

/** Kept as long as the answer is, so only of images whose size matters. The largest comes first. */
function largeLayersOf(manifest: ImageManifest): readonly LayerSize[] | undefined {
  if (sumOnce(manifest) < LARGE_IMAGE_BYTES) return undefined;
  const distinct = new Map(manifest.layers.map(({ digest, size }) => [digest, { digest, size }]));
  return [...distinct.values()].filter(({ size }) => size >= LARGE_LAYER_BYTES).toSorted((a, b) => b.size - a.size);
}

const fail = (outcome: PullOutcome): Result<never, Attempt> => err(ended(outcome));
