import { isIndexType, isManifestType, isSchema1Type } from '../image/media-type.ts';
import { formatPlatform } from '../image/platform.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import type { Attempt, PullContext } from './attempt.ts';
import { checkGraph, type Image } from './graph.ts';
import type { GraphKey } from './graph-memory.ts';
import { resolve, type Resolved } from './resolve.ts';
import type { RuntimeTraits } from './traits.ts';

/** One pull, as one runtime with one login would make it for one platform, without fetching the layers. */
export async function attemptPull(context: PullContext, traits: RuntimeTraits, signal: AbortSignal): Promise<Attempt> {
  const resolved = await resolve(context, traits, signal);
  if (!resolved.ok) return resolved.error;
  const { digest, mediaType, size } = resolved.value;
  context.course.note(`resolved to ${digest} (${mediaType === '' ? 'no type' : mediaType}, ${size} bytes)`);
  const typed = judgeType(resolved.value, traits);
  if (typed !== undefined) return typed;
  return lookInside(context, traits, resolved.value, signal);
}

/** What containerd takes for a manifest goes on; schema 1 hangs on the version, all else is no image (pull-parity D11, F15). */
function judgeType(resolved: Resolved, traits: RuntimeTraits): Attempt | undefined {
  const { mediaType, evidence, digest } = resolved;
  if (resolved.size === 0) {
    return { outcome: { kind: 'unsupported-manifest', mediaType, reason: 'not-a-manifest', evidence }, doubts: [] };
  }
  if (isIndexType(mediaType) || isManifestType(mediaType)) return undefined;
  if (isSchema1Type(mediaType)) {
    const outcome: PullOutcome =
      traits.schema1 === 'converted'
        ? { kind: 'pullable', digest, depth: 'exists', compressedBytes: undefined, platforms: [] }
        : { kind: 'unsupported-manifest', mediaType, reason: 'schema1', evidence };
    return { outcome, doubts: [] };
  }
  // a login page may come from a proxy between us and the registry that the nodes do not have
  const doubts = mediaType === 'text/html' ? (['not-a-registry-answer'] as const) : [];
  return { outcome: { kind: 'unsupported-manifest', mediaType, reason: 'not-a-manifest', evidence }, doubts };
}

async function lookInside(
  context: PullContext,
  traits: RuntimeTraits,
  resolved: Resolved,
  signal: AbortSignal,
): Promise<Attempt> {
  const key: GraphKey = {
    authority: resolved.endpoint.authority,
    repository: resolved.endpoint.repository,
    digest: resolved.digest,
    platform: context.platform,
    traits: `${traits.name}${context.contentCheck === undefined ? '' : ' content'}`,
  };
  const known = context.memory.recall(key);
  if (known !== undefined) {
    context.course.note(`${resolved.digest} was found whole before`);
    return { outcome: known, doubts: [] };
  }
  if (!context.mayLookInside(resolved.endpoint)) {
    context.course.note(`the request budget of ${resolved.endpoint.authority} is spent: existence must do`);
    const { digest } = resolved;
    return {
      outcome: { kind: 'pullable', digest, depth: 'exists', compressedBytes: undefined, platforms: [] },
      doubts: [],
    };
  }
  const walk = { context, traits, signal, depth: 0, entry: 'top' } as const;
  const { bytes, evidence } = resolved;
  const graph = await checkGraph(resolved, bytes === undefined ? undefined : { bytes, evidence }, walk);
  if (!graph.ok) return graph.error;
  const outcome = outcomeOf(graph.value, resolved, context);
  context.memory.keep(key, outcome);
  return { outcome, doubts: [] };
}

function outcomeOf(image: Image, resolved: Resolved, context: PullContext): PullOutcome {
  const { digest } = resolved;
  if (image.willNotRun !== undefined) {
    context.course.note(`it pulls, but will not run: ${image.willNotRun.found}`);
    return { kind: 'will-not-run', ...image.willNotRun, wanted: [context.platform], digest };
  }
  context.course.note(`every part is there for ${formatPlatform(context.platform)}: ${image.compressedBytes} bytes`);
  return {
    kind: 'pullable',
    digest,
    depth: context.contentCheck === undefined ? 'graph' : 'content',
    compressedBytes: image.compressedBytes,
    platforms: [context.platform],
  };
}
