import type { Digest } from '../image/digest.ts';
import { isIndexType, isManifestType, isSchema1Type } from '../image/media-type.ts';
import { formatPlatform } from '../image/platform.ts';
import type { Evidence, PullOutcome } from '../outcome/outcome.ts';
import { ended, isSuccess, joinFailures, withDoubts, type Attempt } from './attempt.ts';
import { fetchManifest } from './fetch.ts';
import { checkGraph, noManifest, type Image } from './graph.ts';
import type { GraphKey } from './graph-memory.ts';
import type { PullContext } from './pull-context.ts';
import { resolve } from './resolve.ts';
import type { Resolved } from './resolved.ts';
import { checkSchema1, readsAsSchema1 } from './schema1.ts';

/** One pull, as one runtime with one login would make it for one platform, without fetching the layers. */
export async function attemptPull(parts: Omit<PullContext, 'noteDetour'>): Promise<Attempt> {
  const detours: Attempt[] = [];
  const attempt = await pullFromAll({ ...parts, noteDetour: (detour) => detours.push(detour) });
  return isSuccess(attempt.outcome) ? attempt : joinFailures(attempt, [attempt, ...detours]);
}

async function pullFromAll(context: PullContext): Promise<Attempt> {
  const { endpoints, traits } = context;
  if (traits.fallsBackFor !== 'whole-pull' || endpoints.length < 2) return pullFrom(context);
  const failures: Attempt[] = [];
  for (const endpoint of endpoints) {
    // the next endpoint is for when the whole pull from this one fails
    // oxlint-disable-next-line no-await-in-loop
    const attempt = await pullFrom({ ...context, endpoints: [endpoint] });
    if (isSuccess(attempt.outcome)) return attempt;
    failures.push(attempt);
  }
  const last = failures.at(-1);
  return last === undefined ? pullFrom(context) : joinFailures(last, failures);
}

async function pullFrom(context: PullContext): Promise<Attempt> {
  const resolved = await resolve(context);
  if (!resolved.ok) return resolved.error;
  const { digest, mediaType, size, endpoint } = resolved.value;
  context.course.note(`resolved to ${digest} (${mediaType === '' ? 'no type' : mediaType}, ${size} bytes)`);
  const { fallsBackFor } = context.traits;
  const staying = fallsBackFor === 'each-request' ? context : { ...context, endpoints: [endpoint] };
  const named = await nameByGet(staying, resolved.value);
  const isManifest = isIndexType(named.mediaType) || isManifestType(named.mediaType);
  const judged = await (isManifest && size > 0 ? lookInside(staying, named) : judgeStranger(staying, named));
  const attempt = { ...judged, outcome: resolvedBy(judged.outcome, resolved.value.evidence) };
  const hasMore = fallsBackFor === 'resolving' && endpoint !== context.endpoints.at(-1);
  // containers/image asks the endpoints after a mirror for blobs too since 2026, in CRI-O versions that nobody declares
  return hasMore && !isSuccess(attempt.outcome) ? withDoubts(attempt, 'node-runtime') : attempt;
}

/** What HEAD called no manifest is one to dockerd where its GET says so (pull-parity D11). */
async function nameByGet(context: PullContext, resolved: Resolved): Promise<Resolved> {
  const { mediaType, content, size } = resolved;
  const isNamed = content !== undefined || isIndexType(mediaType) || isManifestType(mediaType);
  if (isNamed || size === 0 || context.traits.typeOf !== 'get') return resolved;
  const got = await fetchManifest(context, resolved, 'manifest');
  return got.ok ? { ...resolved, mediaType: got.value.servedAs ?? mediaType, content: got.value } : resolved;
}

/** What is well was asked for too: the request that the name was resolved by, this time. */
function resolvedBy(outcome: PullOutcome, evidence: Evidence): PullOutcome {
  return outcome.kind === 'pullable' || outcome.kind === 'will-not-run' ? { ...outcome, evidence } : outcome;
}

/** What is no manifest by its type: schema 1 hangs on the version, all else is no image (pull-parity D11, F15). */
async function judgeStranger(context: PullContext, resolved: Resolved): Promise<Attempt> {
  const { mediaType, evidence, size } = resolved;
  const { schema1 } = context.traits;
  if (size > 0 && isSchema1Type(mediaType)) {
    if (schema1 === 'converted') return checkSchema1(context, resolved);
    const refused: PullOutcome = { kind: 'unsupported-manifest', mediaType, reason: 'schema1', evidence };
    return ended(refused, schema1 === 'off-by-default' ? ['node-runtime'] : []);
  }
  if (size > 0 && readsAsSchema1(mediaType, context.traits)) {
    const read = await checkSchema1(context, resolved);
    const stranger = noManifest(mediaType, evidence);
    if (!isSuccess(read.outcome)) return joinFailures(stranger, [stranger, read]);
    return schema1 === 'converted' ? read : withDoubts(stranger, 'node-runtime');
  }
  return noManifest(mediaType, evidence);
}

async function lookInside(context: PullContext, resolved: Resolved): Promise<Attempt> {
  const { course, memory } = context;
  const { digest, endpoint } = resolved;
  const key = keyOf(context, resolved);
  const known = memory.recall(key);
  if (known !== undefined) {
    course.note(`${digest} was found whole before`);
    await measure(context, resolved, known);
    return ended(known);
  }
  if (!context.mayLookInside(endpoint)) {
    course.note(`the request budget of ${endpoint.authority} is spent: existence must do`);
    return ended({ kind: 'pullable', digest, depth: 'exists', compressedBytes: undefined, platforms: [] });
  }
  const graph = await checkGraph(context, resolved, resolved.content);
  if (!graph.ok) return isLost(graph.error, context, digest) ? withDoubts(graph.error, 'node-runtime') : graph.error;
  const outcome = outcomeOf(graph.value, resolved, context);
  const { doubt } = graph.value;
  if (doubt === undefined) memory.keep(key, outcome);
  await measure(context, resolved, outcome);
  return ended(outcome, doubt === undefined ? [] : [doubt]);
}

/** What the name was resolved to is not there, and some version of the runtime asks for the name itself then. */
function isLost({ outcome }: Attempt, { traits, reference }: PullContext, digest: Digest): boolean {
  const isTop = outcome.kind === 'damaged' && outcome.digest === digest && outcome.evidence.status === 404;
  return isTop && traits.asksTagForLostDigest && reference.digest === undefined;
}

function keyOf({ platform, traits, contentCheck }: PullContext, { endpoint, digest }: Resolved): GraphKey {
  const { authority, repository } = endpoint;
  return {
    authority,
    repository,
    digest,
    platform,
    traits: `${traits.name}${contentCheck === undefined ? '' : ' content'}`,
  };
}

function outcomeOf(image: Image, { digest }: Resolved, { course, platform, contentCheck }: PullContext): PullOutcome {
  if (image.willNotRun !== undefined) {
    course.note(`it pulls, but will not run: ${image.willNotRun.found}`);
    return { kind: 'will-not-run', ...image.willNotRun, wanted: [platform], digest };
  }
  const { compressedBytes, largeLayers } = image;
  course.note(`every part is there for ${formatPlatform(platform)}: ${compressedBytes} bytes`);
  const depth = contentCheck === undefined ? 'graph' : 'content';
  const found = { kind: 'pullable', digest, depth, compressedBytes, platforms: [platform] } as const;
  return largeLayers === undefined ? found : { ...found, largeLayers };
}

/** How fast the registry gives its largest layer, where that may matter and the budget has room for one more request. */
async function measure(context: PullContext, { endpoint }: Resolved, outcome: PullOutcome): Promise<void> {
  const { meter, reference, course, signal } = context;
  const layer = outcome.kind === 'pullable' ? outcome.largeLayers?.[0] : undefined;
  if (meter === undefined || layer === undefined || !context.mayLookInside(endpoint)) return;
  const bytesPerSecond = await meter.measure(
    { host: reference.host, client: context.clientFor(endpoint), layer },
    signal,
  );
  if (bytesPerSecond !== undefined) course.note(`measured ${Math.round(bytesPerSecond)} bytes a second`);
}
