import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createListener, type Server, type Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { Answer } from './answer.ts';
import { deliver } from './deliver.ts';
import { readQuestion, type Question } from './question.ts';

export type ServerOptions = {
  /** Certificate and key, and what else node:tls takes; plain HTTP where absent. */
  readonly tls?: TlsOptions;
  /** What stands before `/<repository>/manifests/...`. Default `/v2`. */
  readonly pathPrefix?: string;
};

export interface LoopbackServer {
  /** As an image reference has it: `127.0.0.1:40123`. */
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:40123`, or with `https`. */
  readonly origin: string;
  /** Stops listening and ends every connection, also those in the middle of an answer. */
  readonly close: () => Promise<void>;
}

/** An HTTP or HTTPS server on 127.0.0.1 whose answers are values. */
export async function serveAnswers(
  { tls, pathPrefix }: ServerOptions,
  answer: (question: Question) => Answer | Promise<Answer>,
): Promise<LoopbackServer> {
  const scheme = tls === undefined ? 'http' : 'https';
  const respond = (request: IncomingMessage, response: ServerResponse): void => {
    readQuestion(request, scheme, pathPrefix)
      .then(answer)
      .catch((cause: unknown) => ({ status: 500, headers: {}, body: Buffer.from(String(cause)) }))
      .then(async (result) => await deliver(result, request, response))
      // only the client going away ends a delivery early
      .catch(() => request.socket.destroy());
  };
  const listener = tls === undefined ? createServer(respond) : createTlsFront(tls, respond);
  const sockets = new Set<Socket>();
  listener.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await listenOnLoopback(listener);
  const host = `127.0.0.1:${port}`;
  let closed: Promise<void> | undefined;
  return {
    host,
    port,
    origin: `${scheme}://${host}`,
    close: async () => {
      closed ??= new Promise((resolve) => {
        listener.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
      await closed;
    },
  };
}

/** A TLS server that answers plain HTTP with a 400 in plain text, as Go's and nginx do. */
function createTlsFront(
  tls: TlsOptions,
  respond: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const secure = createTlsServer(tls, respond);
  secure.on('tlsClientError', (_error, socket) => socket.destroy());
  // header and body are written apart: without it each answer waits for the client's delayed acknowledgement (40 ms)
  return createListener({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (first: Buffer) => {
      const isHandshake = first[0] === 0x16;
      if (!isHandshake) {
        socket.end('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n');
        return;
      }
      socket.pause();
      socket.unshift(first);
      secure.emit('connection', socket);
    });
  });
}

async function listenOnLoopback(listener: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', resolve);
  });
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no port');
  return address.port;
}
