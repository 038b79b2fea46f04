import pLimit from 'p-limit';
import type { Digest } from '../image/digest.ts';
import {
  decodeImageConfig,
  decodeManifest,
  type Descriptor,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
} from '../image/manifest.ts';
import {
  isEncryptedLayerType,
  isImageConfigType,
  isIndexType,
  isLayerType,
  isManifestType,
  layerCompression,
} from '../image/media-type.ts';
import { formatPlatform, type Platform } from '../image/platform.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { DamagedPart, Evidence, PullOutcome } from '../outcome/outcome.ts';
import { furthest, type Attempt, type PullContext } from './attempt.ts';
import { checkLayer, fetchConfig, fetchManifest } from './blobs.ts';
import { matchCompatible } from './platform-match.ts';
import type { RuntimeTraits } from './traits.ts';

/** A manifest that a pull would end with, found whole. `compressedBytes` are those of config and layers, each once. */
export type Image = {
  readonly digest: Digest;
  readonly platform: Platform | undefined;
  readonly compressedBytes: number;
  /** Why it pulls but will not start. */
  readonly willNotRun: Pick<Extract<PullOutcome, { kind: 'will-not-run' }>, 'reason' | 'found'> | undefined;
};

export type GraphNode = Pick<Descriptor, 'digest' | 'mediaType' | 'size'>;

/** An index in an index in an index is no image that anybody builds. */
const MAX_DEPTH = 4;
const CONCURRENT_BLOBS = 6;

/** What resolving a name brought already. */
export type KnownBytes = { readonly bytes: Uint8Array; readonly evidence: Evidence };

type Walk = {
  readonly context: PullContext;
  readonly traits: RuntimeTraits;
  readonly signal: AbortSignal;
  readonly depth: number;
  /** What the entry in the index above said of its platform. */
  readonly entry: 'top' | 'named' | 'unnamed';
};

/** Walks what a digest stands for, as the runtime would: index, manifest of the platform, config, layers. */
export async function checkGraph(
  node: GraphNode,
  known: KnownBytes | undefined,
  walk: Walk,
): Promise<Result<Image, Attempt>> {
  const isIndex = isIndexType(node.mediaType);
  const part: DamagedPart = isIndex ? 'index' : 'manifest';
  const { context, traits, signal } = walk;
  const fetched = known === undefined ? await fetchManifest(context, traits, node, part, signal) : ok(known);
  if (!fetched.ok) return fetched;
  const { bytes, evidence } = fetched.value;
  const decoded = decodeManifest(bytes, node.mediaType);
  if (!decoded.ok) {
    const { problem, isMistyped } = decoded.error;
    return fail(
      isMistyped
        ? { kind: 'unsupported-manifest', mediaType: node.mediaType, reason: 'not-a-manifest', evidence }
        : { kind: 'damaged', part, digest: node.digest, problem: `cannot be read: ${problem}`, evidence },
    );
  }
  return decoded.value.kind === 'index'
    ? checkIndex(decoded.value, evidence, walk)
    : checkImage(node.digest, decoded.value, evidence, walk);
}

const fail = (outcome: PullOutcome): Result<never, Attempt> => err({ outcome, doubts: [] });

async function checkIndex(index: ImageIndex, evidence: Evidence, walk: Walk): Promise<Result<Image, Attempt>> {
  const { context, traits } = walk;
  if (walk.depth >= MAX_DEPTH) {
    return fail({ kind: 'not-checked', reason: 'limit', detail: `an index nested ${MAX_DEPTH} deep` });
  }
  if (walk.depth > 0 && traits.nestedIndex === 'refused') {
    return fail({
      kind: 'unsupported-manifest',
      mediaType: index.mediaType,
      reason: 'refused-by-runtime',
      evidence,
    });
  }
  const chosen = chooseEntries(index, context.platform, traits);
  const offered = offeredPlatforms(index);
  context.course.note(
    `index offers ${offered.length === 0 ? 'no platform' : offered.map(formatPlatform).join(', ')}; ${formatPlatform(context.platform)} takes ${chosen.length} of ${index.manifests.length} entries`,
  );
  const mismatch: PullOutcome = {
    kind: 'platform-mismatch',
    wanted: [context.platform],
    offered,
    isPartial: false,
    evidence,
  };
  const images: Image[] = [];
  const mismatches: Attempt[] = [];
  for (const entry of chosen) {
    if (!isIndexType(entry.mediaType) && !isManifestType(entry.mediaType)) continue;
    const inner: Walk = { ...walk, depth: walk.depth + 1, entry: entry.platform === undefined ? 'unnamed' : 'named' };
    // one after the other, as a failure ends the pull
    // oxlint-disable-next-line no-await-in-loop
    const got = await checkGraph(entry, undefined, inner);
    if (got.ok) images.push(got.value);
    else if (got.error.outcome.kind === 'platform-mismatch') mismatches.push(got.error);
    else return got;
  }
  const [image] = images;
  if (image !== undefined) return ok(image);
  const [first, ...rest] = mismatches;
  return first === undefined ? fail(mismatch) : err(furthest([first, ...rest]));
}

/** Which entries of an index the runtime fetches for a node (pull-parity F2 to F5). */
function chooseEntries(index: ImageIndex, node: Platform, traits: RuntimeTraits): readonly Descriptor[] {
  const named = index.manifests
    .filter((entry) => entry.platform !== undefined)
    .map((entry) => ({ entry, match: entry.platform === undefined ? 0 : traits.matches(node, entry.platform) }))
    .filter(({ match }) => match > 0)
    .toSorted((a, b) => b.match - a.match)
    .map(({ entry }) => entry);
  const unnamed =
    traits.entryWithoutPlatform === 'skipped' ? [] : index.manifests.filter((entry) => entry.platform === undefined);
  const all = [...named, ...unnamed];
  return traits.fetchesAllMatches ? all : all.slice(0, 1);
}

/** `unknown/unknown` is how attestations are marked: nothing that a node could want. */
function offeredPlatforms(index: ImageIndex): readonly Platform[] {
  const seen = new Map<string, Platform>();
  for (const { platform } of index.manifests) {
    if (platform !== undefined && platform.os !== 'unknown') seen.set(formatPlatform(platform), platform);
  }
  return [...seen.values()];
}

async function checkImage(
  digest: Digest,
  manifest: ImageManifest,
  evidence: Evidence,
  walk: Walk,
): Promise<Result<Image, Attempt>> {
  const { context, traits } = walk;
  const isArtifact = !isImageConfigType(manifest.config.mediaType);
  const unknownLayer = manifest.layers.find((layer) => !isKnownLayer(layer.mediaType, traits));
  const refused = refusedByRuntime(manifest, isArtifact, unknownLayer, traits);
  if (refused !== undefined) {
    return fail({ kind: 'unsupported-manifest', mediaType: refused, reason: 'refused-by-runtime', evidence });
  }
  const empty = [manifest.config, ...manifest.layers].find((one) => one.size <= 0);
  if (empty !== undefined && traits.checksSizes) {
    const part = empty === manifest.config ? 'config' : 'layer';
    const problem = 'has a size of zero in the manifest';
    return fail({ kind: 'damaged', part, digest: empty.digest, problem, evidence });
  }
  const config = await checkConfig(manifest, { isArtifact, hasUnknownLayer: unknownLayer !== undefined }, walk);
  if (!config.ok) return config;
  const platform = config.value?.platform;
  if (walk.entry === 'unnamed' && traits.entryWithoutPlatform === 'judged-by-config' && !isFit(walk, platform)) {
    const offered = platform === undefined || platform.os === '' ? [] : [platform];
    return fail({ kind: 'platform-mismatch', wanted: [context.platform], offered, isPartial: false, evidence });
  }
  if (traits.refusesOtherOs && platform !== undefined && platform.os !== '' && platform.os !== context.platform.os) {
    return fail({ kind: 'platform-mismatch', wanted: [context.platform], offered: [platform], isPartial: false, evidence });
  }
  const layers = await checkLayers(manifest, config.value, walk);
  if (!layers.ok) return layers;
  return ok({
    digest,
    platform,
    compressedBytes: sumOnce([manifest.config, ...manifest.layers]),
    willNotRun: whyNotRun(manifest, platform, isArtifact, unknownLayer, walk),
  });
}

function isKnownLayer(mediaType: string, traits: RuntimeTraits): boolean {
  const compression = layerCompression(mediaType);
  if (compression === undefined || compression === 'unknown') return false;
  return compression !== 'zstd' || !mediaType.startsWith('application/vnd.docker.') || traits.knowsDockerZstd;
}

/** The media type that the runtime will not take, `undefined` where it takes all. */
function refusedByRuntime(
  manifest: ImageManifest,
  isArtifact: boolean,
  unknownLayer: Descriptor | undefined,
  traits: RuntimeTraits,
): string | undefined {
  if (isArtifact) return traits.artifact === 'refused' ? manifest.config.mediaType : undefined;
  return unknownLayer !== undefined && traits.unknownLayer === 'refused' ? unknownLayer.mediaType : undefined;
}

async function checkConfig(
  manifest: ImageManifest,
  is: { readonly isArtifact: boolean; readonly hasUnknownLayer: boolean },
  walk: Walk,
): Promise<Result<ImageConfig | undefined, Attempt>> {
  const { context, traits, signal } = walk;
  const fetched = await fetchConfig(context, traits, manifest.config, signal);
  if (!fetched.ok) return fetched;
  const { bytes, evidence } = fetched.value;
  if (is.isArtifact || bytes === undefined) return ok(undefined);
  const damaged = (problem: string): Result<never, Attempt> =>
    fail({ kind: 'damaged', part: 'config', digest: manifest.config.digest, problem, evidence });
  const config = decodeImageConfig(bytes);
  if (!config.ok) return damaged(`cannot be read: ${config.error}`);
  if (!is.hasUnknownLayer && config.value.diffIds.length !== manifest.layers.length) {
    return damaged(`lists ${config.value.diffIds.length} diff ids for ${manifest.layers.length} layers`);
  }
  return config;
}

async function checkLayers(
  manifest: ImageManifest,
  config: ImageConfig | undefined,
  walk: Walk,
): Promise<Result<undefined, Attempt>> {
  const { context, traits, signal } = walk;
  const limit = pLimit(CONCURRENT_BLOBS);
  const unique = [...new Map(manifest.layers.map((layer, at) => [layer.digest, { layer, at }])).values()];
  const results = await Promise.all(
    unique.map(({ layer, at }) =>
      limit(async (): Promise<Result<undefined, Attempt>> => {
        if (layer.urls.length > 0 && traits.foreignUrls === 'passed-over') return ok(undefined);
        if (layer.urls.length > 0) {
          const foreign = await context.foreignLayers.check(layer, context, signal);
          if (foreign !== 'ask-the-registry') return foreign;
        }
        const present = await checkLayer(context, traits, layer, signal);
        if (!present.ok) return present;
        if (context.contentCheck === undefined) return ok(undefined);
        const diffId = isLayerType(layer.mediaType) ? config?.diffIds[at] : undefined;
        const question = { client: present.value, layer, diffId, checksSize: traits.checksSizes };
        const read = await context.contentCheck(question, signal);
        return read.ok ? read : fail(read.error);
      }),
    ),
  );
  const failures = results.flatMap((result) => (result.ok ? [] : [result.error]));
  const [first, ...rest] = failures;
  return first === undefined ? ok(undefined) : err(furthest([first, ...rest]));
}

function sumOnce(descriptors: readonly Descriptor[]): number {
  const sizes = new Map(descriptors.map((one) => [one.digest, one.size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

function isFit(walk: Walk, platform: Platform | undefined): boolean {
  return platform !== undefined && matchCompatible(walk.context.platform, platform) > 0;
}

/** Pulled, but no container starts from it (pull-parity F6, F8, F9, F10). */
function whyNotRun(
  manifest: ImageManifest,
  platform: Platform | undefined,
  isArtifact: boolean,
  unknownLayer: Descriptor | undefined,
  walk: Walk,
): Image['willNotRun'] {
  if (isArtifact) return { reason: 'not-an-image', found: manifest.config.mediaType };
  if (unknownLayer !== undefined) return { reason: 'unknown-layer-type', found: unknownLayer.mediaType };
  const encrypted = manifest.layers.find((layer) => isEncryptedLayerType(layer.mediaType));
  if (encrypted !== undefined) return { reason: 'unknown-layer-type', found: encrypted.mediaType };
  if (walk.entry !== 'top' || platform === undefined || platform.os === '' || isFit(walk, platform)) return undefined;
  return { reason: 'other-platform', found: formatPlatform(platform) };
}
