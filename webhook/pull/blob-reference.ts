import type { Digest } from '../image/digest.ts';
import { cutMediaType, isIndexType, isManifestType } from '../image/media-type.ts';
import type { Endpoint } from '../node/endpoint.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import type { PullContext } from './pull-context.ts';

/**
 * Where no endpoint has a manifest of a digest, containerd asks for a blob of it; the pull fails there too, but for
 * another cause: the digest is that of a layer or a config (pull-parity D14).
 */
export async function digestKnownAsBlob(
  context: PullContext,
  digest: Digest,
  endpoints: readonly Endpoint[],
): Promise<PullOutcome | undefined> {
  for (const endpoint of endpoints) {
    const client = context.clientFor(endpoint);
    context.course.note(`no manifest has this digest: is it a blob's, at ${endpoint.authority}?`);
    const resource = { kind: 'blob', digest } as const;
    // the next endpoint is for when this one does not know it
    // oxlint-disable-next-line no-await-in-loop
    const head = await client.ask(
      { method: 'HEAD', resource, maxBytes: 0, retriesServerErrors: false },
      context.signal,
    );
    if (head.ok && head.value.status === 200) {
      const { evidence } = head.value;
      const mediaType = cutMediaType(head.value.header('content-type'));
      // by its type the node takes it for a manifest, and asks by GET for what it was told by HEAD is not there
      if (isManifestType(mediaType) || isIndexType(mediaType)) return undefined;
      return { kind: 'unsupported-manifest', mediaType, reason: 'not-a-manifest', evidence };
    }
  }
  return undefined;
}
