import type { Socket } from 'node:net';
import type { Connect, ConnectOptions, TlsConnectOptions } from './connection.ts';
import { NetworkError } from './failure.ts';
import { tlsFailure } from './tls-failure.ts';

type Address = Pick<ConnectOptions, 'host' | 'port'>;

/** Whether a server that did not answer a TLS hello in TLS answers plain HTTP; `undefined` where it is silent now. */
export async function speaksHttp(
  at: Address,
  redial: () => Promise<Socket>,
  timeoutMs: number,
): Promise<boolean | undefined> {
  let socket: Socket;
  try {
    socket = await redial();
  } catch {
    return undefined;
  }
  const { promise, resolve } = Promise.withResolvers<boolean | undefined>();
  const timer = setTimeout(() => resolve(undefined), timeoutMs);
  socket.once('data', (bytes: Buffer) => resolve(bytes.subarray(0, 5).toString('latin1') === 'HTTP/'));
  socket.once('error', () => resolve(false));
  socket.once('close', () => resolve(false));
  socket.write(request('GET', at));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** Whether a server that failed to answer plain HTTP speaks TLS. */
export async function speaksTls(
  connect: Connect,
  options: ConnectOptions & { readonly tls: TlsConnectOptions },
  limit: AbortSignal,
): Promise<boolean> {
  try {
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
export async function wantsClientCertificate(
  connect: Connect,
  options: ConnectOptions,
  limit: AbortSignal,
): Promise<boolean> {
  let socket: Socket;
  try {
    ({ socket } = await connect(options, limit));
  } catch (error) {
    return error instanceof NetworkError && error.failure.kind === 'client-certificate-required';
  }
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const giveUp = (): void => resolve(false);
  const facts = { hasClientCertificate: false, showedCertificate: true };
  socket.once('error', (error) => resolve(tlsFailure(error, facts).kind === 'client-certificate-required'));
  socket.once('close', giveUp);
  limit.addEventListener('abort', giveUp, { once: true });
  socket.write(request('HEAD', options));
  try {
    return await promise;
  } finally {
    limit.removeEventListener('abort', giveUp);
    socket.destroy();
  }
}

/** Whether a server ends the connection before it answers. */
export async function breaksOff(connect: Connect, options: ConnectOptions, limit: AbortSignal): Promise<boolean> {
  let socket: Socket;
  try {
    ({ socket } = await connect(options, limit));
  } catch (error) {
    return error instanceof NetworkError && error.failure.kind === 'reset';
  }
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const giveUp = (): void => resolve(false);
  socket.once('data', giveUp);
  socket.once('error', () => resolve(true));
  socket.once('close', () => resolve(true));
  limit.addEventListener('abort', giveUp, { once: true });
  socket.write(request('HEAD', options));
  try {
    return await promise;
  } finally {
    limit.removeEventListener('abort', giveUp);
    socket.destroy();
  }
}

function request(method: string, { host, port }: Address): string {
  return `${method} /v2/ HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: close\r\n\r\n`;
}
