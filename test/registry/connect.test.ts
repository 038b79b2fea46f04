import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { after, describe, it } from 'node:test';
import type { TlsOptions } from 'node:tls';
import type { NetworkFailure } from '../../webhook/registry/failure.ts';
import { createConnect } from '../../webhook/registry/connect.ts';
import { createTransport } from '../../webhook/registry/transport.ts';
import type { Transport, WireTarget } from '../../webhook/registry/wire.ts';
import { createAuthority, createSelfSigned, expiredDates, futureDates } from '../support/pki.ts';
import { createCleanup, createWire, getFrom, NO_TLS, soon, startRaw } from './rig.ts';

const cleanup = createCleanup();
after(cleanup.run);
const authority = createAuthority();
const stranger = createAuthority('Somebody Else');
const intermediate = authority.issueAuthority();
const trusting = (more: Partial<WireTarget['tls']> = {}): WireTarget['tls'] => ({
  ...NO_TLS,
  authorities: [authority.certificate],
  ...more,
});

/** An HTTPS server that answers 200; the port that it listens on. */
async function serveTls(options: TlsOptions): Promise<number> {
  const server = createServer(options, (_request, response) => response.end('{}'));
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add({
    close: async () => {
      server.closeAllConnections();
      await new Promise<unknown>((resolve) => server.close(resolve));
    },
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

type Asked = { readonly host?: string; readonly scheme?: 'http' | 'https'; readonly tls?: WireTarget['tls'] };

/** The status that came back, or the failure. A transport of its own, so that nothing is known before. */
async function ask(
  port: number,
  asked: Asked = {},
  transport: Transport = createWire(),
): Promise<number | NetworkFailure> {
  const { host = 'reg.test', scheme = 'https', tls = trusting() } = asked;
  try {
    const sent = await transport.send(getFrom(`${host}:${port}`, { scheme, tls }), soon());
    if (!sent.ok) return sent.error;
    await sent.value.read(1024);
    return sent.value.status;
  } finally {
    await transport.close();
  }
}

/** A failure without the certificate's facts. */
function bare(failure: number | NetworkFailure): unknown {
  return typeof failure === 'object' && failure.kind === 'certificate' ? `certificate ${failure.fault}` : failure;
}

const good = { names: ['reg.test'], addresses: ['127.0.0.1'] };
const selfSigned = createSelfSigned(good);
const wellSigned = authority.issue(good);
const below = intermediate.issue(good);
const served = (pair: { readonly chain: string; readonly key: string }): TlsOptions => ({
  cert: pair.chain,
  key: pair.key,
});

const pairOf = (of: typeof authority) => {
  const { certificate, key } = of.issue({ commonName: 'node', use: 'client' });
  return [{ certificate, key }];
};

const wanting = (version: 'TLSv1.2' | 'TLSv1.3'): TlsOptions => ({
  ...served(wellSigned),
  ca: authority.certificate,
  requestCert: true,
  minVersion: version,
  maxVersion: version,
});

const patient = (): Transport => createWire({ timeouts: { handshakeMs: 150, answerMs: 150 } });

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

const connectTo = (
  addresses: readonly string[],
  mayDial: (address: string) => boolean,
  asked: string[] = [],
): Transport =>
  createTransport({
    connect: createConnect({
      resolve: async () => addresses,
      guard: ({ address }) => {
        asked.push(address);
        return mayDial(address);
      },
      now: () => new Date(),
    }),
    connectionsPerHost: 1,
  });

describe('what a server shows of itself', () => {
  const cases: readonly (readonly [string, TlsOptions, Asked, unknown])[] = [
    ['a certificate of a declared authority', served(wellSigned), {}, 200],
    ['its address among the names', served(wellSigned), { host: '127.0.0.1' }, 200],
    ['an authority that nobody declared', served(stranger.issue(good)), {}, 'certificate unknown-authority'],
    ['no declared authority at all', served(wellSigned), { tls: NO_TLS }, 'certificate unknown-authority'],
    ['nobody but itself to vouch for it', served(selfSigned), {}, 'certificate unknown-authority'],
    ['another name', served(authority.issue({ names: ['other.test'] })), {}, 'certificate wrong-name'],
    [
      'a name but not its address',
      served(authority.issue({ names: ['reg.test'] })),
      { host: '127.0.0.1' },
      'certificate wrong-name',
    ],
    [
      'its name as common name alone',
      served(authority.issue({ commonName: 'reg.test' })),
      {},
      'certificate wrong-name',
    ],
    ['a wildcard', served(authority.issue({ names: ['*.test'] })), {}, 200],
    ['a wildcard inside a label', served(authority.issue({ names: ['re*.test'] })), {}, 'certificate wrong-name'],
    [
      'a certificate that has expired',
      served(authority.issue({ ...good, dates: expiredDates() })),
      {},
      'certificate expired',
    ],
    [
      'a certificate of tomorrow',
      served(authority.issue({ ...good, dates: futureDates() })),
      {},
      'certificate expired',
    ],
    [
      'an expired one of a stranger: the date first',
      served(stranger.issue({ ...good, dates: expiredDates() })),
      {},
      'certificate expired',
    ],
    [
      'another name and a stranger: the name first',
      served(stranger.issue({ names: ['other.test'] })),
      {},
      'certificate wrong-name',
    ],
    ['the intermediate authority too', served(below), {}, 200],
    ['no intermediate authority', { cert: below.certificate, key: below.key }, {}, 'certificate unknown-authority'],
    [
      'what an intermediate signed, itself trusted',
      served(below),
      { tls: { ...NO_TLS, authorities: [intermediate.certificate] } },
      200,
    ],
    ['what nobody vouches for, unverified', served(selfSigned), { tls: { ...NO_TLS, isVerified: false } }, 200],
  ];
  for (const [name, options, asked, expected] of cases) {
    it(`${expected === 200 ? 'accepts' : 'tells'} ${name}`, async () => {
      assert.deepEqual(bare(await ask(await serveTls(options), asked)), expected);
    });
  }

  it('gives the facts that a message needs', async () => {
    const failure = await ask(
      await serveTls(served(stranger.issue({ names: ['a.test', 'b.test'], addresses: ['10.0.0.1'] }))),
    );

    assert.ok(typeof failure === 'object' && failure.kind === 'certificate');
    const { validFrom, validTo, ...facts } = failure.certificate ?? {};
    assert.deepEqual(facts, {
      subject: 'a.test',
      issuer: 'Somebody Else',
      names: ['a.test', 'b.test', '10.0.0.1'],
      isSelfSigned: false,
    });
    assert.ok(Date.parse(String(validFrom)) < Date.now() && Date.now() < Date.parse(String(validTo)));
  });

  it('tells of declared certificates that no TLS library takes', async () => {
    const tls = { ...NO_TLS, clientPairs: [{ certificate: 'no pem', key: 'no pem' }] };

    assert.deepEqual(await ask(1, { tls }), {
      kind: 'tls',
      reason: 'the certificates that the settings declare cannot be used',
    });
  });
});

describe('a server that wants a client certificate', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`is told with ${version} where we have none, and served where we have one`, async () => {
      const port = await serveTls(wanting(version));

      assert.deepEqual(await ask(port), { kind: 'client-certificate-required' });
      assert.deepEqual(await ask(port, { tls: trusting({ clientPairs: pairOf(authority) }) }), 200);
    });
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`is surmised with ${version} where ours is of another authority: Go sends none then`, async () => {
      const port = await serveTls(wanting(version));

      assert.deepEqual(await ask(port, { tls: trusting({ clientPairs: pairOf(stranger) }) }), {
        kind: 'client-certificate-required',
        isSurmised: true,
      });
    });
  }
});

describe('a server that does not get as far', () => {
  it('is told when it offers only TLS 1.1', async () => {
    const ciphers = 'DEFAULT:@SECLEVEL=0';
    const port = await serveTls({
      ...served(wellSigned),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers,
    });

    assert.deepEqual(await ask(port), { kind: 'tls', reason: 'the server offers no TLS version from 1.2 on' });
  });

  it('is told when it speaks plain HTTP on the TLS port', async () => {
    const server = cleanup.add(
      await startRaw((socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')),
      ),
    );

    assert.deepEqual(await ask(server.port), { kind: 'http-answer' });
  });

  it('is told when it speaks neither TLS nor HTTP', async () => {
    const server = cleanup.add(await startRaw((socket) => socket.write('220 mail.test ESMTP\r\n')));

    assert.deepEqual(await ask(server.port), { kind: 'tls', reason: 'the server does not speak TLS' });
    assert.deepEqual(await ask(server.port, { scheme: 'http' }), {
      kind: 'not-http',
      reason: 'it does not answer in HTTP',
    });
  });

  it('is not told from a slow HTTP server when it answers no TLS and then nothing', async () => {
    const server = cleanup.add(
      await startRaw((socket, connection) => {
        if (connection === 1) socket.once('data', () => socket.end('no TLS\r\n'));
      }),
    );

    assert.deepEqual(await ask(server.port, {}, createWire({ timeouts: { probeMs: 150 } })), {
      kind: 'timeout',
      during: 'handshake',
    });
  });

  it('is told when it speaks TLS on the plain port', async () => {
    const port = await serveTls(served(selfSigned));

    assert.deepEqual(await ask(port, { scheme: 'http' }), { kind: 'tls-answer' });
  });

  it('is told when it accepts and says nothing', async () => {
    const server = cleanup.add(await startRaw(() => undefined));

    assert.deepEqual(await ask(server.port, {}, patient()), { kind: 'timeout', during: 'handshake' });
    assert.deepEqual(await ask(server.port, { scheme: 'http' }, patient()), { kind: 'timeout', during: 'answer' });
  });

  it('is told when it breaks off', async () => {
    const closing = cleanup.add(await startRaw((socket) => socket.once('data', () => socket.end())));
    const resetting = cleanup.add(await startRaw((socket) => socket.once('data', () => socket.resetAndDestroy())));
    const reset = { kind: 'reset', wasKeptAlive: false };

    for (const { port } of [closing, resetting]) {
      assert.deepEqual(await ask(port), reset);
      assert.deepEqual(await ask(port, { scheme: 'http' }), reset);
    }
  });

  it('is told when nobody listens', async () => {
    const server = await startRaw(() => undefined);
    await server.close();

    assert.deepEqual(await ask(server.port), { kind: 'refused' });
    assert.deepEqual(await ask(server.port, { scheme: 'http' }), { kind: 'refused' });
  });
});

describe('which address is dialled', () => {
  it('is the next one where the first refuses', async () => {
    const port = await serveTls(served(wellSigned));

    assert.equal(
      await ask(
        port,
        {},
        connectTo(['127.0.0.9', '127.0.0.1'], () => true),
      ),
      200,
    );
  });

  it('is none that the guard refuses, whatever other address the name has', async () => {
    const asked: string[] = [];
    const blocked = cleanup.add(await startRaw(() => undefined));
    const failure = await ask(
      blocked.port,
      {},
      connectTo(['127.0.0.9', '127.0.0.1'], (one) => one === '127.0.0.9', asked),
    );

    assert.deepEqual(failure, { kind: 'refused' });
    assert.deepEqual(asked, ['127.0.0.9', '127.0.0.1']);
    assert.equal(blocked.connections(), 0);
  });

  it('is none at all where the guard refuses all', async () => {
    const blocked = cleanup.add(await startRaw(() => undefined));

    assert.deepEqual(
      await ask(
        blocked.port,
        {},
        connectTo(['127.0.0.1'], () => false),
      ),
      { kind: 'blocked' },
    );
    assert.equal(blocked.connections(), 0);
  });

  it('is asked of the guard also for a literal, and for one that only the resolver takes for an address', async () => {
    const blocked = cleanup.add(await startRaw(() => undefined));
    for (const host of ['127.0.0.1', '127.1', '2130706433', '0x7f.1', 'localhost']) {
      const transport = createWire({ guard: ({ address }) => !isLoopback(address) });
      // one name after the other
      // oxlint-disable-next-line no-await-in-loop
      const failure = await ask(blocked.port, { host, scheme: 'http' }, transport);

      assert.ok(
        typeof failure === 'object' && ['blocked', 'dns'].includes(failure.kind),
        `${host}: ${JSON.stringify(failure)}`,
      );
    }
    assert.equal(blocked.connections(), 0);
  });
});
