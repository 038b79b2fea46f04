import type { Digest } from '../image/digest.ts';
import type { Descriptor } from '../image/descriptor.ts';
import { decodeManifest, type ImageIndex } from '../image/manifest.ts';
import { DOCKER_SCHEMA1_SIGNED, isIndexType, isManifestType } from '../image/media-type.ts';
import { formatPlatform, type Platform } from '../image/platform.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { Doubt } from '../outcome/certainty.ts';
import type { DamagedPart, Evidence, LayerSize, PullOutcome } from '../outcome/outcome.ts';
import { ended, joinFailures, withDoubts, type Attempt } from './attempt.ts';
import { fetchManifest } from './fetch.ts';
import type { Content } from './fetched-content.ts';
import { checkImage } from './image-check.ts';
import { chooseEntries, offeredPlatforms, openChoice, sizedEntry } from './index-entries.ts';
import { findLayer } from './layer-presence.ts';
import type { PullContext } from './pull-context.ts';
import { isTypeInsideTaken } from './type-inside.ts';

/** A manifest that a pull would end with, found whole. */
export type Image = {
  readonly digest: Digest;
  readonly platform: Platform | undefined;
  /** Config and layers, each once. */
  readonly compressedBytes: number;
  /** The largest first; `undefined` for a small image. */
  readonly largeLayers: readonly LayerSize[] | undefined;
  /** Why a node might have taken another entry; absent where all take this one. */
  readonly doubt?: Doubt;
  /** Why it pulls but will not start. */
  readonly willNotRun: Pick<Extract<PullOutcome, { kind: 'will-not-run' }>, 'reason' | 'found'> | undefined;
};

export type GraphNode = Pick<Descriptor, 'digest' | 'mediaType' | 'size'>;

/** Where in the graph a walk is. */
export type Place = {
  readonly depth: number;
  /** What the entry in the index above said of its platform. */
  readonly entry: 'top' | 'named' | 'unnamed';
  /** Counts the manifests and indexes of this pull. */
  readonly count: { manifests: number };
};

/** An index in an index in an index is no image that anybody builds. */
const MAX_DEPTH = 4;
/** Manifests and indexes fetched for one pull: an index with attestations takes two. */
const MAX_MANIFESTS = 16;

/** Walks what a digest stands for, as the runtime would: index, manifest of the platform, config, layers. */
export function checkGraph(
  context: PullContext,
  node: GraphNode,
  known: Content | undefined,
): Promise<Result<Image, Attempt>> {
  return walk(context, node, known, { depth: 0, entry: 'top', count: { manifests: 0 } });
}

async function walk(
  context: PullContext,
  node: GraphNode,
  known: Content | undefined,
  place: Place,
): Promise<Result<Image, Attempt>> {
  place.count.manifests += 1;
  if (place.count.manifests > MAX_MANIFESTS) return beyond(`an index of more than ${MAX_MANIFESTS} manifests`);
  const part: DamagedPart = isIndexType(node.mediaType) ? 'index' : 'manifest';
  const fetched = known === undefined ? await fetchManifest(context, node, part) : ok(known);
  if (!fetched.ok) return fetched;
  const { bytes, evidence } = fetched.value;
  if (context.traits.limitsEveryManifest && bytes.length > (context.traits.maxManifestBytes ?? Infinity)) {
    return fail({ kind: 'unsupported-manifest', mediaType: node.mediaType, reason: 'too-large', evidence });
  }
  const { digest } = node;
  const mediaType = context.traits.typeOf === 'get' ? (fetched.value.servedAs ?? node.mediaType) : node.mediaType;
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) return err(noManifest(mediaType, evidence));
  const decoded = decodeManifest(bytes, mediaType);
  if (!decoded.ok) {
    const { kind, problem } = decoded.error;
    if (kind === 'too-long') return beyond(problem);
    if (kind === 'mistyped' || kind === 'ambiguous') {
      const isOpen = kind === 'ambiguous' && context.traits.style !== 'containerd';
      const refused = { kind: 'unsupported-manifest', mediaType, reason: 'not-a-manifest', evidence } as const;
      return err(ended(refused, isOpen ? ['node-runtime'] : []));
    }
    const damaged = { kind: 'damaged', part, digest, problem: `cannot be read: ${problem}`, evidence } as const;
    return err(ended(damaged, kind === 'odd' ? ['node-runtime'] : []));
  }
  if (!isTypeInsideTaken(decoded.value, context.traits)) {
    const { declaredType } = decoded.value;
    return fail({ kind: 'unsupported-manifest', mediaType: declaredType, reason: 'type-inside', evidence });
  }
  return decoded.value.kind === 'index'
    ? walkOpenIndex(context, decoded.value, evidence, place)
    : checkImage(context, { digest: node.digest, manifest: decoded.value, evidence }, place.entry);
}

/** By its type; what calls itself a web page may come from a proxy that the nodes do not have. */
export function noManifest(mediaType: string, evidence: Evidence): Attempt {
  const doubts = mediaType === 'text/html' ? (['not-a-registry-answer'] as const) : [];
  return ended({ kind: 'unsupported-manifest', mediaType, reason: 'not-a-manifest', evidence }, doubts);
}

/** As `walkIndex`, with the doubt that another node would take other entries. */
async function walkOpenIndex(...parts: Parameters<typeof walkIndex>): Promise<Result<Image, Attempt>> {
  const [{ platform, traits }, index] = parts;
  const doubt = openChoice(index, platform, traits);
  const got = await walkIndex(...parts);
  if (doubt === undefined) return got;
  return got.ok ? ok({ ...got.value, doubt }) : err(withDoubts(got.error, doubt));
}

async function walkIndex(
  context: PullContext,
  index: ImageIndex,
  evidence: Evidence,
  place: Place,
): Promise<Result<Image, Attempt>> {
  const { platform, traits, course } = context;
  if (place.depth >= MAX_DEPTH) return beyond(`an index nested ${MAX_DEPTH} deep`);
  if (place.depth > 0 && traits.nestedIndex === 'refused') {
    return fail({ kind: 'unsupported-manifest', mediaType: index.mediaType, reason: 'refused-by-runtime', evidence });
  }
  const chosen = chooseEntries(index, platform, traits);
  const offered = offeredPlatforms(index);
  course.note(
    `index offers ${offered.map(formatPlatform).join(', ') || 'no platform'}; ${formatPlatform(platform)} takes ${chosen.length} of ${index.manifests.length} entries`,
  );
  const images: Image[] = [];
  const mismatches: Attempt[] = [];
  const [best] = chosen;
  for (const entry of chosen) {
    if (entry.digest === undefined) {
      const problem = `cannot be read: ${entry.problem}`;
      return fail({ kind: 'damaged', part: 'index', digest: undefined, problem, evidence });
    }
    if (entry.mediaType === DOCKER_SCHEMA1_SIGNED && traits.style === 'containerd') {
      // its `FetchHandler` takes none below an index, in versions that read schema 1 either
      const { mediaType } = entry;
      return fail({ kind: 'unsupported-manifest', mediaType, reason: 'schema1', evidence });
    }
    const isManifest = isIndexType(entry.mediaType) || isManifestType(entry.mediaType);
    // to dockerd and CRI-O it is what its GET says
    if (!isManifest && traits.typeOf === 'descriptor') {
      // containerd's transfer service fetches what it takes for content of another kind, too
      // oxlint-disable-next-line no-await-in-loop
      const found = traits.fetchesAllMatches ? await findLayer(context, entry) : undefined;
      if (found?.ok === false) return found;
      continue;
    }
    const inside = {
      ...place,
      depth: place.depth + 1,
      entry: entry.platform === undefined ? 'unnamed' : 'named',
    } as const;
    // one after the other, as a failure ends the pull
    // oxlint-disable-next-line no-await-in-loop
    const got = await walk(context, entry, undefined, inside);
    if (got.ok) images.push(got.value);
    else if (got.error.outcome.kind !== 'platform-mismatch') return got;
    // whatever else was fetched, containerd takes the config of the best entry, or of none
    else if (traits.fetchesAllMatches && entry === best) return got;
    else mismatches.push(got.error);
  }
  const [image] = images;
  const mismatch: PullOutcome = { kind: 'platform-mismatch', wanted: [platform], offered, isPartial: false, evidence };
  const sized = traits.sizesNamedEntry ? sizedEntry(index, platform) : undefined;
  if (image !== undefined && sized !== undefined && !chosen.some(({ digest }) => digest === sized.digest)) {
    // seen with containerd 2.1: the pull fails at its very end, for content that it never fetched
    return err(ended(mismatch, ['node-runtime']));
  }
  if (image !== undefined) return ok(image);
  const [below] = mismatches;
  return below === undefined ? fail(mismatch) : err(joinFailures(below, mismatches));
}

const fail = (outcome: PullOutcome): Result<never, Attempt> => err(ended(outcome));

const beyond = (detail: string): Result<never, Attempt> => fail({ kind: 'not-checked', reason: 'limit', detail });
