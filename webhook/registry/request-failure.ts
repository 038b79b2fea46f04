import { codeOf } from '../image/error-code.ts';
import { NetworkError, NO_HTTP, type NetworkFailure } from './failure.ts';
import { tlsFailure } from './tls-failure.ts';

/** The errors of connections over which something had come before. */
export type KeptAlive = WeakSet<Error>;

export type RequestFacts = {
  readonly keptAlive: KeptAlive;
  /** Whether there was ever an answer from there. */
  readonly hasAnswered: boolean;
  readonly hasClientCertificate: boolean;
  readonly signal: AbortSignal;
};

const OUT_OF_TIME: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  // the transport was closed meanwhile
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
]);

/** What an error of undici's `request` means. */
export function requestFailure(error: unknown, facts: RequestFacts): NetworkFailure {
  if (error instanceof NetworkError) return error.failure;
  if (facts.signal.aborted) return { kind: 'timeout', during: 'answer' };
  const code = codeOf(error) ?? '';
  if (OUT_OF_TIME.has(code)) return { kind: 'timeout', during: 'answer' };
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return { kind: 'not-http', reason: 'its header is too large' };
  if (code.startsWith('HPE_') || isOfParser(error, code)) return { kind: 'not-http', reason: NO_HTTP };
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
    return { kind: 'unsendable', reason: 'a header that the settings declare cannot be sent' };
  }
  const failure = tlsFailure(error, { ...facts, showedCertificate: true });
  if (failure.kind !== 'reset') return failure;
  return { kind: 'reset', wasKeptAlive: facts.hasAnswered && hadBytes(error, facts.keptAlive) };
}

/** undici's parser does not always give a code of its own, and counts a body of which not even the header is read. */
function isOfParser(error: unknown, code: string): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.name === 'HTTPParserError' ||
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' ||
    (code === 'UND_ERR_SOCKET' && error.message === 'bad response')
  );
}

/** Of a connection that the server ended undici tells how much came before; a reset is the socket's own error. */
function hadBytes(error: unknown, keptAlive: KeptAlive): boolean {
  if (!(error instanceof Error)) return false;
  if (keptAlive.has(error)) return true;
  const socket = 'socket' in error ? error.socket : undefined;
  if (typeof socket !== 'object' || socket === null || !('bytesRead' in socket)) return false;
  return typeof socket.bytesRead === 'number' && socket.bytesRead > 0;
}
