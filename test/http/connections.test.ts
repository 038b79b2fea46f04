import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, request as plainRequest, type RequestListener, type ServerResponse } from 'node:http';
import {
  Agent as TlsAgent,
  createServer as createTlsServer,
  request as tlsRequest,
  type RequestOptions,
} from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { after, before, describe, it } from 'node:test';
import { createListener, type Listener } from '../../webhook/http/listener.ts';
import { createAuthority } from '../support/pki.ts';

const { chain, key } = createAuthority().issue({ addresses: ['127.0.0.1'] });
const LIMIT = { maxConnections: 3 };

const SERVERS = [
  {
    scheme: 'http',
    create: (app: RequestListener) => createListener((listener) => createServer(listener), app, LIMIT),
    open: (port: number) => connect({ host: '127.0.0.1', port }),
    agent: () => new Agent({ keepAlive: true }),
    request: (options: RequestOptions) => plainRequest(options),
  },
  {
    scheme: 'https',
    create: (app: RequestListener) =>
      createListener((listener) => createTlsServer({ cert: chain, key }, listener), app, LIMIT),
    open: (port: number) => connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }),
    agent: () => new TlsAgent({ keepAlive: true, rejectUnauthorized: false }),
    request: (options: RequestOptions) => tlsRequest(options),
  },
] as const;

for (const { scheme, create, open, agent, request } of SERVERS) {
  describe(`the connections of a server of ${scheme}`, () => {
    let held: ServerResponse[] = [];
    let wasHeld = Promise.withResolvers<void>();
    let listener: Listener;
    let port: number;
    before(async () => {
      listener = create((asked, response) => {
        if (asked.url === '/held') {
          held.push(response);
          wasHeld.resolve();
        } else response.end('answered');
      });
      ({ port } = await listener.listen('127.0.0.1', 0));
    });
    after(() => listener.drain({ lingerMs: 0, limitMs: 0 }));

    const ask = async (path: string, from: Agent): Promise<string> => {
      const asking = request({ host: '127.0.0.1', port, path, agent: from });
      asking.end();
      const [response] = (await once(asking, 'response')) as [AsyncIterable<Buffer>];
      let text = '';
      for await (const chunk of response) text += chunk.toString();
      return text;
    };
    /** Says nothing, and is open once the server knows of it. */
    const openSilent = async (): Promise<{ readonly socket: Socket; readonly closed: Promise<unknown> }> => {
      const socket: Socket = open(port)
        .on('error', () => undefined)
        .resume();
      const closed = new Promise((resolve) => socket.once('close', resolve));
      await once(socket, scheme === 'http' ? 'connect' : 'secureConnect');
      return { socket, closed };
    };

    it('make room for one that asks: the oldest that never did gives way', async () => {
      const silent = [await openSilent(), await openSilent(), await openSilent()];
      const asking = agent();

      assert.equal(await ask('/', asking), 'answered');

      await silent[0]?.closed;
      assert.deepEqual(
        silent.map(({ socket }) => socket.destroyed),
        [true, false, false],
      );
      for (const { socket } of silent) socket.destroy();
      await Promise.all(silent.map(({ closed }) => closed));
      asking.destroy();
    });

    it('that wait for an answer are never given up, those that are idle are', async () => {
      held = [];
      wasHeld = Promise.withResolvers();
      const [waiting, idle, next] = [agent(), agent(), agent()];
      const late = ask('/held', waiting);
      await wasHeld.promise;
      assert.equal(await ask('/', idle), 'answered');
      const silent = await openSilent();

      assert.equal(await ask('/', next), 'answered');
      await silent.closed;
      const more = agent();
      assert.equal(await ask('/', more), 'answered');
      held[0]?.end('late');

      assert.equal(await late, 'late');
      for (const one of [waiting, idle, next, more]) one.destroy();
    });
  });
}
