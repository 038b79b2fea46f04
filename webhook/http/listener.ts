import type { RequestListener, Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createConnections, type Connections } from './connections.ts';

export type DrainOptions = {
  /** How long it goes on accepting: until every API server has heard that this replica is no longer ready. */
  readonly lingerMs: number;
  /** How long answers under way may then take; what is left is cut off. */
  readonly limitMs: number;
};

/** A listening server that can end without failing anybody. */
export interface Listener {
  listen(host: string, port: number): Promise<AddressInfo>;
  /**
   * Says `Connection: close` on every answer from now on, stops accepting after `lingerMs`, and resolves when the last
   * answer is out. Idempotent. Idle connections stay open while it lingers: closing one just as the API server writes
   * to it fails an admission.
   */
  drain(options: DrainOptions): Promise<void>;
}

export type ListenerOptions = { readonly maxConnections: number };

/** Wraps a server that `create` builds around a request listener. */
export function createListener(
  create: (listener: RequestListener) => Server,
  app: RequestListener,
  { maxConnections }: ListenerOptions,
): Listener {
  const connections = createConnections(maxConnections);
  let draining: Promise<void> | undefined;
  const server = create((request, response) => {
    connections.answering(request.socket, response);
    if (draining !== undefined) response.setHeader('Connection', 'close');
    app(request, response);
  });
  server.on('connection', (socket: Socket) => connections.add(socket));
  const drain = async ({ lingerMs, limitMs }: DrainOptions): Promise<void> => {
    for (const response of connections.answers()) {
      if (!response.headersSent) response.setHeader('Connection', 'close');
    }
    await delay(lingerMs);
    await stop(server, connections, limitMs);
  };
  return {
    listen: (host, port) => listenOn(server, host, port),
    drain: (options) => (draining ??= drain(options)),
  };
}

function listenOn(server: Server, host: string, port: number): Promise<AddressInfo> {
  const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>();
  // stays for good: a failed accept (no file descriptors left) is the one connection's end, not the process's
  server.on('error', reject);
  server.listen({ host, port }, () => {
    const address = server.address();
    if (typeof address === 'object' && address !== null) resolve(address);
    else reject(new Error('the server listens on no TCP address'));
  });
  return promise;
}

/** Node closes idle connections itself here; one that never sent a request counts as busy and waits for the limit. */
function stop(server: Server, connections: Connections, limitMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cutOff = setTimeout(() => connections.destroy(), limitMs);
  server.close(() => {
    clearTimeout(cutOff);
    resolve();
  });
  return promise;
}
