/**
 * How much of a JSON text is read. `marks` are the brackets that open, the colons and the commas: what is built from a
 * text of megabytes takes a hundred times its memory, and seconds, where it holds nothing else.
 */
export type JsonBounds = { readonly depth: number; readonly marks: number };

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
/** A bracket with this bit set is the brace of its kind. */
const BRACE_BIT = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/**
 * The bound that a text goes beyond, `undefined` for none. Counts outside strings, before anything is built or recurses.
 * Linear, without memory of its own: it may see every byte.
 */
export function beyondBounds(bytes: Uint8Array, bounds: JsonBounds): keyof JsonBounds | undefined {
  const { length } = bytes;
  let depth = 0;
  let marks = 0;
  for (let at = 0; at < length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) {
      at = endOfString(bytes, at + 1);
    } else if (byte === COMMA || byte === COLON) {
      marks += 1;
    } else if ((byte | BRACE_BIT) === OPENING) {
      marks += 1;
      depth += 1;
      if (depth > bounds.depth) return 'depth';
    } else if ((byte | BRACE_BIT) === CLOSING) {
      depth -= 1;
    }
    if (marks > bounds.marks) return 'marks';
  }
  return undefined;
}

/** Looked at byte by byte; beyond it the engine's own search is faster than its start takes. */
const SHORT_STRING = 64;

/** Where the string that begins at `from` has its closing quote, or the text its end. */
function endOfString(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  let at = from;
  for (;;) {
    const near = Math.min(length, at + SHORT_STRING);
    for (; at < near && bytes[at] !== QUOTE; at += 1) if (bytes[at] === BACKSLASH) at += 1;
    if (at < near) return at;
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0) return length;
    if (!isEscaped(bytes, at, quote)) return quote;
    at = quote + 1;
  }
}

/** Whether the backslashes before `quote`, none of them before `from`, are of an odd number. */
function isEscaped(bytes: Uint8Array, from: number, quote: number): boolean {
  let first = quote;
  while (first > from && bytes[first - 1] === BACKSLASH) first -= 1;
  return (quote - first) % 2 === 1;
}
