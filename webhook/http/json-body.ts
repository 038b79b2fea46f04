import { err, ok, type Result } from '../image/result.ts';

/** Deeper than any Kubernetes object; what recurses over a parsed value must be able to count on it. */
export const MAX_DEPTH = 256;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Reads UTF-8 JSON without a byte order mark, no deeper than {@link MAX_DEPTH}. Its errors never quote the body. */
export function parseJsonBody(bytes: Uint8Array): Result<unknown> {
  if (bytes.length === 0) return err('the body is empty');
  if (isDeeperThan(bytes, MAX_DEPTH)) return err(`the body is nested deeper than ${MAX_DEPTH}`);
  try {
    // the mark is kept, so that JSON.parse refuses it
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    return ok(value);
  } catch {
    return err('the body is not JSON in UTF-8');
  }
}

/** Counts brackets outside strings, before anything recurses. Linear, without memory of its own. */
function isDeeperThan(bytes: Uint8Array, max: number): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (isInString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) {
      isInString = true;
    } else if (OPENING.has(byte)) {
      depth += 1;
      if (depth > max) return true;
    } else if (CLOSING.has(byte)) {
      depth -= 1;
    }
  }
  return false;
}
