import { isWithinBounds, type Descriptor } from '../image/manifest.ts';
import { MANIFEST_ACCEPT } from '../image/media-type.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { DamagedPart, Evidence } from '../outcome/outcome.ts';
import type { Ask } from '../registry/client.ts';
import { ended, type Attempt } from './attempt.ts';
import { fromEachEndpoint } from './each-endpoint.ts';
import { judgeContent, type Content } from './fetched-content.ts';
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
    const got = await client.ask(ask, context.signal);
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
    const got = await client.ask(ask, context.signal);
    if (!got.ok) return err({ attempt: ended(got.error), isFinal: false });
    const { status, isWhole, wasCut, evidence } = got.value;
    const isTooLarge = status < 300 && !isWhole && !wasCut;
    if (isTooLarge) return ok({ bytes: undefined, evidence });
    const judged = judgeContent(got.value, expected);
    return judged.ok && !isWithinBounds(judged.value.bytes) ? ok({ bytes: undefined, evidence }) : judged;
  });
}
