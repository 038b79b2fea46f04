import { isUtf8 } from 'node:buffer';
import { beyondBounds } from '../image/json-bounds.ts';
import { err, ok, type Result } from '../image/result.ts';

/**
 * Deeper than any Kubernetes object: what recurses over a parsed value must be able to count on it. A Pod of fifty
 * containers with forty variables each has some 60,000 marks, with its managed fields and the old object beside it.
 */
export const BODY_BOUNDS = Object.freeze({ depth: 256, marks: 150_000 });

export type JsonBodyFailure = { readonly status: 400 | 413; readonly reason: string };

/** Reads UTF-8 JSON without a byte order mark, within {@link BODY_BOUNDS}. Its errors never quote the body. */
export function parseJsonBody(bytes: Buffer): Result<unknown, JsonBodyFailure> {
  if (bytes.length === 0) return malformed('the body is empty');
  const beyond = isSurelyWithin(bytes) ? undefined : beyondBounds(bytes, BODY_BOUNDS);
  if (beyond === 'depth') return malformed(`the body is nested deeper than ${BODY_BOUNDS.depth}`);
  if (beyond === 'marks') return err({ status: 413, reason: 'the body holds more values than any Kubernetes object' });
  if (!isUtf8(bytes)) return malformed('the body is not JSON in UTF-8');
  try {
    // a byte order mark is kept, so that JSON.parse refuses it
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return ok(value);
  } catch {
    return malformed('the body is not JSON in UTF-8');
  }
}

/** Most bodies are as short, and are looked at by the engine's own search: it is faster than ours. */
const SHORT_BYTES = 32 * 1024;

/** Whether a body has too few brackets, in its texts too, to nest too deep, and too few bytes for too many marks. */
function isSurelyWithin(bytes: Buffer): boolean {
  if (bytes.length > SHORT_BYTES) return false;
  const text = bytes.toString('latin1');
  return text.split('{').length + text.split('[').length - 2 <= BODY_BOUNDS.depth;
}

const malformed = (reason: string): Result<never, JsonBodyFailure> => err({ status: 400, reason });
