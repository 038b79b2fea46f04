import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { codeOf } from '../image/error-code.ts';
import { certificateFacts, judgeCertificate, outOfDate } from './certificate.ts';
import type { Connected, ConnectOptions, TlsConnectOptions } from './connection.ts';
import { NetworkError, type NetworkFailure } from './failure.ts';
import { isNoTlsRecord, tlsFailure } from './tls-failure.ts';
import { speaksHttp } from './probe.ts';

export type HandshakeOptions = Pick<ConnectOptions, 'host' | 'port'> & {
  readonly tls: TlsConnectOptions;
  readonly handshakeMs: number;
  readonly probeMs: number;
  /** A plain connection to the same address, for finding out what it speaks if not TLS. */
  readonly redial: () => Promise<Socket>;
  readonly now: Date;
};

/** Waits for the handshake and judges the certificate in Go's order. Rejects with a NetworkError. */
export async function handshake(tls: TLSSocket, options: HandshakeOptions, signal: AbortSignal): Promise<Connected> {
  try {
    await untilSecure(tls, options.handshakeMs, signal);
  } catch (error) {
    const showedCertificate = tls.getPeerX509Certificate() !== undefined;
    tls.destroy();
    throw await explainHandshake(error, options, showedCertificate);
  }
  const leaf = tls.getPeerX509Certificate();
  const certificate = certificateFacts(leaf);
  if (!options.tls.isVerified) return { socket: tls, certificate };
  const chainError = tls.authorized ? undefined : chainErrorOf(tls.authorizationError);
  const fault = judgeCertificate(leaf, options.host, chainError, options.now);
  if (fault === undefined) return { socket: tls, certificate };
  tls.destroy();
  const shown = fault === 'expired' ? certificateFacts(outOfDate(leaf, options.now)) : certificate;
  throw new NetworkError({ kind: 'certificate', fault, certificate: shown });
}

/** Typed as an Error, it is OpenSSL's code as a string. */
function chainErrorOf(error: unknown): string {
  if (typeof error === 'string') return error;
  return codeOf(error) ?? 'UNSPECIFIED';
}

function untilSecure(tls: TLSSocket, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onTimeout = (): void => reject(new NetworkError({ kind: 'timeout', during: 'handshake' }));
  const onClose = (): void => reject(new NetworkError({ kind: 'reset', wasKeptAlive: false }));
  const timer = setTimeout(onTimeout, timeoutMs);
  if (signal.aborted) onTimeout();
  signal.addEventListener('abort', onTimeout, { once: true });
  tls.once('secureConnect', resolve);
  tls.once('error', reject);
  tls.once('close', onClose);
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onTimeout);
    tls.off('secureConnect', resolve);
    tls.off('close', onClose);
    tls.off('error', reject);
  });
}

/** A server that answers the hello with no TLS record is asked once in plain HTTP, so that the cause is known. */
async function explainHandshake(
  error: unknown,
  options: HandshakeOptions,
  showedCertificate: boolean,
): Promise<NetworkError> {
  if (error instanceof NetworkError) return error;
  const failure = tlsFailure(error, { ...options.tls, showedCertificate });
  if (!isNoTlsRecord(error)) return new NetworkError(failure, { cause: error });
  const isHttp = await speaksHttp(options, options.redial, options.probeMs);
  return new NetworkError(isHttp === undefined ? { kind: 'timeout', during: 'handshake' } : notTls(isHttp), {
    cause: error,
  });
}

const notTls = (isHttp: boolean): NetworkFailure =>
  isHttp ? { kind: 'http-answer' } : { kind: 'tls', reason: 'the server does not speak TLS' };
