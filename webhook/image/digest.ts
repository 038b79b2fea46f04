import { err, ok, type Result } from './result.ts';

/** `algorithm:hex`, known to be well formed (go-digest: sha256, sha384 or sha512, lower-case hex of the exact length). */
export type Digest = string & { readonly __digest: unique symbol };

const HEX_LENGTH: Readonly<Record<string, number>> = Object.freeze({ sha256: 64, sha384: 96, sha512: 128 });
const SHAPE = /^(?<algorithm>[A-Za-z0-9_+.-]+):(?<encoded>[a-zA-Z0-9=_-]+)$/u;

/** Reads a digest as go-digest's `Validate` does; the error is its wording. */
export function parseDigest(text: string): Result<Digest> {
  const groups = text.length > 256 ? undefined : SHAPE.exec(text)?.groups;
  const algorithm = groups?.['algorithm'];
  const encoded = groups?.['encoded'];
  if (algorithm === undefined || encoded === undefined) return err('invalid checksum digest format');
  const length = Object.hasOwn(HEX_LENGTH, algorithm) ? HEX_LENGTH[algorithm] : undefined;
  if (length === undefined) return err('unsupported digest algorithm');
  if (encoded.length !== length) return err('invalid checksum digest length');
  return isLowerHex(text, encoded) ? ok(text) : err('invalid checksum digest format');
}

/** The brand's one door: `encoded` is the part of `text` after the algorithm, which is known to be sound. */
function isLowerHex(text: string, encoded: string): text is Digest {
  return text.endsWith(`:${encoded}`) && /^[0-9a-f]+$/u.test(encoded);
}

/** The algorithm's name, as node:crypto knows it too. */
export function digestAlgorithm(digest: Digest): 'sha256' | 'sha384' | 'sha512' {
  if (digest.startsWith('sha512:')) return 'sha512';
  return digest.startsWith('sha384:') ? 'sha384' : 'sha256';
}

/** `sha256:0123456789ab`: enough to recognise it in a message. */
export function shortDigest(digest: Digest): string {
  return digest.slice(0, digest.indexOf(':') + 13);
}
