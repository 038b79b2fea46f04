import { createHash } from 'node:crypto';
import { parseDigest, type Digest } from '../image/digest.ts';
import { bareMediaType, cutMediaType } from '../image/media-type.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { Endpoint } from '../node/endpoint.ts';
import type { Evidence } from '../outcome/outcome.ts';
import type { Answer } from '../registry/client.ts';
import { ended, type Attempt } from './attempt.ts';
import { cutOff, digestOf, lengthOf, type Content } from './fetched-content.ts';
import type { PullContext } from './pull-context.ts';
import type { RuntimeTraits } from './traits.ts';

/** What a name stands for, as the first endpoint that knew it said. `size` in bytes. */
export type Resolved = {
  readonly endpoint: Endpoint;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** The manifest itself, where resolving it took a GET and brought what the digest says. */
  readonly content: Content | undefined;
  readonly evidence: Evidence;
};

/** A good status with which the runtime can do nothing. `isFinal`: it asks no other endpoint after that. */
export type Unresolved = { readonly attempt: Attempt; readonly isFinal: boolean };

/**
 * HEAD's digest and length are taken at their word; `undefined` where one is missing and a GET must tell (pull-parity
 * D10). Of a digest that was asked for nobody reads the header (containerd `dockerResolver.Resolve`).
 */
export function fromHeader(
  { reference, traits }: PullContext,
  endpoint: Endpoint,
  answer: Answer,
): Result<Resolved, Unresolved> | undefined {
  const { evidence } = answer;
  const written = reference.digest ?? answer.header('docker-content-digest') ?? '';
  const size = lengthOf(answer);
  if (written === '') return undefined;
  if (size === undefined)
    return traits.needsContentLength ? err(unusable('it sends no Content-Length', evidence)) : undefined;
  // dockerd's graph driver pays sizes no heed: the manifest is what its GET brings
  if (size === 0 && traits.checksSizes === 'none') return undefined;
  const digest = parseDigest(written);
  if (!digest.ok) return err({ ...unusable('its Docker-Content-Digest is no digest', evidence), isFinal: true });
  const mediaType = typeOf(answer, traits);
  return withinLimit(traits.maxManifestBytes, {
    endpoint,
    digest: digest.value,
    mediaType,
    size,
    content: undefined,
    evidence,
  });
}

/** Reads a GET of the manifest: the digest is that of the body, but for dockerd, which believes the header there too. */
export function fromBody(
  { reference, traits }: PullContext,
  endpoint: Endpoint,
  answer: Answer,
): Result<Resolved, Unresolved> {
  const { evidence, bytes } = answer;
  if (answer.wasCut) return err({ attempt: cutOff(answer, 'manifest', reference.digest), isFinal: false });
  const mediaType = typeOf(answer, traits);
  if (!answer.isWhole) return err(beyond(traits.maxManifestBytes, bytes.length, mediaType, evidence));
  const written = traits.digestOfGet === 'header' ? (answer.header('docker-content-digest') ?? '') : '';
  if (reference.digest === undefined && written !== '' && traits.needsContentLength && lengthOf(answer) === undefined) {
    return err(unusable('it sends no Content-Length', evidence));
  }
  const claimed = reference.digest === undefined && written !== '' ? parseDigest(written) : ok(reference.digest);
  if (!claimed.ok) return err(unusable('its Docker-Content-Digest is no digest', evidence));
  const digest = claimed.value ?? sha256Of(bytes);
  return withinLimit(traits.maxManifestBytes, {
    endpoint,
    digest,
    mediaType,
    size: bytes.length,
    content: digestOf(bytes, digest) === digest ? { bytes, evidence } : undefined,
    evidence,
  });
}

/** containerd takes the type as it is written, dockerd and containers/image parse it (pull-parity D11). */
function typeOf(answer: Answer, { style }: RuntimeTraits): string {
  const written = answer.header('content-type');
  return style === 'containerd' ? cutMediaType(written) : bareMediaType(written);
}

function withinLimit(limit: number | undefined, resolved: Resolved): Result<Resolved, Unresolved> {
  return limit === undefined || resolved.size <= limit
    ? ok(resolved)
    : err(tooLarge(resolved.mediaType, resolved.evidence));
}

/** More than we read: more than the runtime takes too, where it has a limit (pull-parity D13). */
function beyond(limit: number | undefined, read: number, mediaType: string, evidence: Evidence): Unresolved {
  if (limit !== undefined) return tooLarge(mediaType, evidence);
  const detail = `a manifest of more than ${read} bytes`;
  return { attempt: ended({ kind: 'not-checked', reason: 'limit', detail }), isFinal: false };
}

function tooLarge(mediaType: string, evidence: Evidence): Unresolved {
  const attempt = ended({ kind: 'unsupported-manifest', mediaType, reason: 'too-large', evidence });
  return { attempt, isFinal: false };
}

function unusable(reason: string, evidence: Evidence): Unresolved {
  return { attempt: ended({ kind: 'registry-error', reason, evidence }), isFinal: false };
}

function sha256Of(bytes: Uint8Array): Digest {
  const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  if (!digest.ok) throw new Error(`sha256 gave no digest: ${digest.error}`);
  return digest.value;
}
