import type { Descriptor } from '../image/descriptor.ts';
import { isWithinBounds } from '../image/go-json.ts';
import { MANIFEST_ACCEPT } from '../image/media-type.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { DamagedPart, Evidence, PullOutcome } from '../outcome/outcome.ts';
import type { Answer, Ask, RegistryClient } from '../registry/client.ts';
import { ended, type Attempt } from './attempt.ts';
import { fromEachEndpoint } from './each-endpoint.ts';
import { judgeContent, type Content, type Expected } from './fetched-content.ts';
import { streamLayer, type Streamed } from './layer-stream.ts';
import type { PullContext } from './pull-context.ts';

/** Far above any manifest that a registry takes (most: 4 MiB): what bounds our reading where the runtime sets no limit. */
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;
/** A config is some kilobytes; beyond this its bytes are not compared, only its presence. */
const MAX_CONFIG_BYTES = 1024 * 1024;

/** The bytes of a manifest or index, compared with its digest and size (pull-parity D12). */
export function fetchManifest(
  context: PullContext,
  { digest, mediaType, size }: Pick<Descriptor, 'digest' | 'mediaType' | 'size'>,
  part: DamagedPart,
): Promise<Result<Content, Attempt>> {
  const { checksSizes, typeOf } = context.traits;
  const expected = { part, digest, size: checksSizes === 'all' ? size : undefined };
  const accept = typeOf === 'get' ? MANIFEST_ACCEPT : `${mediaType}, */*`;
  return fromEachEndpoint(context, expected, async (client, retriesServerErrors) => {
    const ask: Ask = {
      method: 'GET',
      resource: { kind: 'manifest', key: digest, accept },
      maxBytes: MAX_MANIFEST_BYTES,
      retriesServerErrors,
    };
    const got = await askWhole(context, client, { ask, expected });
    return got.ok ? judgeContent(got.value, expected) : err({ attempt: ended(got.error), isFinal: false });
  });
}

/** An image's config, read and compared; `undefined` bytes where it is too large, or holds too much, to be read. */
export type FetchedConfig = { readonly bytes: Uint8Array | undefined; readonly evidence: Evidence };

export function fetchConfig(
  context: PullContext,
  { digest, size }: Descriptor,
): Promise<Result<FetchedConfig, Attempt>> {
  const expected = { part: 'config', digest, size: context.traits.checksSizes === 'none' ? undefined : size } as const;
  return fromEachEndpoint<FetchedConfig>(context, expected, async (client, retriesServerErrors) => {
    const ask: Ask = {
      method: 'GET',
      resource: { kind: 'blob', digest },
      maxBytes: MAX_CONFIG_BYTES,
      retriesServerErrors,
    };
    const got = await askWhole(context, client, { ask, expected });
    if (!got.ok) return err({ attempt: ended(got.error), isFinal: false });
    const { status, isWhole, wasCut, evidence } = got.value;
    const isTooLarge = status < 300 && !isWhole && !wasCut;
    if (isTooLarge) return ok({ bytes: undefined, evidence });
    const judged = judgeContent(got.value, expected);
    return judged.ok && !isWithinBounds(judged.value.bytes) ? ok({ bytes: undefined, evidence }) : judged;
  });
}

type Wish = { readonly ask: Ask; readonly expected: Expected };

/**
 * Asks, and makes up for a body that breaks off as containerd does: all bytes may have come by then, and a registry that
 * knows ranges has the rest (docker `httpReadSeeker`, pull-parity F13).
 */
export async function askWhole(
  { traits, signal }: Pick<PullContext, 'traits' | 'signal'>,
  client: RegistryClient,
  { ask, expected: { digest, size } }: Wish,
): Promise<Result<Answer, PullOutcome>> {
  const got = await client.ask(ask, signal);
  const isEnd = !got.ok || got.value.status >= 300 || !got.value.wasCut;
  if (isEnd || traits.style !== 'containerd' || size === undefined || size > ask.maxBytes) return got;
  if (got.value.bytes.length === size) return ok({ ...got.value, isWhole: true, wasCut: false });
  const bytes = await readOn(client, { digest, size, resource: ask.resource }, signal);
  return bytes === undefined ? got : ok({ ...got.value, bytes, isWhole: true, wasCut: false });
}

/** All of a content, in as many parts as it takes; `undefined` where it does not come, or is longer than it should be. */
async function readOn(client: RegistryClient, content: Streamed, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const enough = new AbortController();
  const pieces: Uint8Array[] = [];
  let length = 0;
  const take = async (piece: Uint8Array): Promise<void> => {
    length += piece.length;
    if (length > content.size) enough.abort();
    else pieces.push(piece);
  };
  const streamed = await streamLayer(client, content, take, AbortSignal.any([signal, enough.signal]));
  return streamed.ok && length === content.size ? Buffer.concat(pieces) : undefined;
}
