import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A port at the node's address, which Pods can reach, that leads to a server on loopback. */
export interface Door {
  readonly port: number;
  readonly close: () => Promise<void>;
}

export async function openDoor(address: string, serverPort: number): Promise<Door> {
  const sockets = new Set<Socket>();
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const door = createServer((visitor) => {
    const server = connect({ host: '127.0.0.1', port: serverPort });
    join(visitor, server);
    join(server, visitor);
  });
  door.listen(0, address);
  await once(door, 'listening');
  return {
    port: (door.address() as AddressInfo).port,
    close: async () => {
      const closed = once(door, 'close');
      door.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
