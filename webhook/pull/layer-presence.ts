import { err, ok, type Result } from '../image/result.ts';
import type { Digest } from '../image/digest.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import type { Answer, Ask, RegistryClient } from '../registry/client.ts';
import { ended, isNoise, type Attempt } from './attempt.ts';
import { fromEachEndpoint } from './each-endpoint.ts';
import { lengthOf, type Expected } from './fetched-content.ts';
import { judgeLength } from './layer-length.ts';
import type { PullContext } from './pull-context.ts';

/** A layer as its manifest names it; schema 1 says no size. */
export type LayerName = { readonly digest: Digest; readonly size: number | undefined };

/**
 * Whether a layer is there with the size that the manifest gives it: HEAD is a fast yes, everything else is asked again
 * by the GET that the node would send, whose header is read and whose body is dropped (design, part 5 step 6). The
 * answer is the client that found it.
 */
export function findLayer(context: PullContext, layer: LayerName): Promise<Result<RegistryClient, Attempt>> {
  const size = context.traits.checksSizes === 'all' ? layer.size : undefined;
  const expected: Expected = { part: 'layer', digest: layer.digest, size };
  const resource = { kind: 'blob', digest: layer.digest } as const;
  return fromEachEndpoint(context, expected, async (client, retriesServerErrors) => {
    const head = await client.ask(
      { method: 'HEAD', resource, maxBytes: 0, retriesServerErrors: false },
      context.signal,
    );
    if (head.ok && isThere(head.value, layer.size)) return ok(client);
    if (!head.ok && !mayGetFare(head.error, client)) return err({ attempt: ended(head.error), isFinal: false });
    const ask: Ask = { method: 'GET', resource, maxBytes: 0, retriesServerErrors };
    const first = await client.ask(ask, context.signal);
    const isSettled = !context.traits.asksLayersTwice || (first.ok && first.value.status < 300);
    const get = isSettled ? first : await client.ask({ ...ask, isRepeated: true }, context.signal);
    if (!get.ok) return err({ attempt: ended(get.error), isFinal: false });
    return judgeLength(context, client, { expected, size: layer.size, seen: get.value });
  });
}

function isThere(head: Answer, size: number | undefined): boolean {
  return head.status === 200 && (size === undefined || lengthOf(head) === size);
}

/** Some servers break off on HEAD alone; who is not there at all is not there for GET either. */
function mayGetFare(failure: PullOutcome, { endpoint }: RegistryClient): boolean {
  if (failure.kind === 'unreachable') {
    // a redirect of HEAD need not be that of GET
    return failure.phase === 'reset' || (failure.phase !== 'timeout' && failure.host !== endpoint.authority);
  }
  return failure.kind === 'registry-error' || !isNoise(failure);
}
