import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A port in front of a server that counts the connections to it, and passes every byte on. */
export type Gate = {
  /** `127.0.0.1:40123`. */
  readonly host: string;
  /** Since the last `reset`. */
  readonly opened: () => number;
  /** At this moment. */
  readonly open: () => number;
  readonly reset: () => void;
  readonly close: () => Promise<void>;
};

export async function openGate(targetPort: number): Promise<Gate> {
  const sockets = new Set<Socket>();
  let opened = 0;
  const server = createServer({ allowHalfOpen: true }, (caller) => {
    opened += 1;
    sockets.add(caller);
    const target = connect({ host: '127.0.0.1', port: targetPort, allowHalfOpen: true });
    for (const [one, other] of [
      [caller, target],
      [target, caller],
    ] as const) {
      one.setNoDelay(true).pipe(other);
      one.on('error', () => other.destroy());
      one.once('close', () => other.destroy());
    }
    caller.once('close', () => sockets.delete(caller));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the gate has no port');
  return {
    host: `127.0.0.1:${address.port}`,
    opened: () => opened,
    open: () => sockets.size,
    reset: () => {
      opened = 0;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
