import assert from 'node:assert/strict';
import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { connect as connectPlain } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { createTlsServer, type ServingCertificate, type TlsServer } from '../../webhook/http/tls-server.ts';
import { createAuthority, type Authority } from '../support/pki.ts';

const NAME = 'pullguard.pullguard.svc';
const hello: RequestListener = (_request, response) => {
  response.end('hello');
};

let authority: Authority;
before(() => {
  authority = createAuthority();
});

function pair(commonName = 'first'): ServingCertificate {
  const { chain, key } = authority.issue({ commonName, names: [NAME] });
  return { certificate: chain, key };
}

async function serving(app: RequestListener, use: (server: TlsServer, port: number) => Promise<void>): Promise<void> {
  const server = createTlsServer(app, pair());
  const { port } = await server.listen('127.0.0.1', 0);
  try {
    await use(server, port);
  } finally {
    await server.drain({ lingerMs: 0, limitMs: 0 });
  }
}

/** Opens a TLS connection; rejects where the handshake fails. */
function dial(port: number, options: object = {}): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect({ host: '127.0.0.1', port, servername: NAME, ca: authority.certificate, ...options });
  socket.once('secureConnect', () => resolve(socket));
  socket.once('error', reject);
  return promise;
}

const commonNameOf = (socket: TLSSocket): unknown => socket.getPeerCertificate().subject.CN;

type Answer = { readonly status: number | undefined; readonly headers: IncomingHttpHeaders };
function get(port: number, agent: Agent): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const options = { host: '127.0.0.1', port, servername: NAME, ca: authority.certificate, agent };
  const outgoing = httpsRequest(options, (response) => {
    response.resume().once('end', () => resolve({ status: response.statusCode, headers: response.headers }));
  });
  outgoing.once('error', reject).end();
  return promise;
}

describe('createTlsServer', () => {
  it('serves a renewed certificate on new connections and lets the old ones live', () =>
    serving(hello, async (server, port) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const old = await dial(port);
      assert.equal((await get(port, agent)).status, 200);

      assert.deepEqual(server.renew(pair('second')), { ok: true, value: undefined });
      const renewed = await dial(port);

      assert.deepEqual([commonNameOf(old), commonNameOf(renewed)], ['first', 'second']);
      assert.equal((await get(port, agent)).status, 200);
      old.destroy();
      renewed.destroy();
      agent.destroy();
    }));

  it('keeps the old certificate where the new pair cannot be used', () =>
    serving(hello, async (server, port) => {
      const foreign = createAuthority('another').issue({ names: [NAME] });
      const BAD: readonly ServingCertificate[] = [
        { ...pair('second'), key: foreign.key },
        { certificate: 'no certificate', key: 'no key' },
        { certificate: pair().certificate.slice(0, 200), key: pair().key },
        { certificate: '', key: '' },
        { certificate: pair().certificate, key: '' },
      ];

      for (const bad of BAD) {
        const renewed = server.renew(bad);
        assert.equal(renewed.ok, false);
        assert.equal(JSON.stringify(renewed).includes('PRIVATE'), false);
      }
      const socket = await dial(port);
      assert.equal(commonNameOf(socket), 'first');
      socket.destroy();
    }));

  it('refuses to begin with a pair that does not fit', () => {
    const foreign = createAuthority('another').issue({ names: [NAME] });

    assert.throws(() => createTlsServer(hello, { ...pair(), key: foreign.key }), /does not belong to its key/u);
  });

  it('speaks TLS 1.2 and 1.3, before and after a renewal, and nothing older', () =>
    serving(hello, async (server, port) => {
      for (const round of ['first', 'second']) {
        const sockets = await Promise.all(
          (['TLSv1.2', 'TLSv1.3'] as const).map((version) => dial(port, { minVersion: version, maxVersion: version })),
        );
        assert.deepEqual(
          sockets.map((socket) => socket.getProtocol()),
          ['TLSv1.2', 'TLSv1.3'],
          round,
        );
        for (const socket of sockets) socket.destroy();
        await assert.rejects(dial(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
        server.renew(pair('second'));
      }
    }));

  it('lets nobody negotiate again, before and after a renewal', () =>
    serving(hello, async (server, port) => {
      for (let round = 0; round < 2; round += 1) {
        const socket = await dial(port, { maxVersion: 'TLSv1.2' });
        socket.on('error', () => undefined).resume();
        const { promise, resolve } = Promise.withResolvers<unknown>();
        socket.once('close', () => resolve('closed'));
        socket.renegotiate({ rejectUnauthorized: false }, resolve);

        assert.notEqual(await promise, null);
        socket.destroy();
        server.renew(pair('second'));
      }
    }));

  it('offers HTTP/1.1 only', () =>
    serving(hello, async (_server, port) => {
      const both = await dial(port, { ALPNProtocols: ['h2', 'http/1.1'] });
      assert.equal(both.alpnProtocol, 'http/1.1');
      both.destroy();
      await assert.rejects(dial(port, { ALPNProtocols: ['h2'] }));
    }));

  it('survives what is no TLS at all', () =>
    serving(hello, async (_server, port) => {
      const closed = Promise.withResolvers<void>();
      const socket = connectPlain({ host: '127.0.0.1', port }, () => socket.write('GET / HTTP/1.1\r\n\r\n'));
      socket
        .on('error', () => undefined)
        .on('close', () => closed.resolve())
        .resume();
      await closed.promise;

      const agent = new Agent();
      assert.equal((await get(port, agent)).status, 200);
      agent.destroy();
    }));
});

describe('draining', () => {
  let agent: Agent;
  before(() => {
    agent = new Agent({ keepAlive: true });
  });
  after(() => agent.destroy());

  it('waits for the answer under way, says Connection: close on it, and accepts nobody afterwards', async () => {
    const started = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const server = createTlsServer((_request, response) => {
      started.resolve();
      void finish.promise.then(() => response.end('late'));
    }, pair());
    const { port } = await server.listen('127.0.0.1', 0);
    const underWay = get(port, agent);
    await started.promise;

    const drained = server.drain({ lingerMs: 0, limitMs: 60_000 });
    finish.resolve();

    const { status, headers } = await underWay;
    assert.deepEqual([status, headers.connection], [200, 'close']);
    await drained;
    await assert.rejects(get(port, agent));
    assert.equal(server.drain({ lingerMs: 60_000, limitMs: 60_000 }), drained);
  });

  it('goes on answering while it lingers, each with Connection: close', async () => {
    const server = createTlsServer(hello, pair());
    const { port } = await server.listen('127.0.0.1', 0);
    assert.notEqual((await get(port, agent)).headers.connection, 'close');

    const drained = server.drain({ lingerMs: 500, limitMs: 60_000 });

    assert.equal((await get(port, agent)).headers.connection, 'close');
    await drained;
  });

  it('cuts off who never ends', async () => {
    const started = Promise.withResolvers<void>();
    const server = createTlsServer(() => started.resolve(), pair());
    const { port } = await server.listen('127.0.0.1', 0);
    const silent = connectPlain({ host: '127.0.0.1', port }).on('error', () => undefined);
    const hanging = assert.rejects(get(port, agent));
    await started.promise;

    await server.drain({ lingerMs: 0, limitMs: 50 });

    await hanging;
    silent.destroy();
  });

  it('fails to listen where somebody else does', () =>
    serving(hello, async (_server, port) => {
      await assert.rejects(createTlsServer(hello, pair()).listen('127.0.0.1', port), { code: 'EADDRINUSE' });
    }));
});
