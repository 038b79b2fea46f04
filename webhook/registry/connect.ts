import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import type { CertificateFacts } from '../outcome/outcome.ts';
import { certificateFacts, judgeCertificate } from './certificate.ts';
import { NetworkError, type NetworkFailure } from './failure.ts';
import type { Guard } from './guard.ts';
import type { ResolveName } from './resolve.ts';

export type ConnectOptions = {
  /** As in a URL, an IPv6 address in brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly context: SecureContext; readonly isVerified: boolean; readonly hasClientCertificate: boolean } | undefined;
  readonly dialTimeoutMs: number;
};

export type Connected = { readonly socket: Socket; readonly certificate: CertificateFacts | undefined };
export type Connect = (options: ConnectOptions, signal: AbortSignal) => Promise<Connected>;

/** Go's TLSHandshakeTimeout in containerd and dockerd (pull-parity E13). */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** With more addresses to try, one that does not answer must not use up the whole time. */
const NEXT_ADDRESS_AFTER_MS = 2_000;
/** How long a server may take to show that it speaks HTTP, or TLS, after it failed to speak the other. */
const PROBE_TIMEOUT_MS = 2_000;
/** What OpenSSL says when the answer to its hello is no TLS record. */
const NOT_TLS: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_BAD_RECORD_TYPE',
  'ERR_SSL_RECORD_LAYER_FAILURE',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_UNEXPECTED_MESSAGE',
  'ERR_SSL_UNKNOWN_PROTOCOL',
]);

/**
 * Dials a registry as a runtime would and tells every failure apart. The guard is asked about the very address that is
 * dialled. Rejects with a {@link NetworkError}.
 */
export function createConnect(deps: {
  readonly resolve: ResolveName;
  readonly guard: Guard;
  readonly now: () => Date;
}): Connect {
  return async (options, signal) => {
    const name = options.host.replace(/^\[|\]$/gu, '');
    const addresses = await deps.resolve(name, signal);
    const allowed = addresses.filter((address) => deps.guard({ host: options.host, port: options.port, address }));
    if (allowed.length === 0) throw new NetworkError({ kind: 'blocked' });
    const { tls, port } = options;
    if (tls === undefined) {
      const plain = await dialFirst(allowed, options, openPlain(port), signal);
      return { socket: plain.socket, certificate: undefined };
    }
    const dialled = await dialFirst(allowed, options, openSecure(port, name, tls.context), signal);
    const redial = (): Promise<Socket> => dial(openPlain(port)(dialled.address), PROBE_TIMEOUT_MS, signal);
    return handshake(dialled.socket, { ...options, tls, redial, now: deps.now() }, signal);
  };
}

/** Opens a socket towards an address; it is connected when it says so. */
type Open<S extends Socket> = (address: string) => S;

function openPlain(port: number): Open<Socket> {
  return (address) => connectTcp({ host: address, port, noDelay: true, keepAlive: true });
}

function openSecure(port: number, name: string, context: SecureContext): Open<TLSSocket> {
  return (address) =>
    connectTls({
      host: address,
      port,
      secureContext: context,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined, // judged below, in Go's order
    });
}

async function dialFirst<S extends Socket>(
  addresses: readonly string[],
  options: ConnectOptions,
  open: Open<S>,
  signal: AbortSignal,
): Promise<{ readonly socket: S; readonly address: string }> {
  let last: unknown = new NetworkError({ kind: 'no-route' });
  for (const [at, address] of addresses.entries()) {
    const isLast = at === addresses.length - 1;
    const timeoutMs = isLast ? options.dialTimeoutMs : Math.min(options.dialTimeoutMs, NEXT_ADDRESS_AFTER_MS);
    try {
      // one address after the other: the next is only for when this one fails
      // oxlint-disable-next-line no-await-in-loop
      return { socket: await dial(open(address), timeoutMs, signal), address };
    } catch (error) {
      if (signal.aborted) throw error;
      last = error;
    }
  }
  throw last;
}

function dial<S extends Socket>(socket: S, timeoutMs: number, signal: AbortSignal): Promise<S> {
  const { promise, resolve, reject } = Promise.withResolvers<S>();
  const onConnect = (): void => resolve(socket);
  const onError = (error: Error): void => reject(new NetworkError(socketFailure(error), { cause: error }));
  const onTimeout = (): void => reject(new NetworkError({ kind: 'timeout', during: 'connect' }));
  const timer = setTimeout(onTimeout, timeoutMs);
  signal.addEventListener('abort', onTimeout, { once: true });
  if (signal.aborted) onTimeout();
  socket.once('connect', onConnect);
  socket.once('error', onError);
  // whoever takes the socket over listens for himself; until then an error must not be nobody's
  socket.on('error', () => undefined);
  return promise
    .catch((error: unknown) => {
      socket.destroy();
      throw error;
    })
    .finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onTimeout);
      socket.off('connect', onConnect);
      socket.off('error', onError);
    });
}

type Handshake = ConnectOptions & {
  readonly tls: NonNullable<ConnectOptions['tls']>;
  readonly redial: () => Promise<Socket>;
  readonly now: Date;
};

async function handshake(tls: TLSSocket, options: Handshake, signal: AbortSignal): Promise<Connected> {
  try {
    await untilSecure(tls, signal);
  } catch (error) {
    tls.destroy();
    throw await explainHandshake(error, options);
  }
  const leaf = tls.getPeerX509Certificate();
  const certificate = certificateFacts(leaf);
  if (!options.tls.isVerified) return { socket: tls, certificate };
  const chainError = tls.authorized ? undefined : chainErrorOf(tls.authorizationError);
  const fault = judgeCertificate(leaf, options.host, chainError, options.now);
  if (fault === undefined) return { socket: tls, certificate };
  tls.destroy();
  throw new NetworkError({ kind: 'certificate', fault, certificate });
}

/** Typed as an Error, it is OpenSSL's code as a string. */
function chainErrorOf(error: unknown): string {
  if (typeof error === 'string') return error;
  return error instanceof Error && 'code' in error ? String(error.code) : 'UNSPECIFIED';
}

function untilSecure(tls: TLSSocket, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onTimeout = (): void => reject(new NetworkError({ kind: 'timeout', during: 'handshake' }));
  const onClose = (): void => reject(new NetworkError({ kind: 'reset' }));
  const timer = setTimeout(onTimeout, HANDSHAKE_TIMEOUT_MS);
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
async function explainHandshake(error: unknown, options: Handshake): Promise<NetworkError> {
  if (error instanceof NetworkError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (NOT_TLS.has(code)) {
    const speaksHttp = await probeHttp(options);
    return new NetworkError(
      speaksHttp ? { kind: 'http-answer' } : { kind: 'tls', reason: 'the server does not speak TLS' },
      { cause: error },
    );
  }
  return new NetworkError(tlsFailure(error, options.tls.hasClientCertificate), { cause: error });
}

async function probeHttp(options: Handshake): Promise<boolean> {
  let socket: Socket;
  try {
    socket = await options.redial();
  } catch {
    return false;
  }
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), PROBE_TIMEOUT_MS);
  socket.once('data', (bytes: Buffer) => resolve(bytes.subarray(0, 5).toString('latin1') === 'HTTP/'));
  socket.once('error', () => resolve(false));
  socket.once('close', () => resolve(false));
  socket.write(`GET /v2/ HTTP/1.1\r\nHost: ${options.host}:${options.port}\r\nConnection: close\r\n\r\n`);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** Maps what a socket or TLS error says; used for errors after the handshake too, where TLS 1.3 tells of certificates. */
export function tlsFailure(error: unknown, hasClientCertificate: boolean): NetworkFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.includes('CERTIFICATE_REQUIRED')) return { kind: 'client-certificate-required' };
  if (code.includes('ALERT_BAD_CERTIFICATE') || code.includes('ALERT_UNKNOWN_CA') || code.includes('ALERT_CERTIFICATE_UNKNOWN')) {
    return hasClientCertificate
      ? { kind: 'tls', reason: 'the server refused the client certificate' }
      : { kind: 'client-certificate-required' };
  }
  if (code.includes('PROTOCOL_VERSION') || code.includes('UNSUPPORTED_PROTOCOL') || code.includes('VERSION_TOO_LOW')) {
    return { kind: 'tls', reason: 'the server offers no TLS version from 1.2 on' };
  }
  if (code.includes('HANDSHAKE_FAILURE')) {
    return { kind: 'tls', reason: 'the server broke off the handshake: no common cipher, or it wants a client certificate' };
  }
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) {
    return { kind: 'tls', reason: code.replace(/^ERR_(?:SSL|TLS)_/u, '').toLowerCase().replaceAll('_', ' ') };
  }
  return socketFailure(error);
}

export function socketFailure(error: unknown): NetworkFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return { kind: 'refused' };
  if (code === 'ETIMEDOUT') return { kind: 'timeout', during: 'connect' };
  if (code === 'ENETUNREACH' || code === 'EHOSTUNREACH' || code === 'EADDRNOTAVAIL' || code === 'EINVAL') {
    return { kind: 'no-route' };
  }
  return { kind: 'reset' };
}

/** Whether the server at an open socket's far end speaks TLS: asked after it failed to speak HTTP. */
export async function probeTls(connect: Connect, options: ConnectOptions & { readonly tls: NonNullable<ConnectOptions['tls']> }, signal: AbortSignal): Promise<boolean> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]);
    const { socket } = await connect({ ...options, tls: { ...options.tls, isVerified: false } }, limit);
    socket.destroy();
    return true;
  } catch (error) {
    return error instanceof NetworkError && error.failure.kind === 'client-certificate-required';
  }
}

/**
 * Whether a server that ended the connection without a word did so for want of a client certificate: TLS 1.3 says it
 * after the handshake, in an alert that an HTTP client which sees the end first does not hear. Asked once more, the
 * alert is listened for.
 */
export async function probeClientCertificate(
  connect: Connect,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]);
  let socket: Socket;
  try {
    ({ socket } = await connect(options, limit));
  } catch {
    return false;
  }
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once('error', (error) => resolve(tlsFailure(error, false).kind === 'client-certificate-required'));
  socket.once('close', () => resolve(false));
  limit.addEventListener('abort', () => resolve(false), { once: true });
  socket.write(`HEAD /v2/ HTTP/1.1\r\nHost: ${options.host}:${options.port}\r\nConnection: close\r\n\r\n`);
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
