import type { Socket } from 'node:net';
import type { Connect, ConnectOptions, TlsConnectOptions } from './connection.ts';
import { NetworkError, type NetworkFailure } from './failure.ts';
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
export function wantsClientCertificate(
  connect: Connect,
  options: ConnectOptions,
  limit: AbortSignal,
): Promise<boolean> {
  const facts = { hasClientCertificate: false, showedCertificate: true };
  return watchAnswer(connect, options, limit, {
    failsWith: 'client-certificate-required',
    watch: (socket, tell) => {
      socket.once('error', (error) => tell(tlsFailure(error, facts).kind === 'client-certificate-required'));
      socket.once('close', () => tell(false));
    },
  });
}

/** Whether a server ends the connection before it answers. */
export function breaksOff(connect: Connect, options: ConnectOptions, limit: AbortSignal): Promise<boolean> {
  return watchAnswer(connect, options, limit, {
    failsWith: 'reset',
    watch: (socket, tell) => {
      socket.once('data', () => tell(false));
      socket.once('error', () => tell(true));
      socket.once('close', () => tell(true));
    },
  });
}

type Watching = {
  /** The failure of the connection itself that is a yes. */
  readonly failsWith: NetworkFailure['kind'];
  readonly watch: (socket: Socket, tell: (isSo: boolean) => void) => void;
};

/** Connects, asks, and watches what becomes of the connection; no answer in time is a no. */
async function watchAnswer(
  connect: Connect,
  options: ConnectOptions,
  limit: AbortSignal,
  { failsWith, watch }: Watching,
): Promise<boolean> {
  let socket: Socket;
  try {
    ({ socket } = await connect(options, limit));
  } catch (error) {
    return error instanceof NetworkError && error.failure.kind === failsWith;
  }
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const giveUp = (): void => resolve(false);
  watch(socket, resolve);
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
