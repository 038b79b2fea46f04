import { NetworkError, type NetworkFailure } from './failure.ts';
import { tlsFailure } from './tls-failure.ts';

/** The errors of connections that had answered before. */
export type KeptAlive = WeakSet<Error>;

export type RequestFacts = {
  readonly keptAlive: KeptAlive;
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
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (OUT_OF_TIME.has(code)) return { kind: 'timeout', during: 'answer' };
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return { kind: 'not-http', reason: 'its header is too large' };
  if (code.startsWith('HPE_')) return { kind: 'not-http', reason: 'it does not answer in HTTP' };
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
    return { kind: 'not-http', reason: 'a header that the settings declare cannot be sent' };
  }
  const failure = tlsFailure(error, facts.hasClientCertificate);
  return failure.kind === 'reset' ? { kind: 'reset', wasKeptAlive: hadAnswered(error, facts.keptAlive) } : failure;
}

/** Of a connection that the server ended undici tells how much came before; a reset is the socket's own error. */
function hadAnswered(error: unknown, keptAlive: KeptAlive): boolean {
  if (!(error instanceof Error)) return false;
  if (keptAlive.has(error)) return true;
  const socket = 'socket' in error ? error.socket : undefined;
  if (typeof socket !== 'object' || socket === null || !('bytesRead' in socket)) return false;
  return typeof socket.bytesRead === 'number' && socket.bytesRead > 0;
}
