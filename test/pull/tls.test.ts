import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TlsOptions } from 'node:tls';
import { createImageStore } from '../../webhook/demo/image-store.ts';
import type { LoopbackServer } from '../../webhook/demo/loopback-server.ts';
import { memoryTree } from '../../webhook/node/file-tree.ts';
import type { NodeSetup } from '../../webhook/node/settings.ts';
import { CONNECT_TIMEOUTS, createConnect } from '../../webhook/registry/connect.ts';
import { unguarded } from '../../webhook/registry/guard.ts';
import { createTransport, TRANSPORT_TIMEOUTS } from '../../webhook/registry/transport.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createOddLeaf } from '../e2e/truth/odd-certificates.ts';
import { createCleanup, startRaw } from '../registry/rig.ts';
import { createAuthority, createSelfSigned, expiredDates, futureDates } from '../support/pki.ts';
import { redirect } from '../support/bend.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { predict } from './rig.ts';

const cleanup = createCleanup();
after(cleanup.run);

const authority = createAuthority();
const stranger = createAuthority('Somebody Else');
const intermediate = authority.issueAuthority();
const names = { names: ['reg.test'], addresses: ['127.0.0.1'] };
const served = (pair: { readonly chain: string; readonly key: string }): TlsOptions => ({
  cert: pair.chain,
  key: pair.key,
});
const wellSigned = served(authority.issue(names));
const selfSigned = createSelfSigned(names);

const store = createImageStore();
store.repository('app').addImage({ tags: ['1'] });
let registry: ScriptedRegistry;
before(async () => {
  registry = cleanup.add(await startScriptedRegistry({ store }));
});

const serve = async (tls: TlsOptions): Promise<number> => (await registry.listenToo({ tls })).port;

/** `ports` says where the port of an image's host really is, as nobody may listen on 80 or 443 in a test. */
function createWire(ports: ReadonlyMap<number, number> = new Map(), patienceMs = 10_000): Transport {
  const connect = createConnect({
    resolve: async () => ['127.0.0.1'],
    guard: unguarded,
    now: () => new Date(),
    timeouts: { ...CONNECT_TIMEOUTS, probeMs: patienceMs, handshakeMs: patienceMs },
  });
  return createTransport({
    connect: (options, signal) => connect({ ...options, port: ports.get(options.port) ?? options.port }, signal),
    connectionsPerHost: 4,
    timeouts: { ...TRANSPORT_TIMEOUTS, probeMs: patienceMs, answerMs: patienceMs },
  });
}

type Asked = {
  readonly runtime: string;
  readonly setup?: Partial<NodeSetup>;
  readonly settings?: 'partial' | 'complete';
  readonly ports?: ReadonlyMap<number, number>;
  /** How long to wait for a server that is silent. */
  readonly patienceMs?: number | undefined;
};

/** For whoever asks where the port says: a transport parses the root certificates once for equal settings. */
const wire = createWire();
after(() => wire.close());

/** The outcome's kind, with `?` where nothing is proven. */
async function ask(host: string, { ports, patienceMs, ...asked }: Asked): Promise<string> {
  const isShared = ports === undefined && patienceMs === undefined;
  const transport = isShared ? wire : createWire(ports, patienceMs);
  try {
    const { outcome, isConclusive } = await predict(`${host}/app:1`, { transport, ...asked });
    return `${outcome.kind}${isConclusive ? '' : '?'}`;
  } finally {
    if (!isShared) await transport.close();
  }
}

const RUNTIMES = ['containerd@2.1/transfer', 'docker@28/graph', 'docker@29/containerd', 'crio@1.34'];

/** One authority for one host, where each runtime looks for it (pull-parity E3, E9 to E11). */
function trusting(
  host: string,
  certificate: string,
  client?: { certificate: string; key: string },
): Partial<NodeSetup> {
  const files = {
    [`${host}/ca.crt`]: certificate,
    ...(client === undefined
      ? {}
      : { [`${host}/client.cert`]: client.certificate, [`${host}/client.key`]: client.key }),
  };
  return {
    certsD: memoryTree('/etc/containerd/certs.d', files),
    docker: { daemonJson: undefined, certsD: memoryTree('/etc/docker/certs.d', files) },
    crio: { registriesConf: [], certsD: [memoryTree('/etc/containers/certs.d', files)], policyJson: undefined },
  };
}

describe('a registry that nothing is declared of but an authority (E13, J87, J89, J90)', { concurrency: 4 }, () => {
  const wanting = (version: 'TLSv1.2' | 'TLSv1.3'): TlsOptions => ({
    ...wellSigned,
    ca: authority.certificate,
    requestCert: true,
    minVersion: version,
    maxVersion: version,
  });
  const below = intermediate.issue(names);
  const client = authority.issue({ commonName: 'node', use: 'client' });
  const wrongClient = stranger.issue({ commonName: 'node', use: 'client' });
  const expiredAuthority = createAuthority('Expired Root', expiredDates());
  const cases: readonly {
    readonly name: string;
    readonly tls: TlsOptions;
    readonly expected: string;
    readonly trusted?: string;
    readonly client?: { readonly certificate: string; readonly key: string };
  }[] = [
    { name: 'of that authority', tls: wellSigned, expected: 'pullable' },
    { name: 'of an authority below it', tls: served(below), expected: 'pullable' },
    {
      name: 'self-signed and trusted itself',
      tls: served(selfSigned),
      trusted: selfSigned.certificate,
      expected: 'pullable',
    },
    { name: 'of an unknown authority', tls: served(stranger.issue(names)), expected: 'tls-unknown-authority' },
    { name: 'self-signed', tls: served(selfSigned), expected: 'tls-unknown-authority' },
    {
      name: 'without the authority between',
      tls: { cert: below.certificate, key: below.key },
      expected: 'tls-unknown-authority',
    },
    {
      name: 'of an authority that has expired',
      tls: served(expiredAuthority.issue(names)),
      trusted: expiredAuthority.certificate,
      expected: 'tls-expired',
    },
    { name: 'for another name', tls: served(authority.issue({ names: ['other.test'] })), expected: 'tls-wrong-name' },
    {
      name: 'with its name as common name alone',
      tls: served(authority.issue({ commonName: 'reg.test' })),
      expected: 'tls-wrong-name',
    },
    { name: 'expired', tls: served(authority.issue({ ...names, dates: expiredDates() })), expected: 'tls-expired' },
    {
      name: 'not yet valid',
      tls: served(authority.issue({ ...names, dates: futureDates() })),
      expected: 'tls-expired',
    },
    { name: 'for clients only', tls: served(authority.issue({ ...names, use: 'client' })), expected: 'tls-other' },
    {
      name: 'in TLS 1.1 at most',
      tls: { ...wellSigned, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
      expected: 'tls-other',
    },
    {
      name: 'in a cipher that Go does not have',
      tls: { ...wellSigned, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' },
      expected: 'tls-other',
    },
    {
      name: 'and a client certificate wanted in TLS 1.2',
      tls: wanting('TLSv1.2'),
      expected: 'tls-client-certificate-required',
    },
    {
      name: 'and a client certificate wanted in TLS 1.3',
      tls: wanting('TLSv1.3'),
      expected: 'tls-client-certificate-required',
    },
    { name: 'and a client certificate given in TLS 1.2', tls: wanting('TLSv1.2'), client, expected: 'pullable' },
    { name: 'and a client certificate given in TLS 1.3', tls: wanting('TLSv1.3'), client, expected: 'pullable' },
    {
      name: 'and another client certificate given, refused without a word',
      tls: wanting('TLSv1.2'),
      client: wrongClient,
      expected: 'tls-client-certificate-required?',
    },
  ];
  for (const { name, tls, expected, trusted = authority.certificate, client: pair } of cases) {
    it(`is ${expected} with a certificate ${name}`, async () => {
      const host = `reg.test:${await serve(tls)}`;
      const setup = trusting(host, trusted, pair);
      const answers = await Promise.all(RUNTIMES.map((runtime) => ask(host, { runtime, setup })));
      const partial = await ask(host, { runtime: 'containerd@2.1/transfer', setup, settings: 'partial' });

      assert.deepEqual(
        answers,
        RUNTIMES.map(() => expected),
      );
      assert.equal(partial, expected === 'pullable' ? expected : `${expected.replace('?', '')}?`);
    });
  }

  it('is tls-other with RSA key exchange alone, where no build of the runtime offers that', async () => {
    const { chain: cert, key } = createOddLeaf();
    const host = `reg.test:${await serve({ cert, key, maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' })}`;
    const text = `server = "https://${host}"\n[host."https://${host}"]\n  skip_verify = true\n`;
    const setup = { certsD: memoryTree('/etc/containerd/certs.d', { [`${host}/hosts.toml`]: text }) };
    const runtimes = ['containerd@2.1', 'containerd@1.7', 'containerd@1.7+containerd@2.1'];

    assert.deepEqual(await Promise.all(runtimes.map((runtime) => ask(host, { runtime, setup }))), [
      'tls-other',
      'pullable',
      'pullable',
    ]);
  });

  it('is tls-wrong-name where the address asked for is none of its names', async () => {
    const port = await serve(served(authority.issue({ names: ['reg.test'] })));
    const host = `127.0.0.1:${port}`;

    // all others take loopback unverified
    assert.equal(
      await ask(host, { runtime: 'crio@1.34', setup: trusting(host, authority.certificate) }),
      'tls-wrong-name',
    );
  });

  it('is tls-expired where a blob is redirected to an expired certificate', async () => {
    const cdn = await registry.listenToo({ tls: served(authority.issue({ ...names, dates: expiredDates() })) });
    const front = cleanup.add(await startScriptedRegistry({ store, tls: wellSigned }));
    front.bend(
      { kind: 'blob' },
      redirect(({ url }) => `${cdn.origin}${url.pathname}`),
    );
    const host = `reg.test:${front.port}`;
    const setup = trusting(host, authority.certificate);

    assert.deepEqual(
      await Promise.all(RUNTIMES.map((runtime) => ask(host, { runtime, setup }))),
      RUNTIMES.map(() => 'tls-expired'),
    );
  });
});

describe('what is no TLS server (E13, J84 to J87)', { concurrency: 4 }, () => {
  const cases: readonly (readonly [name: string, start: () => Promise<number>, expected: string])[] = [
    ['plain HTTP', async () => registry.port, 'http-not-declared'],
    ['garbage', () => raw((socket) => socket.once('data', () => socket.end('garbage\r\n'))), 'tls-other'],
    ['the banner of an SSH server', () => raw((socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n')), 'tls-other'],
    ['the end at once', () => raw((socket) => socket.end()), 'unreachable?'],
    ['the end after the hello', () => raw((socket) => socket.once('data', () => socket.end())), 'unreachable?'],
    ['a reset', () => raw((socket) => socket.once('data', () => socket.resetAndDestroy())), 'unreachable?'],
    ['silence', () => raw(() => undefined), 'unreachable?'],
    ['a closed port', async () => 1, 'unreachable?'],
  ];
  for (const [name, start, expected] of cases) {
    it(`is ${expected.replace('?', ', never proof')}: ${name}`, async () => {
      const host = `reg.test:${await start()}`;
      const patienceMs = name === 'silence' ? 400 : undefined;

      assert.deepEqual(
        await Promise.all(RUNTIMES.map((runtime) => ask(host, { runtime, patienceMs }))),
        RUNTIMES.map(() => expected),
      );
    });
  }
});

async function raw(onSocket: Parameters<typeof startRaw>[0]): Promise<number> {
  return cleanup.add(await startRaw(onSocket)).port;
}

describe('the machine itself, with nothing declared (E5, E9, E11, J88, J90)', { concurrency: 4 }, () => {
  let secure: number;
  before(async () => {
    secure = await serve(served(createSelfSigned({ names: ['elsewhere.test'] })));
  });

  /** What listens, and the answer of containerd (and dockerd's containerd store), of dockerd's own store, of CRI-O. */
  const cases: readonly (readonly [port: string, server: 'http' | 'https', string, string, string])[] = [
    ['', 'https', 'pullable', 'pullable', 'tls-wrong-name'],
    ['', 'http', 'http-not-declared', 'pullable', 'http-not-declared'],
    [':443', 'https', 'pullable', 'pullable', 'tls-wrong-name'],
    [':443', 'http', 'http-not-declared', 'pullable', 'http-not-declared'],
    [':80', 'http', 'pullable', 'pullable', 'http-not-declared'],
    [':80', 'https', 'https-expected-http', 'pullable', 'tls-wrong-name'],
    [':5000', 'http', 'pullable', 'pullable', 'http-not-declared'],
    [':5000', 'https', 'pullable', 'pullable', 'tls-wrong-name'],
  ];
  for (const name of ['localhost', '127.8.0.1']) {
    for (const [port, server, containerd, docker, crio] of cases) {
      it(`${name}${port} with ${server} behind it`, async () => {
        const actual = server === 'http' ? registry.port : secure;
        const ports = new Map([80, 443, 5000].map((one) => [one, actual]));
        const answers = await Promise.all(RUNTIMES.map((runtime) => ask(`${name}${port}`, { runtime, ports })));

        assert.deepEqual(answers, [containerd, docker, containerd, crio]);
      });
    }
  }

  it('is asked for nothing in plain HTTP where it is not the machine itself, however private the name', async () => {
    const hosts = ['10.0.0.5:5000', '192.168.1.1:5000', 'reg.local:5000', 'reg.ns.svc:5000', 'reg.localhost:5000'];
    for (const host of hosts) {
      const transport = lonely(registry);
      // oxlint-disable-next-line no-await-in-loop -- few
      const kinds = await Promise.all(
        RUNTIMES.map(async (runtime) => (await predict(`${host}/app:1`, { transport, runtime })).outcome.kind),
      );
      // oxlint-disable-next-line no-await-in-loop
      await transport.close();

      assert.deepEqual(
        kinds,
        RUNTIMES.map(() => 'http-not-declared'),
        host,
      );
    }
  });
});

/** Whatever is asked for, this registry answers. */
function lonely({ port }: LoopbackServer): Transport {
  const connect = createConnect({ resolve: async () => ['127.0.0.1'], guard: unguarded, now: () => new Date() });
  return createTransport({
    connect: (options, signal) => connect({ ...options, port }, signal),
    connectionsPerHost: 4,
  });
}

describe('what hosts.toml says of a scheme (E4, E6)', { concurrency: 4 }, () => {
  let secure: number;
  before(async () => {
    secure = await serve(served(selfSigned));
  });
  const SKIP = 'skip_verify = true\n';
  const CASES: readonly (readonly [
    server: string,
    more: string,
    behind: 'http' | 'https' | 'garbage' | 'end' | 'silence',
    string,
  ])[] = [
    ['http://HOST', '', 'http', 'pullable'],
    ['http://HOST', '', 'https', 'https-expected-http'],
    ['http://HOST', SKIP, 'http', 'pullable'],
    ['http://HOST', SKIP, 'https', 'pullable'],
    ['http://HOST', 'skip_verify = false\n', 'http', 'pullable'],
    ['http://HOST', 'skip_verify = false\n', 'https', 'tls-unknown-authority'],
    ['http://HOST', 'ca = []\n', 'http', 'pullable'],
    ['http://HOST', SKIP, 'garbage', 'tls-other'],
    ['http://HOST', SKIP, 'end', 'unreachable?'],
    ['http://HOST', SKIP, 'silence', 'unreachable?'],
    ['https://HOST', '', 'http', 'http-not-declared'],
    ['https://HOST', SKIP, 'http', 'http-not-declared'],
    ['https://HOST', SKIP, 'https', 'pullable'],
    ['HOST', '', 'http', 'http-not-declared'],
    ['HOST', SKIP, 'https', 'pullable'],
  ];
  for (const [server, more, behind, expected] of CASES) {
    it(`${expected} with ${JSON.stringify(`server = "${server}" ${more}`)} and ${behind} behind it`, async () => {
      const ports = {
        http: async () => registry.port,
        https: async () => secure,
        garbage: () => raw((socket) => socket.once('data', () => socket.end('garbage\r\n'))),
        end: () => raw((socket) => socket.once('data', () => socket.end())),
        silence: () => raw(() => undefined),
      };
      const host = `reg.test:${await ports[behind]()}`;
      const text = `server = "${server.replace('HOST', host)}"\n${more}`;
      const tree = (root: string): ReturnType<typeof memoryTree> => memoryTree(root, { [`${host}/hosts.toml`]: text });
      const setup = {
        certsD: tree('/etc/containerd/certs.d'),
        docker: { daemonJson: undefined, certsD: tree('/etc/docker/certs.d') },
      };
      const patienceMs = behind === 'silence' ? 400 : undefined;
      const runtimes = RUNTIMES.filter((one) => !one.startsWith('crio') && !one.endsWith('graph'));

      assert.deepEqual(
        await Promise.all(runtimes.map((runtime) => ask(host, { runtime, setup, patienceMs }))),
        runtimes.map(() => expected),
      );
    });
  }

  it('takes http on port 80 for plain HTTP, whatever TLS settings stand beside it', async () => {
    const setup = {
      certsD: memoryTree('/etc/containerd/certs.d', {
        'reg.test:80/hosts.toml': `server = "http://reg.test:80"\n${SKIP}`,
      }),
    };
    const to = (port: number): Promise<string> =>
      ask('reg.test:80', { runtime: 'containerd@2.1/transfer', setup, ports: new Map([[80, port]]) });

    assert.equal(await to(registry.port), 'pullable');
    assert.equal(await to(secure), 'https-expected-http');
  });
});
