import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type ConnectionOptions, type TlsOptions } from 'node:tls';

/** One TLS handshake over loopback: `ok`, or the code with which the client or the server refused. */
export async function handshake(server: TlsOptions, client: ConnectionOptions): Promise<string> {
  const refusals: string[] = [];
  const listener = createServer({ ...server, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, (socket) => {
    socket.on('error', () => undefined);
    socket.end('hello');
  });
  listener.on('tlsClientError', (error) => refusals.push(codeOf(error)));
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  try {
    const socket = connect({ host: '127.0.0.1', port, ...client });
    socket.resume();
    await once(socket, 'secureConnect');
    await once(socket, 'end');
    socket.destroy();
    return refusals[0] ?? 'ok';
  } catch (error) {
    return codeOf(error);
  } finally {
    listener.close();
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error);
