import type { IncomingMessage } from 'node:http';
import { err, ok, type Result } from '../image/result.ts';
import type { BodyBudget } from './body-budget.ts';

/** `crowded-out`: other bodies needed its room. */
export type BodyFailure = 'too-large' | 'aborted' | 'crowded-out';

export type BodyLimits = { readonly maxBytes: number; readonly budget: BodyBudget };

/** At first, whatever is announced. */
const FIRST_BYTES = 4 * 1024;
/** Whoever sent so much is believed how much will follow: growing step by step leaves as much again to be collected. */
const EARNEST_BYTES = 64 * 1024;

/**
 * Reads a request's body. Answers at the first byte too many: express's own parsers read the rest of the request before
 * they say 413, which for an endless body is never (body-parser 2.4, `dump`). The caller closes the connection after a
 * failure. The bytes are copied as they come: pieces of one byte each would take a hundred times their memory.
 */
export function readBody(
  request: IncomingMessage,
  { maxBytes, budget }: BodyLimits,
): Promise<Result<Buffer, BodyFailure>> {
  const declared = declaredLength(request);
  if (declared > maxBytes) return Promise.resolve(err('too-large'));
  const { promise, resolve } = Promise.withResolvers<Result<Buffer, BodyFailure>>();
  let bytes: Buffer = EMPTY;
  let length = 0;
  const settle = (result: Result<Buffer, BodyFailure>): void => {
    // the request lives until the next one of its connection, and must not hold the bytes for so long
    request.off('data', take).off('end', complete).off('close', abort).pause();
    share.close();
    resolve(result);
  };
  const take = (chunk: Buffer): void => {
    const needed = length + chunk.length;
    if (needed > maxBytes) return settle(err('too-large'));
    if (needed > bytes.length) {
      const isAll = chunk.length === declared;
      const size = isAll ? needed : roomFor(needed, declared || undefined, maxBytes);
      if (!share.grow(size - bytes.length)) return;
      bytes = isAll ? chunk : grown(bytes, size);
    }
    if (bytes !== chunk) bytes.set(chunk, length);
    length = needed;
  };
  const complete = (): void => settle(ok(bytes.subarray(0, length)));
  const abort = (): void => settle(err('aborted'));
  const share = budget.open(() => settle(err('crowded-out')));
  // an error is always followed by `close`, and without its listener it would end the process
  request.on('error', ignore).on('data', take).on('end', complete).on('close', abort);
  return promise;
}

const EMPTY = Buffer.alloc(0);

function roomFor(needed: number, declared: number | undefined, maxBytes: number): number {
  if (declared !== undefined && needed > EARNEST_BYTES) return declared;
  return Math.min(declared ?? maxBytes, Math.max(2 * needed, FIRST_BYTES));
}
const ignore = (): void => undefined;

function grown(bytes: Buffer, size: number): Buffer {
  const larger = Buffer.allocUnsafe(size);
  bytes.copy(larger);
  return larger;
}

/** What `Content-Length` says, 0 where it says nothing. */
function declaredLength(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}
