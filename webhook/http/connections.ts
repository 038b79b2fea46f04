import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The open connections of a server. */
export interface Connections {
  /** At most so many are open: for one more, one that asks for nothing gives way. */
  add(socket: Socket): void;
  /** `socket` is the one that the request came over, which under TLS is not the one that was added. */
  answering(socket: Socket, response: ServerResponse): void;
  /** The last answer of each connection that was ever asked. */
  answers(): readonly ServerResponse[];
  destroy(): void;
}

type Connection = { readonly peer: string; readonly socket: Socket; answer: ServerResponse | undefined };

/**
 * Whoever holds connections open keeps nobody out: a probe, or an API server's next review, is new for a few
 * milliseconds only, and what it displaces is the oldest that never asked anything, else the oldest that waits for nothing.
 */
export function createConnections(max: number): Connections {
  const open = new Map<string, Connection>();
  // The last answer of each is replaced and not removed: deleting one for each request has the map rebuilt now and
  // then, and what the old ones held lives until the next full collection.
  const asked = new Map<Socket, Connection>();
  const mostIdle = (): Connection | undefined => {
    let idle: Connection | undefined;
    for (const one of open.values()) {
      if (one.answer === undefined) return one;
      if (one.answer.writableEnded) idle ??= one;
    }
    return idle;
  };
  const makeRoom = (): void => {
    const loser = open.size < max ? undefined : mostIdle();
    if (loser === undefined) return;
    open.delete(loser.peer);
    loser.socket.destroy();
  };
  return {
    add: (socket) => {
      makeRoom();
      const isGone = socket.remotePort === undefined;
      if (isGone || open.size >= max) {
        socket.destroy();
        return;
      }
      const connection: Connection = { peer: peerOf(socket), socket, answer: undefined };
      open.set(connection.peer, connection);
      socket.once('close', () => {
        if (open.get(connection.peer) === connection) open.delete(connection.peer);
      });
    },
    answering: (socket, response) => {
      const known = asked.get(socket);
      const connection = known ?? open.get(peerOf(socket));
      if (connection === undefined) return;
      connection.answer = response;
      if (known !== undefined) return;
      asked.set(socket, connection);
      socket.once('close', () => asked.delete(socket));
    },
    answers: () => [...open.values()].flatMap(({ answer }) => answer ?? []),
    destroy: () => {
      for (const { socket } of open.values()) socket.destroy();
    },
  };
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
