import { err, ok, type Result } from '../image/result.ts';

const NEWLINES: ReadonlySet<number> = new Set([0x0a, 0x0d]);
const PADDING = 0x3d;
/** Ends in "=", whatever white space (as Go's unicode.IsSpace has it) follows. */
const ENDS_PADDED = /=[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$/u;

/**
 * Decodes an `auth` field as the kubelet does (pull-parity C4): the standard alphabet, line ends ignored, padding
 * wanted only where the field ends in "=". The error is Go's own sentence, with the offset in bytes.
 */
export function decodeBase64(text: string): Result<Buffer> {
  const bytes = Buffer.from(text, 'utf8');
  const corruptAt = findCorruption(bytes, ENDS_PADDED.test(text));
  if (corruptAt !== undefined) return err(`illegal base64 data at input byte ${corruptAt}`);
  return ok(Buffer.from(text.replaceAll(/[\r\n]/gu, ''), 'base64'));
}

/** Where encoding/base64 gives up, in bytes; `undefined` where it does not. */
function findCorruption(bytes: Uint8Array, isPadded: boolean): number | undefined {
  let inQuantum = 0;
  for (const [at, byte] of bytes.entries()) {
    if (NEWLINES.has(byte)) continue;
    if (isPadded && byte === PADDING) return findCorruptPadding(bytes, at, inQuantum);
    if (!isInAlphabet(byte)) return at;
    inQuantum = (inQuantum + 1) % 4;
  }
  const isComplete = inQuantum === 0 || (!isPadded && inQuantum > 1);
  return isComplete ? undefined : bytes.length - inQuantum;
}

function findCorruptPadding(bytes: Uint8Array, at: number, inQuantum: number): number | undefined {
  if (inQuantum < 2) return at;
  let next = skipNewlines(bytes, at + 1);
  if (inQuantum === 2) {
    if (next === bytes.length) return next;
    if (bytes[next] !== PADDING) return next - 1;
    next = skipNewlines(bytes, next + 1);
  }
  return next < bytes.length ? next : undefined;
}

function skipNewlines(bytes: Uint8Array, from: number): number {
  let at = from;
  while (NEWLINES.has(bytes[at] ?? 0)) at += 1;
  return at;
}

function isInAlphabet(byte: number): boolean {
  const isLetter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
  return isLetter || (byte >= 0x30 && byte <= 0x39) || byte === 0x2b || byte === 0x2f;
}
