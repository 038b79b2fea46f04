import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { codeOf } from '../image/error-code.ts';
import { contentLengthOf } from './content-length.ts';
import { NetworkError, type NetworkFailure } from './failure.ts';
import type { ReplyShare } from './reply-room.ts';
import type { Reading, WireReply } from './wire.ts';

/** An HTTP response as undici's `request` gives it: names of headers in lower case. */
export type RawResponse = {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
};

export type ReadingTerms = {
  /** The one that the request was sent with: it ends the reading too. */
  readonly signal: AbortSignal;
  readonly room: ReplyShare | undefined;
};

export function replyOf(response: RawResponse, terms: ReadingTerms): WireReply {
  const all = (name: string): readonly string[] => {
    const value = Object.hasOwn(response.headers, name) ? response.headers[name] : undefined;
    if (value === undefined) return [];
    // undici leaves the white space that may follow a value (RFC 9112, 5.1)
    return (Array.isArray(value) ? value : [value]).map((one) => one.replace(/[ \t]+$/u, ''));
  };
  return {
    status: response.statusCode,
    header: (name) => all(name)[0],
    headerAll: all,
    read: (maxBytes, unpacked) => {
      const length = unpacked === undefined ? contentLengthOf(all('content-length')[0]) : undefined;
      const admit = async (): Promise<void> => terms.room?.take(Math.min(maxBytes, length ?? maxBytes), terms.signal);
      const pieces = unpacked ?? streamOf(response.body, terms.signal);
      return readUpTo(pieces, { maxBytes, signal: terms.signal, admit });
    },
    stream: () => streamOf(response.body, terms.signal),
    drop: () => discard(response.body),
  };
}

/** Nearly all manifests and configs are shorter, and are read without asking for room. */
const SHORT_BYTES = 64 * 1024;

type ReadingLimits = {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Waits until there is room for a long body. */
  readonly admit: () => Promise<void>;
};

async function readUpTo(
  pieces: AsyncIterable<Uint8Array>,
  { maxBytes, signal, admit }: ReadingLimits,
): Promise<Reading> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let isAdmitted = false;
  try {
    for await (const chunk of pieces) {
      length += chunk.length;
      chunks.push(chunk);
      if (length > maxBytes) break; // leaving the loop destroys the stream
      if (length > SHORT_BYTES && !isAdmitted) {
        isAdmitted = true;
        // all at once: of several that hold a part each, none would ever get the rest
        await admit();
      }
    }
  } catch (error) {
    const isTimeout = signal.aborted || (error instanceof NetworkError && error.failure.kind === 'timeout');
    return { bytes: Buffer.concat(chunks), ending: isTimeout ? 'timeout' : 'cut' };
  }
  const bytes = Buffer.concat(chunks);
  if (length > maxBytes) return { bytes: bytes.subarray(0, maxBytes), ending: 'longer' };
  // undici gives a socket back in the turn after its answer: whoever asks before that opens one more, with its handshake
  await nextTurn();
  return { bytes, ending: 'whole' };
}

async function* streamOf(body: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) {
      // undici's bodies are bytes; the type of a Readable cannot say so
      if (chunk instanceof Uint8Array) yield chunk;
    }
  } catch (cause) {
    throw new NetworkError(bodyFailure(cause, signal), { cause });
  }
}

/** Our own deadline, or a server that falls silent, is no proof that a body is damaged. */
function bodyFailure(error: unknown, signal: AbortSignal): NetworkFailure {
  return signal.aborted || codeOf(error) === 'UND_ERR_BODY_TIMEOUT'
    ? { kind: 'timeout', during: 'answer' }
    : { kind: 'reset', wasKeptAlive: false };
}

/** A body that ends in an error after nobody reads it any more is nobody's error. */
export function discard(body: Readable): void {
  body.on('error', () => undefined);
  body.destroy();
}
