import { parseDigest, type Digest } from '../image/digest.ts';
import { isWithinBounds } from '../image/go-json.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import { ended, type Attempt } from './attempt.ts';
import { MAX_MANIFEST_BYTES } from './fetch.ts';
import { cutOff } from './fetched-content.ts';
import { findLayer } from './layer-presence.ts';
import type { PullContext } from './pull-context.ts';
import type { Resolved } from './resolved.ts';
import { manifestRefusal } from './status.ts';
import type { RuntimeTraits } from './traits.ts';

/** More layers than Docker ever allowed in one image. */
const MAX_LAYERS = 127;

/**
 * What dockerd and containers/image do not know they read as schema 1, which the first registries called
 * `application/json` (distribution `UnmarshalManifest`, containers/image `NormalizedMIMEType`).
 */
export function readsAsSchema1(mediaType: string, { style, schema1 }: RuntimeTraits): boolean {
  if (style === 'containerd' || schema1 === 'refused') return false;
  return style === 'crio' || mediaType !== '';
}

/** A runtime that still reads schema 1: whether it can be read, and whether its layers are there (pull-parity F15). */
export async function checkSchema1(context: PullContext, resolved: Resolved): Promise<Attempt> {
  const { digest, mediaType, evidence, content } = resolved;
  const fetched = content === undefined ? await fetchUncompared(context, resolved) : ok(content.bytes);
  if (!fetched.ok) return fetched.error;
  if (!isWithinBounds(fetched.value)) return ended(TOO_LONG);
  const layers = decodeSchema1(fetched.value, context.traits.wantsSignature);
  if (!layers.ok) {
    const problem = `cannot be read as schema 1: ${layers.error}`;
    return ended({ kind: 'damaged', part: 'manifest', digest, problem, evidence });
  }
  context.course.note(`${mediaType}: schema 1 with ${layers.value.length} layers`);
  for (const layer of layers.value) {
    // a missing layer ends the pull
    // oxlint-disable-next-line no-await-in-loop
    const found = await findLayer(context, { digest: layer, size: undefined });
    if (!found.ok) return found.error;
  }
  const outcome: PullOutcome = { kind: 'pullable', digest, depth: 'graph', compressedBytes: undefined, platforms: [] };
  return ended(outcome);
}

/** Its digest is that of what was signed, not that of the bytes: nothing is compared. */
async function fetchUncompared(context: PullContext, resolved: Resolved): Promise<Result<Uint8Array, Attempt>> {
  const { digest, mediaType, endpoint } = resolved;
  const resource = { kind: 'manifest', key: digest, accept: `${mediaType}, */*` } as const;
  const client = context.clientFor(endpoint);
  const ask = { method: 'GET', resource, maxBytes: MAX_MANIFEST_BYTES, retriesServerErrors: false } as const;
  const got = await client.ask(ask, context.signal);
  if (!got.ok) return err(ended(got.error));
  if (got.value.status >= 300) return err(manifestRefusal(got.value, { ...context.reference, digest }, got.value));
  if (got.value.isWhole) return ok(got.value.bytes);
  return err(got.value.wasCut ? cutOff(got.value, 'manifest', digest) : ended(TOO_LONG));
}

const TOO_LONG: PullOutcome = Object.freeze({
  kind: 'not-checked',
  reason: 'limit',
  detail: 'a very long schema 1 manifest',
});

/** The layers of a schema 1 manifest (distribution, "Image Manifest V 2, Schema 1"), each once. */
export function decodeSchema1(bytes: Uint8Array, wantsSignature: boolean): Result<readonly Digest[]> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return err('it is not JSON');
  }
  if (!isObject(value) || value['schemaVersion'] !== 1) return err('its schemaVersion is not 1');
  const { fsLayers, history, signatures } = value;
  if (wantsSignature && !(Array.isArray(signatures) && signatures.length > 0)) return err('it has no signature');
  if (!Array.isArray(fsLayers) || fsLayers.length === 0) return err('it has no layers');
  if (!Array.isArray(history) || history.length !== fsLayers.length) return err('its history does not fit its layers');
  if (fsLayers.length > MAX_LAYERS) return err(`it has more than ${MAX_LAYERS} layers`);
  const digests = new Set<Digest>();
  for (const layer of fsLayers) {
    const digest = parseDigest(isObject(layer) && typeof layer['blobSum'] === 'string' ? layer['blobSum'] : '');
    if (!digest.ok) return err('a layer has no digest');
    digests.add(digest.value);
  }
  return ok([...digests]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
