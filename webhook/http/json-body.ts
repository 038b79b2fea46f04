import { isUtf8 } from 'node:buffer';
import { err, ok, type Result } from '../image/result.ts';

/** Deeper than any Kubernetes object; what recurses over a parsed value must be able to count on it. */
export const MAX_DEPTH = 256;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** A bracket with this bit set is the brace of its kind. */
const BRACE_BIT = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/** Reads UTF-8 JSON without a byte order mark, no deeper than {@link MAX_DEPTH}. Its errors never quote the body. */
export function parseJsonBody(bytes: Buffer): Result<unknown> {
  if (bytes.length === 0) return err('the body is empty');
  if (isDeeperThan(bytes, MAX_DEPTH)) return err(`the body is nested deeper than ${MAX_DEPTH}`);
  if (!isUtf8(bytes)) return err('the body is not JSON in UTF-8');
  try {
    // a byte order mark is kept, so that JSON.parse refuses it
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return ok(value);
  } catch {
    return err('the body is not JSON in UTF-8');
  }
}

/** Counts brackets outside strings, before anything recurses. Linear, without memory of its own: it sees every byte. */
function isDeeperThan(bytes: Uint8Array, max: number): boolean {
  const { length } = bytes;
  let depth = 0;
  for (let at = 0; at < length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) {
      at += 1;
      for (; at < length && bytes[at] !== QUOTE; at += 1) if (bytes[at] === BACKSLASH) at += 1;
    } else if ((byte | BRACE_BIT) === OPENING) {
      depth += 1;
      if (depth > max) return true;
    } else if ((byte | BRACE_BIT) === CLOSING) {
      depth -= 1;
    }
  }
  return false;
}
