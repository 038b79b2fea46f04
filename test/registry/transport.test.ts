import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, describe, it } from 'node:test';
import { unlimited } from '../../webhook/registry/budget.ts';
import { NetworkError } from '../../webhook/registry/failure.ts';
import { createRecentMap } from '../../webhook/registry/recent-map.ts';
import { createSender } from '../../webhook/registry/sender.ts';
import type { Transport, WireReply } from '../../webhook/registry/wire.ts';
import {
  createCleanup,
  createWire,
  getFrom,
  onRequest,
  soon,
  startRaw,
  type RawServer,
  type WireOptions,
} from './rig.ts';

const cleanup = createCleanup();
after(cleanup.run);
const wire = (options: WireOptions = {}): Transport =>
  cleanup.add(createWire({ ...options, timeouts: { probeMs: 200, ...options.timeouts } }));
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}';

/** A server that writes these bytes to each request. */
const writing = async (...bytes: readonly string[]): Promise<RawServer> =>
  cleanup.add(
    await startRaw((socket) =>
      onRequest(socket, () => {
        for (const one of bytes) socket.write(one);
      }),
    ),
  );

async function replyOf(transport: Transport, host: string, signal = soon()): Promise<WireReply> {
  const sent = await transport.send(getFrom(host), signal);
  if (!sent.ok) throw new Error(`no answer: ${JSON.stringify(sent.error)}`);
  return sent.value;
}

async function failureOf(transport: Transport, host: string, signal = soon()): Promise<unknown> {
  const sent = await transport.send(getFrom(host), signal);
  return sent.ok ? sent.value.status : sent.error;
}

const text = ({ bytes }: { readonly bytes: Uint8Array }): string => Buffer.from(bytes).toString('latin1');

describe('an authority', () => {
  for (const authority of [
    'reg.test:0',
    'reg.test:99999',
    'reg.test:port',
    'reg.test:80:80',
    'a b',
    '',
    '[::1',
    'me@reg.test',
    'reg\u0000.test',
    'reg.test/x',
  ]) {
    it(`that nobody can be at is no address: ${JSON.stringify(authority)}`, async () => {
      assert.deepEqual(await failureOf(wire(), authority), { kind: 'not-http', reason: 'no such address' });
    });
  }

  it('that looks like an address and is none is a name that no server knows', async () => {
    assert.deepEqual(await failureOf(wire(), '256.1.1.1'), { kind: 'dns' });
    assert.deepEqual(await failureOf(wire(), '1.2.3.4.5:80'), { kind: 'dns' });
  });

  it('may be an IPv6 address', async (test) => {
    const server = createServer((request, response) => response.end(request.headers.host));
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '::1', resolve);
      });
    } catch {
      test.skip('this machine has no IPv6');
      return;
    }
    cleanup.add({ close: async () => server.closeAllConnections() });
    const address = server.address();
    const authority = `[::1]:${typeof address === 'object' ? address?.port : ''}`;

    const reading = await (await replyOf(wire(), authority)).read(100);
    server.close();

    assert.equal(text(reading), authority);
  });
});

describe('an answer that is none', () => {
  const cases: readonly (readonly [string, string, unknown])[] = [
    ['HTTP/0.9', '<html>hello</html>', { kind: 'not-http', reason: 'it does not answer in HTTP' }],
    [
      'a status line that is broken',
      'HTTP/1.1 two hundred\r\n\r\n',
      { kind: 'not-http', reason: 'it does not answer in HTTP' },
    ],
    [
      'a header of 40 KiB',
      `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`,
      { kind: 'not-http', reason: 'its header is too large' },
    ],
    [
      'a thousand headers',
      `HTTP/1.1 200 OK\r\n${`X-A: ${'a'.repeat(60)}\r\n`.repeat(1000)}\r\n`,
      { kind: 'not-http', reason: 'its header is too large' },
    ],
  ];
  for (const [name, bytes, failure] of cases) {
    it(`is told: ${name}`, async () => {
      const server = await writing(bytes);

      assert.deepEqual(await failureOf(wire(), server.host), failure);
    });
  }

  const NOT_HTTP = { kind: 'not-http', reason: 'it does not answer in HTTP' };
  const ODD: readonly (readonly [string, string])[] = [
    ['a header that goes on in the next line', 'Content-Length: 2\r\nConnection: close\r\nX: a\r\n\tb\r\n\r\n{}'],
    ['a length beside chunks', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
    ['a length twice', 'Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}'],
  ];
  for (const [name, rest] of ODD) {
    it(`is no HTTP to us, and not a connection that broke off: ${name}`, async () => {
      const server = await writing(`HTTP/1.1 200 OK\r\n${rest}`);

      assert.deepEqual(await failureOf(wire(), server.host), NOT_HTTP);
    });
  }

  it('is one that begins with 100 Continue, which nobody waited for', async () => {
    const server = await writing(`HTTP/1.1 100 Continue\r\n\r\n${OK}`);

    assert.deepEqual(await failureOf(wire(), server.host), NOT_HTTP);
  });

  it('is a protocol that nobody asked for, or two lengths', async () => {
    const server = await writing('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    const twice = await writing('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}');

    assert.equal(typeof (await failureOf(wire(), server.host)), 'object');
    assert.equal(typeof (await failureOf(wire(), twice.host)), 'object');
  });

  it('is a flood of early hints, which ends with our patience', async () => {
    const server = cleanup.add(
      await startRaw((socket) => {
        const flood = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(20)), 5);
        socket.on('close', () => clearInterval(flood));
      }),
    );

    assert.deepEqual(await failureOf(wire(), server.host, soon(250)), { kind: 'timeout', during: 'answer' });
  });
});

describe('an answer that is odd but whole', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['with white space behind each value', 'HTTP/1.1 200 OK\r\nX-Is: here \t \r\nContent-Length: 2\r\n\r\n{}'],
    ['after an early hint', `HTTP/1.1 103 Early Hints\r\n\r\n${OK}`],
    [
      'with trailers',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\nSet-Cookie: a=b\r\n\r\n',
    ],
    [
      'with a header that objects have',
      'HTTP/1.1 200 OK\r\n__proto__: x\r\nconstructor: y\r\nContent-Length: 2\r\n\r\n{}',
    ],
  ];
  for (const [name, bytes] of cases) {
    it(`is read ${name}`, async () => {
      const server = await writing(bytes);
      const reply = await replyOf(wire(), server.host);
      const reading = await reply.read(100);

      assert.deepEqual([reply.status, text(reading), reading.ending], [200, '{}', 'whole']);
      assert.equal(reply.header('toString'), undefined);
      assert.ok([undefined, 'here'].includes(reply.header('x-is')));
    });
  }

  it('never lends what follows it to the next request, nor its cookie', async () => {
    let asked = 0;
    const server = cleanup.add(
      await startRaw((socket) =>
        onRequest(socket, () => {
          asked += 1;
          const mine = `HTTP/1.1 200 OK\r\nSet-Cookie: session=1\r\nContent-Length: 1\r\n\r\n${asked}`;
          socket.write(`${mine}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`);
        }),
      ),
    );
    const transport = wire({ connectionsPerHost: 1 });
    const first = await (await replyOf(transport, server.host)).read(100);
    const second = await (await replyOf(transport, server.host)).read(100);

    assert.deepEqual([text(first), text(second)], ['1', '2']);
    assert.ok(!/cookie/iu.test(server.received()));
  });
});

describe('a body', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n';

  it('is read to its end, or to our limit and let go', async () => {
    const server = await writing(`${HEAD}0123456789`);
    const transport = wire({ connectionsPerHost: 1 });
    const read = async (limit: number) => await (await replyOf(transport, server.host)).read(limit);

    assert.deepEqual(
      [await read(10), await read(4)].map(({ bytes, ending }) => [text({ bytes }), ending]),
      [
        ['0123456789', 'whole'],
        ['0123', 'longer'],
      ],
    );
  });

  it('that breaks off is told from one for which our time was too short', async () => {
    const cut = cleanup.add(await startRaw((socket) => onRequest(socket, () => socket.end(`${HEAD}01234`))));
    const reset = cleanup.add(
      await startRaw((socket) =>
        onRequest(socket, () => {
          socket.write(`${HEAD}01234`);
          setTimeout(() => socket.resetAndDestroy(), 50);
        }),
      ),
    );
    const silent = await writing(`${HEAD}01234`);
    const endOf = async (transport: Transport, host: string, signal?: AbortSignal): Promise<string> =>
      (await (await replyOf(transport, host, signal)).read(100)).ending;

    assert.deepEqual(
      await Promise.all([
        endOf(wire(), cut.host),
        endOf(wire(), reset.host),
        endOf(wire(), silent.host, soon(150)),
        endOf(wire({ timeouts: { answerMs: 150 } }), silent.host),
      ]),
      ['cut', 'cut', 'timeout', 'timeout'],
    );
  });

  it('comes as a stream, and what ends it early is named', async () => {
    const whole = await writing(`${HEAD}0123456789`);
    const cut = cleanup.add(await startRaw((socket) => onRequest(socket, () => socket.end(`${HEAD}01234`))));
    const silent = await writing(`${HEAD}01234`);
    const drain = async (host: string, signal?: AbortSignal): Promise<string> => {
      let seen = '';
      try {
        for await (const piece of (await replyOf(wire(), host, signal)).stream()) seen += text({ bytes: piece });
        return seen;
      } catch (error) {
        return error instanceof NetworkError ? `${seen} ${error.failure.kind}` : String(error);
      }
    };

    assert.deepEqual(
      [await drain(whole.host), await drain(cut.host), await drain(silent.host, soon(150))],
      ['0123456789', '01234 reset', '01234 timeout'],
    );
  });

  it('that is dropped ends its connection', async () => {
    const server = await writing(`${HEAD}01234`);
    (await replyOf(wire(), server.host)).drop();
    await until(() => server.open() === 0);

    assert.equal(server.open(), 0);
  });
});

describe('a connection that is kept open', () => {
  /** Answers the first request of each connection and ends the connection at the second. */
  const onceEach = async (end: 'end' | 'resetAndDestroy' = 'end'): Promise<RawServer> =>
    cleanup.add(
      await startRaw((socket) => onRequest(socket, (_head, count) => (count === 1 ? socket.write(OK) : socket[end]()))),
    );

  for (const end of ['end', 'resetAndDestroy'] as const) {
    it(`and ended by the server (${end}) is told from one that never answered`, async () => {
      const server = await onceEach(end);
      const transport = wire({ connectionsPerHost: 1 });
      await (await replyOf(transport, server.host)).read(100);

      assert.deepEqual(await failureOf(transport, server.host), { kind: 'reset', wasKeptAlive: true });
    });
  }

  it('is given up for a new one, once, where nothing but reading was asked', async () => {
    const server = await onceEach();
    const transport = wire({ connectionsPerHost: 1 });
    let counted = 0;
    const notes: string[] = [];
    const send = createSender({
      send: transport.send,
      budget: unlimited,
      countRequest: () => {
        counted += 1;
      },
      note: (note) => notes.push(note),
    });
    const ask = async (method: 'GET' | 'POST'): Promise<unknown> => {
      const sent = await send({ ...getFrom(server.host), method }, soon());
      if (sent.ok) await sent.value.read(100);
      return sent.ok ? sent.value.status : sent.error;
    };

    assert.equal(await ask('GET'), 200);
    assert.equal(await ask('GET'), 200);
    assert.equal(counted, 3);
    assert.deepEqual(await ask('POST'), { kind: 'reset', wasKeptAlive: true });
    assert.equal(counted, 4);
    assert.deepEqual(
      notes.map((note) => note.replace(`http://${server.host}`, '')),
      ['GET /v2/: 200', 'GET /v2/: no answer (reset)', 'GET /v2/: 200', 'POST /v2/: no answer (reset)'],
    );
  });

  it('serves one request after the other, HEAD as well', async () => {
    const server = cleanup.add(
      await startRaw((socket) =>
        onRequest(socket, (head) => socket.write(head.startsWith('HEAD') ? OK.replace('{}', '') : OK)),
      ),
    );
    const transport = wire();
    for (const method of ['HEAD', 'GET', 'GET', 'HEAD', 'HEAD', 'GET'] as const) {
      // each as soon as the one before is read
      // oxlint-disable-next-line no-await-in-loop
      const sent = await transport.send({ ...getFrom(server.host), method }, soon());
      // oxlint-disable-next-line no-await-in-loop
      assert.equal(sent.ok && text(await sent.value.read(100)), method === 'HEAD' ? '' : '{}');
    }

    assert.equal(server.connections(), 1);
  });

  it('is given up where a server sends a body to HEAD', async () => {
    const server = await writing(OK);
    const transport = wire();
    for (const method of ['HEAD', 'GET', 'HEAD', 'GET'] as const) {
      // oxlint-disable-next-line no-await-in-loop
      const sent = await transport.send({ ...getFrom(server.host), method }, soon());
      // oxlint-disable-next-line no-await-in-loop
      assert.equal(sent.ok && text(await sent.value.read(100)), method === 'HEAD' ? '' : '{}');
    }

    assert.equal(server.connections(), 3);
  });

  it('is one of as many as are allowed, whatever is asked at a time', async () => {
    let open = 0;
    let most = 0;
    const server = cleanup.add(
      await startRaw((socket) => {
        open += 1;
        most = Math.max(most, open);
        socket.on('close', () => {
          open -= 1;
        });
        onRequest(socket, () => setTimeout(() => socket.write(OK), 10));
      }),
    );
    const transport = wire({ connectionsPerHost: 2 });
    const all = await Promise.all(
      Array.from({ length: 12 }, async () => await (await replyOf(transport, server.host)).read(100)),
    );

    assert.ok(all.every((reading) => text(reading) === '{}'));
    assert.equal(most, 2);
    assert.equal(server.connections(), 2);
  });

  it('is not waited for longer than there is time, though it may take longer to open', { timeout: 8_000 }, async () => {
    const silent = cleanup.add(await startRaw(() => undefined));
    const transport = wire({ timeouts: { handshakeMs: 60_000 } });

    const sent = await transport.send(getFrom(silent.host, { scheme: 'https' }), soon(100));

    assert.deepEqual(sent, { ok: false, error: { kind: 'timeout', during: 'answer' } });
  });

  it('is closed with the transport, as is what waits for an answer', async () => {
    const idle = await writing(OK);
    const silent = cleanup.add(await startRaw(() => undefined));
    const transport = createWire();
    await (await replyOf(transport, idle.host)).read(100);
    const pending = failureOf(transport, silent.host);
    await until(() => silent.open() === 1);
    await transport.close();

    assert.deepEqual(await pending, { kind: 'timeout', during: 'answer' });
    await until(() => idle.open() + silent.open() === 0);
    assert.deepEqual([idle.open(), silent.open()], [0, 0]);
    assert.deepEqual(await failureOf(transport, idle.host), { kind: 'timeout', during: 'answer' });
  });
});

describe('the headers of a request', () => {
  it('go out once each, whatever their case, and ask for content as it is', async () => {
    const server = await writing(OK);
    const headers = { 'X-One': 'a', 'user-agent': 'mine', 'Accept-Encoding': 'gzip' };
    await wire().send({ ...getFrom(server.host), headers }, soon());

    const lines = server.received().toLowerCase().split('\r\n');
    assert.deepEqual(lines.filter((line) => /^(?:x-one|user-agent|accept-encoding):/u.test(line)).sort(), [
      'accept-encoding: identity',
      'user-agent: mine',
      'x-one: a',
    ]);
  });

  for (const headers of [
    { 'x-a': 'a\r\nx-evil: 1' },
    { 'content-length': 'x' },
    { 'transfer-encoding': 'gzip' },
    { 'b a d': '1' },
    { expect: '100-continue' },
  ]) {
    it(`are told where they cannot be sent: ${JSON.stringify(headers)}`, async () => {
      const server = await writing(OK);
      const sent = await wire().send({ ...getFrom(server.host), headers }, soon());

      assert.deepEqual(!sent.ok && sent.error, {
        kind: 'unsendable',
        reason: 'a header that the settings declare cannot be sent',
      });
      assert.equal(server.received(), '');
    });
  }
});

describe('what was used last', () => {
  it('is kept, and what goes is heard of', () => {
    const gone: string[] = [];
    const map = createRecentMap<string>(2, (one) => gone.push(one));
    for (const key of ['a', 'b', 'a', 'c', 'a', 'd'])
      assert.equal(
        map.take(key, () => key.toUpperCase()),
        key.toUpperCase(),
      );

    assert.deepEqual([gone, map.values(), map.peek('c'), map.peek('a')], [['B', 'C'], ['A', 'D'], undefined, 'A']);
  });
});

async function until(isSo: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  // oxlint-disable-next-line no-await-in-loop -- asks again and again
  while (!isSo() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
}
