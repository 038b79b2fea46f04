import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Closable } from './stage.ts';

/** What listens on loopback and is no HTTP server. */
export type RawServer = Closable & { readonly port: number };

export async function startRawServer(onSocket: (socket: Socket) => void): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A registry in plain HTTP with a manner of its own towards who says hello in TLS. */
export async function startShyServer(registryPort: number, onHello: (socket: Socket) => void): Promise<RawServer> {
  return await startRawServer((socket) => {
    socket.once('data', (first: Buffer) => {
      if (first[0] === 0x16) {
        onHello(socket);
        return;
      }
      const registry = connect({ host: '127.0.0.1', port: registryPort });
      registry.on('error', () => socket.destroy());
      registry.on('close', () => socket.destroy());
      socket.on('close', () => registry.destroy());
      registry.write(first);
      socket.pipe(registry).pipe(socket);
    });
  });
}
