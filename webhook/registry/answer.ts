import type { Evidence } from '../outcome/outcome.ts';
import { retryAfterSeconds } from './budget.ts';
import type { Resource } from './endpoint.ts';
import { MAX_ERROR_BYTES, readErrorBody, type ErrorBody } from './error-body.ts';
import type { Reading, WireReply } from './wire.ts';

export type Ask = {
  readonly method: 'HEAD' | 'GET';
  readonly resource: Resource;
  /** How many bytes of a good answer to read; 0 reads the header only. */
  readonly maxBytes: number;
  /** Ask once more after 500, 503 or 504 (pull-parity D8). */
  readonly retriesServerErrors: boolean;
  /** Only the bytes from there on (RFC 9110 section 14.2): where a transfer that broke off goes on. */
  readonly range?: { readonly from: number };
  /** Sent although the same was asked before, as the runtime does. */
  readonly isRepeated?: true;
};

/** An HTTP answer, good or bad, after logins and redirects. */
export type Answer = {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly bytes: Uint8Array;
  readonly isWhole: boolean;
  readonly wasCut: boolean;
  readonly error: ErrorBody;
  /** A login went along. */
  readonly isLoggedIn: boolean;
  /** A redirect led to another origin, which answered. */
  readonly isElsewhere: boolean;
  readonly evidence: Evidence;
};

/** What becomes of a good answer's body: read up to a limit, dropped, or left to whoever asked. */
export type BodyUse = { readonly kind: 'read'; readonly maxBytes: number } | { readonly kind: 'drop' | 'stream' };

const NO_ERROR: ErrorBody = Object.freeze({ isRegistryError: false, code: undefined });

/** Reads a reply as far as it is wanted; of a refusal always the error body. Only a body that is streamed stays open. */
export async function readBody(reply: WireReply, method: Ask['method'], use: BodyUse): Promise<Reading> {
  const nothing: Reading = { bytes: new Uint8Array(), ending: method === 'HEAD' ? 'whole' : 'longer' };
  if (method === 'HEAD') {
    await reply.read(0); // nothing comes, and the connection is free for the next request
    return nothing;
  }
  if (reply.status >= 300) return reply.read(MAX_ERROR_BYTES);
  if (use.kind === 'read') return reply.read(use.maxBytes);
  if (use.kind === 'drop') reply.drop();
  return nothing;
}

/** The facts of a reply. `evidence` is completed by its status and error code. */
export function answerOf(
  reply: WireReply,
  body: Reading,
  evidence: Evidence,
  asked: Pick<Answer, 'isLoggedIn' | 'isElsewhere'>,
): Answer {
  const error = reply.status < 300 ? NO_ERROR : readErrorBody(body.bytes);
  return {
    status: reply.status,
    header: reply.header,
    bytes: body.bytes,
    isWhole: body.ending === 'whole',
    wasCut: body.ending === 'cut',
    error,
    ...asked,
    evidence: { ...evidence, status: reply.status, code: error.code },
  };
}

/** Seconds that a 429 asks to wait. */
export function retryAfterOf(answer: Answer, nowMs: number): number | undefined {
  return retryAfterSeconds(answer.header('retry-after'), nowMs);
}
