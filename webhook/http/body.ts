import type { IncomingMessage } from 'node:http';
import { err, ok, type Result } from '../image/result.ts';

const EMPTY = Buffer.alloc(0);

export type BodyFailure = 'too-large' | 'aborted';

/**
 * Reads a request's body up to `maxBytes`. Answers at the first byte too many: express's own parsers read the rest of
 * the request before they say 413, which for an endless body is never (body-parser 2.4, `dump`). The caller closes the
 * connection after `too-large`.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Result<Buffer, BodyFailure>> {
  if (declaredLength(request) > maxBytes) return Promise.resolve(err('too-large'));
  const { promise, resolve } = Promise.withResolvers<Result<Buffer, BodyFailure>>();
  const chunks: Buffer[] = [];
  let total = 0;
  const take = (chunk: Buffer): void => {
    total += chunk.length;
    if (total <= maxBytes) chunks.push(chunk);
    else {
      request.off('data', take).pause();
      resolve(err('too-large'));
    }
  };
  const complete = (): void => resolve(ok(chunks.length === 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks, total)));
  // of what comes after the first of these a promise takes no notice; an error is always followed by `close`, and
  // without its listener it would end the process
  const abort = (): void => resolve(err('aborted'));
  request.on('error', abort).on('data', take).on('end', complete).on('close', abort);
  return promise;
}

/** What `Content-Length` says, 0 where it says nothing. */
export function declaredLength(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}
