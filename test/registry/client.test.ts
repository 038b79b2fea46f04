import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { createBudget } from '../../webhook/registry/budget.ts';
import { retryAfterOf } from '../../webhook/registry/client.ts';
import { pathOf, type Resource } from '../../webhook/registry/endpoint.ts';
import { NetworkError } from '../../webhook/registry/failure.ts';
import { basicAuth, type Bend } from '../../webhook/demo/registry.ts';
import {
  cut,
  neverAnswer,
  only,
  reply,
  status,
  throttle,
  withHeaders,
  type Match,
  type When,
} from '../support/bend.ts';
import { createSelfSigned } from '../support/pki.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { startTokenService } from '../support/token-service.ts';
import {
  blob,
  createCleanup,
  createClient,
  createWire,
  endpointAt,
  inShort,
  manifest,
  soon,
  startRaw,
  type ClientParts,
} from './rig.ts';

const cleanup = createCleanup();
after(cleanup.run);
const transport = cleanup.add(createWire());
const { certificate: cert, key } = createSelfSigned({ names: ['reg.test'] });
const SELF_SIGNED = { cert, key };
const BODY = 'the content of a manifest';

async function registryWith(...bends: readonly Bend[]): Promise<ScriptedRegistry> {
  const content: Bend = only({ path: /\/(?:manifests|blobs|tags)\// }, reply(200, {}, BODY));
  return cleanup.add(await startScriptedRegistry({ bends: [content, ...bends] }));
}
const on = (match: Match, bend: Bend, when?: When): Bend => only(match, bend, when);

type Client = ReturnType<typeof createClient>;
const clientOf = (registry: { readonly port: number }, more: Partial<ClientParts> = {}): Client =>
  createClient({ transport, endpoint: endpointAt(`reg.test:${registry.port}`), ...more });

async function outcome(client: Client, ask = manifest('1'), signal = soon()): Promise<string> {
  const got = await client.ask(ask, signal);
  if (!got.ok) return inShort(got.error);
  const { status: code, isWhole, wasCut } = got.value;
  return [String(code), ...(isWhole ? ['whole'] : []), ...(wasCut ? ['cut'] : [])].join(' ');
}

async function textOf(client: Client): Promise<string> {
  const got = await client.ask(manifest('1'), soon());
  return got.ok ? new TextDecoder().decode(got.value.bytes) : inShort(got.error);
}

describe('the path of a resource', () => {
  const cases: readonly (readonly [Resource, string, string])[] = [
    [{ kind: 'ping' }, '/v2/', '/v2/'],
    [
      { kind: 'manifest', key: '1', accept: '' },
      '/v2/team/app/manifests/1',
      '/v2/team/app/manifests/1?ns=docker.io%3A1',
    ],
    [
      { kind: 'blob', digest: 'sha256:ab' },
      '/v2/team/app/blobs/sha256:ab',
      '/v2/team/app/blobs/sha256:ab?ns=docker.io%3A1',
    ],
    [{ kind: 'tags', limit: 1 }, '/v2/team/app/tags/list?n=1', '/v2/team/app/tags/list?n=1&ns=docker.io%3A1'],
  ];
  for (const [resource, own, mirrored] of cases) {
    it(`is the specification's for a ${resource.kind}, with the namespace at a mirror`, () => {
      assert.deepEqual(
        [undefined, 'docker.io:1'].map((namespace) => pathOf(endpointAt('reg.test', { namespace }), resource)),
        [own, mirrored],
      );
    });
  }
});

describe('what a client remembers', () => {
  it('is every answer: nothing is asked twice', async () => {
    const registry = await registryWith(on({ kind: 'blob' }, status(404, 'BLOB_UNKNOWN')));
    const client = clientOf(registry);
    const all = [
      manifest('1'),
      manifest('1'),
      manifest('1', { method: 'HEAD' }),
      blob('a'),
      blob('a', { retriesServerErrors: true }),
    ];
    const got = await Promise.all(all.map(async (ask) => await outcome(client, ask)));

    assert.deepEqual(got, ['200 whole', '200 whole', '200 whole', '404 whole', '404 whole']);
    assert.deepEqual(registry.log.lines().toSorted(), [
      'GET /v2/team/app/blobs/a',
      'GET /v2/team/app/manifests/1',
      'HEAD /v2/team/app/manifests/1',
    ]);
    assert.equal(await outcome(client, manifest('1')), '200 whole');
    assert.equal(client.requests(), 3);
  });

  it('is also that there was none', async () => {
    const client = createClient({ transport, endpoint: endpointAt('reg.test:1') });

    assert.equal(await outcome(client), 'unreachable refused reg.test:1');
    assert.equal(await outcome(client), 'unreachable refused reg.test:1');
    assert.equal(client.requests(), 1);
  });

  it('is not enough where less was read than is wanted now', async () => {
    const registry = await registryWith();
    const client = clientOf(registry);
    const read = async (maxBytes: number): Promise<number> => {
      const got = await client.ask(manifest('1', { maxBytes }), soon());
      return got.ok ? got.value.bytes.length : -1;
    };

    assert.deepEqual([await read(0), await read(1), await read(100), await read(2)], [0, 1, BODY.length, BODY.length]);
    assert.equal(registry.log.lines().length, 3);
  });

  for (const code of [500, 503, 504]) {
    it(`is not a ${code} for whoever may ask again`, async () => {
      const registry = await registryWith(on({ kind: 'manifest' }, status(code, 'UNKNOWN'), { times: 1 }));
      const client = clientOf(registry);

      assert.equal(await outcome(client, manifest('1')), `${code} whole`);
      assert.equal(await outcome(client, manifest('1')), `${code} whole`);
      assert.equal(await outcome(client, manifest('1', { retriesServerErrors: true })), '200 whole');
      assert.equal(client.requests(), 2);
    });
  }
});

/** One after the other. */
function alternating(...codes: readonly number[]): Bend {
  let asked = 0;
  return (question, answer) => status(codes[asked++ % codes.length] ?? 500, 'UNKNOWN')(question, answer);
}

describe('asking again', () => {
  const cases: readonly (readonly [string, Bend, boolean, string, number])[] = [
    ['after 503, once, where a runtime does', status(503, 'UNAVAILABLE'), true, '503 whole', 2],
    ['never after 503 elsewhere', status(503, 'UNAVAILABLE'), false, '503 whole', 1],
    ['never after 502', status(502, 'UNAVAILABLE'), true, '502 whole', 1],
    ['never after 429', status(429, 'TOOMANYREQUESTS'), true, '429 whole', 1],
    ['after 408, as often as containerd does', status(408, 'UNKNOWN'), false, '408 whole', 6],
    ['after a server error that is another one', alternating(503, 500), true, '500 whole', 6],
    ['where the body breaks off, once', cut(5), false, '200 cut', 2],
  ];
  for (const [name, bend, retriesServerErrors, expected, requests] of cases) {
    it(`happens ${name}`, async () => {
      const client = clientOf(await registryWith(on({ kind: 'manifest' }, bend)));

      assert.equal(await outcome(client, manifest('1', { retriesServerErrors })), expected);
      assert.equal(client.requests(), requests);
    });
  }

  it('happens once after 408 with CRI-O, which asks for /v2/ first', async () => {
    const client = clientOf(await registryWith(on({ kind: 'manifest' }, status(408, 'UNKNOWN'))), { style: 'crio' });

    assert.equal(await outcome(client), '408 whole');
    assert.equal(client.requests(), 3);
  });

  it('makes up for a body that broke off once', async () => {
    const client = clientOf(await registryWith(on({ kind: 'manifest' }, cut(5), { times: 1 })));

    assert.equal(await outcome(client), '200 whole');
  });

  it('is by GET where HEAD is not known, for manifests', async () => {
    const registry = await registryWith(on({ method: 'HEAD' }, status(405, 'UNSUPPORTED')));
    const client = clientOf(registry);

    assert.equal(await outcome(client, manifest('1', { method: 'HEAD', maxBytes: 0 })), '200');
    assert.equal(await outcome(client, blob('a', { method: 'HEAD', maxBytes: 0 })), '405 whole');
    assert.deepEqual(registry.log.lines(), [
      'HEAD /v2/team/app/manifests/1',
      'GET /v2/team/app/manifests/1',
      'HEAD /v2/team/app/blobs/a',
    ]);
  });
});

describe('a body that comes packed, though nobody asked for that', () => {
  const packed =
    (encoding: string, pack: (body: Uint8Array) => Uint8Array): Bend =>
    (_question, answer) => ({
      ...answer,
      headers: { ...answer.headers, 'content-encoding': encoding },
      body: pack(answer.body),
    });
  const gzip = packed('gzip', gzipSync);
  const refused = 'registry-error it answers in an encoding that was not asked for';
  const cases: readonly (readonly [string, Bend, string])[] = [
    ['gzip', gzip, '200 whole'],
    ['gzip in capital letters', packed('GZIP', gzipSync), '200 whole'],
    ['deflate, the bare one', packed('deflate', deflateRawSync), '200 whole'],
    ['zstd', packed('zstd', zstdCompressSync), '200 whole'],
    ['deflate and then gzip', packed('deflate, gzip', (body) => gzipSync(deflateRawSync(body))), '200 whole'],
    ['gzip that is broken off', packed('gzip', (body) => gzipSync(body).subarray(0, -9)), '200 cut'],
    ['what calls itself gzip', withHeaders({ 'content-encoding': 'gzip' }), '200 cut'],
    ['what calls itself br', withHeaders({ 'content-encoding': 'br' }), refused],
    [
      'a thousand encodings',
      withHeaders({ 'content-encoding': Array.from({ length: 1000 }, () => 'gzip').join(', ') }),
      refused,
    ],
    ['identity', withHeaders({ 'content-encoding': 'identity' }), '200 whole'],
    ['an empty encoding', withHeaders({ 'content-encoding': '' }), '200 whole'],
    ['gzip, refused anyway', (question, answer) => gzip(question, { ...answer, status: 403 }), '403 whole'],
  ];
  for (const [name, bend, expected] of cases) {
    it(`is unpacked where containerd does that: ${name}`, async () => {
      const registry = await registryWith(bend);
      const client = clientOf(registry);

      assert.equal(await outcome(client), expected);
      if (expected === '200 whole') assert.equal(await textOf(client), BODY);
      assert.equal(registry.log.requests[0]?.headers['accept-encoding'], 'identity');
    });
  }

  it('has no length that anybody could go by', async () => {
    const got = await clientOf(await registryWith(gzip)).ask(manifest('1'), soon());

    assert.equal(got.ok && got.value.header('content-length'), undefined);
  });

  it('is read no further than the limit, however much it unpacks to', async () => {
    const bomb = packed('gzip', () => gzipSync(new Uint8Array(64 * 1024 * 1024)));
    const got = await clientOf(await registryWith(bomb)).ask(manifest('1', { maxBytes: 1000 }), soon());

    assert.deepEqual(got.ok && [got.value.bytes.length, got.value.isWhole], [1000, false]);
  });

  it('is left alone in the answer to HEAD, which has none', async () => {
    const head = manifest('1', { method: 'HEAD', maxBytes: 0 });

    assert.equal(await outcome(clientOf(await registryWith(gzip)), head), '200 whole');
  });

  it('is refused for runtimes that were not seen to unpack it', async () => {
    assert.equal(
      await outcome(clientOf(await registryWith(on({ kind: 'manifest' }, gzip)), { style: 'crio' })),
      refused,
    );
  });
});

describe('a body for which there is no time', () => {
  it('is a timeout, never a damage', async () => {
    const slow = await registryWith(on({ kind: 'manifest' }, throttle(20)));
    const silent = await registryWith(on({ kind: 'manifest' }, neverAnswer));
    const hanging = cleanup.add(
      await startRaw((socket) =>
        socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')),
      ),
    );
    const impatient = cleanup.add(createWire({ timeouts: { answerMs: 150 } }));

    assert.equal(await outcome(clientOf(slow), manifest('1'), soon(150)), `unreachable timeout reg.test:${slow.port}`);
    assert.equal(
      await outcome(clientOf(silent), manifest('1'), soon(150)),
      `unreachable timeout reg.test:${silent.port}`,
    );
    assert.equal(
      await outcome(clientOf(hanging, { transport: impatient })),
      `unreachable timeout reg.test:${hanging.port}`,
    );
  });
});

describe('a stream', () => {
  const LAYER = Buffer.alloc(300_000, 'layer');
  const digest = `sha256:${createHash('sha256').update(LAYER).digest('hex')}`;
  const layer = (_question: unknown, answer: Parameters<Bend>[1]): ReturnType<Bend> => ({
    ...answer,
    status: 200,
    body: LAYER,
  });

  it('is the body as it comes, whatever limit was asked for', async () => {
    const registry = await registryWith(on({ kind: 'blob' }, layer));
    const client = clientOf(registry);
    for (const maxBytes of [0, 10]) {
      // one after the other
      // oxlint-disable-next-line no-await-in-loop
      const opened = await client.open(blob(digest, { maxBytes }), soon());
      assert.ok(opened.ok);
      const hash = createHash('sha256');
      // oxlint-disable-next-line no-await-in-loop
      for await (const piece of opened.value.reply.stream()) hash.update(piece);
      assert.equal(`sha256:${hash.digest('hex')}`, digest);
      assert.deepEqual([opened.value.answer.status, opened.value.answer.bytes.length], [200, 0]);
    }
    assert.equal(client.requests(), 2, 'a stream is not remembered');
  });

  it('comes after the login and begins where it is told to', async () => {
    const registry = await registryWith(basicAuth({ ci: 'stream-password' }));
    const client = clientOf(registry, { login: { username: 'ci', password: 'stream-password' } });
    const opened = await client.open(blob(digest, { range: { from: 1000 } }), soon());
    if (opened.ok) opened.value.reply.drop();

    assert.deepEqual(
      registry.log.requests.map(({ authorization, headers }) => [authorization, headers.range]),
      [
        ['none', 'bytes=1000-'],
        ['basic', 'bytes=1000-'],
      ],
    );
  });

  it('is read already where it is a refusal', async () => {
    const opened = await clientOf(await registryWith(on({ kind: 'blob' }, status(404, 'BLOB_UNKNOWN')))).open(
      blob(digest),
      soon(),
    );

    assert.ok(opened.ok);
    assert.deepEqual(opened.value.answer.error, { isRegistryError: true, code: 'BLOB_UNKNOWN' });
  });

  it('says whether it was cut off or time ran out', async () => {
    const failureOf = async (registry: ScriptedRegistry, signal: AbortSignal): Promise<unknown> => {
      const opened = await clientOf(registry).open(blob(digest), signal);
      assert.ok(opened.ok);
      try {
        for await (const piece of opened.value.reply.stream()) assert.ok(piece.length > 0);
        return 'whole';
      } catch (error) {
        return error instanceof NetworkError && error.failure.kind;
      }
    };
    const broken = await registryWith(
      on({ kind: 'blob' }, async (question, answer) => await cut(1000)(question, await layer(question, answer))),
    );
    const slow = await registryWith(
      on({ kind: 'blob' }, async (question, answer) => await throttle(1000)(question, await layer(question, answer))),
    );

    assert.deepEqual([await failureOf(broken, soon()), await failureOf(slow, soon(200))], ['reset', 'timeout']);
  });
});

describe('falling back to plain HTTP', () => {
  const falling = (authority: string) => endpointAt(authority, { scheme: 'https-then-http' });

  it('happens where HTTP answers the TLS hello, once for all', async () => {
    const registry = await registryWith();
    const client = createClient({ transport, endpoint: falling(`reg.test:${registry.port}`) });
    const statuses = await Promise.all(['a', 'b', 'c'].map(async (one) => await outcome(client, blob(one))));

    assert.deepEqual(statuses, ['200 whole', '200 whole', '200 whole']);
    assert.equal(await outcome(client, blob('d')), '200 whole');
    assert.equal(client.requests(), 7); // three by HTTPS, which were on their way together
  });

  it('does not happen where the settings say HTTPS alone, or a certificate is wrong', async () => {
    const registry = await registryWith();
    const secure = await registry.listenToo({ tls: SELF_SIGNED });
    const https = endpointAt(`reg.test:${registry.port}`, { scheme: 'https' });

    assert.equal(await outcome(createClient({ transport, endpoint: https })), 'http-not-declared');
    const wrong = createClient({ transport, endpoint: falling(`reg.test:${secure.port}`) });
    assert.equal(await outcome(wrong), 'tls-unknown-authority');
    assert.deepEqual(
      registry.log.lines().filter((line) => line.includes('manifests')),
      [],
    );
  });

  it('happens on a reset for dockerd and CRI-O alone', async () => {
    const deaf = cleanup.add(
      await startRaw((socket) =>
        socket.once('data', (first: Buffer) => {
          if (first[0] === 0x16) socket.destroy();
          else socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`);
        }),
      ),
    );
    const as = async (style: ClientParts['style'] & string): Promise<string> =>
      await outcome(createClient({ transport, endpoint: falling(`reg.test:${deaf.port}`), style }));

    assert.deepEqual(
      [await as('containerd'), await as('docker'), await as('crio')],
      [`unreachable reset reg.test:${deaf.port}`, '200 whole', '200 whole'],
    );
  });

  it('says where the settings should have said so', async () => {
    const registry = await registryWith();
    const secure = await registry.listenToo({ tls: SELF_SIGNED });

    assert.equal(await outcome(clientOf(secure)), 'https-expected-http');
  });
});

describe('a 429', () => {
  it('keeps a registry from being asked, and its token service too', async () => {
    let now = 0;
    const budget = createBudget({ requestsPerMinute: () => 100, now: () => now });
    const registry = await registryWith(
      on({ kind: 'manifest' }, status(429, 'TOOMANYREQUESTS', { 'retry-after': '20' }), { times: 1 }),
    );
    const first = await clientOf(registry, { budget }).ask(manifest('1'), soon());
    assert.ok(first.ok);
    assert.deepEqual([first.value.status, retryAfterOf(first.value, 0)], [429, 20]);

    const again = await clientOf(registry, { budget }).ask(manifest('1'), soon());
    assert.ok(!again.ok && again.error.kind === 'rate-limited');
    assert.equal(again.error.retryAfterSeconds, 20);
    assert.equal(registry.log.lines().length, 1);
    now = 20_000;
    assert.equal(await outcome(clientOf(registry, { budget })), '200 whole');

    const service = cleanup.add(await startTokenService({ bends: [status(429, 'TOOMANYREQUESTS')] }));
    const guarded = await registryWith(service.bearerAuth);
    assert.equal(await outcome(clientOf(guarded, { budget })), 'rate-limited');
    assert.equal(await outcome(clientOf(guarded, { budget })), 'rate-limited');
    assert.equal(service.log.lines().length, 1);
  });
});

describe('what is declared for an endpoint', () => {
  it('goes along, the login in place of an authorization that the settings declare', async () => {
    const registry = await registryWith(basicAuth({ ci: 'declared-password' }));
    const headers = { Authorization: ['Bearer mine'], 'X-Team': ['a', 'b'], Host: ['else.test'], 'User-Agent': ['me'] };
    const endpoint = endpointAt(`reg.test:${registry.port}`, { headers, namespace: 'docker.io' });
    const client = createClient({ transport, endpoint, login: { username: 'ci', password: 'declared-password' } });

    assert.equal(await outcome(client), '200 whole');
    assert.deepEqual(
      registry.log.requests.map(({ authorization }) => authorization),
      ['bearer', 'basic'],
    );
    assert.deepEqual(
      registry.log.requests.map((one) => one.headers['x-team']),
      ['a, b', 'a, b'],
    );
    for (const { headers: sent } of registry.log.requests) {
      assert.deepEqual([sent.host, sent['user-agent']?.split(' ', 1)[0]], [`reg.test:${registry.port}`, 'pullguard']);
    }
    assert.ok(registry.log.requests.every(({ url }) => url.endsWith('/manifests/1?ns=docker.io')));
  });

  it('is told where it cannot be sent', async () => {
    const endpoint = endpointAt('reg.test:1', { headers: { 'X-A': ['a\r\nX-Evil: 1'] } });

    assert.equal(
      await outcome(createClient({ transport, endpoint })),
      'not-checked node-settings reg.test:1: a header that the settings declare cannot be sent',
    );
  });
});
