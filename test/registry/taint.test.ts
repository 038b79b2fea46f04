import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { basicAuth, type Bend } from '../../webhook/demo/registry.ts';
import { only, redirect, reply, status } from '../support/bend.ts';
import { holdsSecret } from '../support/request-log.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { startTokenService, type TokenService, type TokenServiceOptions } from '../support/token-service.ts';
import {
  blob,
  createCleanup,
  createClient,
  createWire,
  endpointAt,
  manifest,
  soon,
  startRaw,
  type ClientParts,
} from './rig.ts';

const cleanup = createCleanup();
after(cleanup.run);
const transport = cleanup.add(createWire({ timeouts: { probeMs: 200 } }));

/** One registry, one token service and one stranger, each of which keeps all that it hears, and a login of its own. */
async function scene(options: {
  readonly auth: (parts: {
    readonly tokens: TokenService;
    readonly evilHost: string;
    readonly password: string;
  }) => Bend;
  readonly tokens?: TokenServiceOptions;
  readonly bends?: (evilOrigin: string) => readonly Bend[];
}) {
  const password = `pw-${randomBytes(12).toString('hex')}`;
  const evil = cleanup.add(
    await startScriptedRegistry({
      bends: [(_question, answer) => ({ ...answer, status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } })],
    }),
  );
  const evilHost = `evil.test:${evil.port}`;
  const tokens = cleanup.add(await startTokenService({ logins: { ci: password }, ...options.tokens }));
  const registry = cleanup.add(
    await startScriptedRegistry({
      bends: [
        only({ path: /\/(?:manifests|blobs)\// }, reply(200, {}, 'here')),
        options.auth({ tokens, evilHost, password }),
        ...(options.bends?.(`http://${evilHost}`) ?? []),
      ],
    }),
  );
  return { password, registry, tokens, evil };
}

type Scene = Awaited<ReturnType<typeof scene>>;

/** Everything that a client says aloud: notes, outcomes, answers' evidence. */
async function talk({ registry, password }: Scene, style: NonNullable<ClientParts['style']>): Promise<string> {
  const aloud: unknown[] = [];
  const client = createClient({
    transport,
    endpoint: endpointAt(`reg.test:${registry.port}`, { namespace: 'docker.io' }),
    login: { username: 'ci', password },
    style,
    note: (text) => aloud.push(text),
  });
  const asks = [
    manifest('1', { method: 'HEAD', maxBytes: 0 }),
    manifest('1'),
    blob('sha256:ab'),
    blob('sha256:cd', { range: { from: 3 } }),
  ];
  for (const ask of asks) {
    // in the order of a pull
    // oxlint-disable-next-line no-await-in-loop
    const got = await client.ask(ask, soon());
    aloud.push(got.ok ? { ...got.value, bytes: Buffer.from(got.value.bytes).toString('latin1') } : got.error);
  }
  const opened = await client.open(blob('sha256:ef'), soon());
  if (opened.ok) opened.value.reply.drop();
  return JSON.stringify(aloud);
}

const places = (log: ScriptedRegistry['log'], secret: string): readonly string[] =>
  [...new Set(log.sightings(secret).map(({ request, where }) => `${request.split(' ', 1)[0]} ${where}`))].toSorted();

type Places = {
  readonly registry: readonly string[];
  readonly tokens: Readonly<Record<'containerd' | 'docker' | 'crio', readonly string[]>>;
};
const NOWHERE: Places = { registry: [], tokens: { containerd: [], docker: [], crio: [] } };
const TO_REALM: Places = {
  registry: [],
  tokens: { containerd: ['POST body'], docker: ['GET authorization'], crio: ['GET authorization'] },
};
const BASIC: Places = { ...NOWHERE, registry: ['GET authorization', 'HEAD authorization'] };

describe('where a password is seen', () => {
  const redirectAll = (origin: string): readonly Bend[] => [
    (question, answer) =>
      answer.status === 200 && question.route.kind !== 'base'
        ? redirect(({ url }) => `${origin}${url.pathname}${url.search}`)(question, answer)
        : answer,
  ];
  const basicScene: Parameters<typeof scene>[0] = { auth: ({ password }) => basicAuth({ ci: password }) };
  const tokenScene: Parameters<typeof scene>[0] = { auth: ({ tokens }) => tokens.bearerAuth };
  const cases: readonly (readonly [string, Parameters<typeof scene>[0], Places])[] = [
    ['a registry with Basic', basicScene, BASIC],
    ['a registry with Basic that sends everything elsewhere', { ...basicScene, bends: redirectAll }, BASIC],
    ['a registry with tokens', tokenScene, TO_REALM],
    ['a registry with tokens that sends everything elsewhere', { ...tokenScene, bends: redirectAll }, TO_REALM],
    [
      'a token service that sends everybody elsewhere',
      {
        ...tokenScene,
        tokens: {
          bends: [
            (question) => ({
              status: 307,
              headers: { location: `http://evil.test${question.url.pathname}` },
              body: Buffer.alloc(0),
            }),
          ],
        },
      },
      TO_REALM,
    ],
    ['a token service that refuses', { ...tokenScene, tokens: { bends: [status(403, 'DENIED')] } }, TO_REALM],
    [
      'a registry that wants nothing and sends everything to a stranger who does',
      {
        auth: () => (_question, answer) => answer,
        bends: (origin) => [only({ path: /\/(?:manifests|blobs)\// }, redirect(`${origin}/x`))],
      },
      NOWHERE,
    ],
    [
      'a registry with a realm that has a user in it',
      {
        auth:
          ({ evilHost }) =>
          (_question, answer) => ({
            ...answer,
            status: 401,
            headers: { 'www-authenticate': `Bearer realm="http://me:you@${evilHost}/"` },
          }),
      },
      NOWHERE,
    ],
    [
      'a registry with a challenge that nobody can answer',
      {
        auth: () => (_question, answer) => ({
          ...answer,
          status: 401,
          headers: { 'www-authenticate': ['Negotiate', 'Digest realm="x"', 'Bearer realm="file:///"'] },
        }),
      },
      NOWHERE,
    ],
  ];
  for (const [name, options, expected] of cases) {
    for (const style of ['containerd', 'docker', 'crio'] as const) {
      it(`as ${style}, at ${name}`, async () => {
        const all = await scene(options);
        const aloud = await talk(all, style);
        const { password } = all;

        assert.deepEqual(places(all.registry.log, password), expected.registry);
        assert.deepEqual(places(all.tokens.log, password), expected.tokens[style]);
        assert.deepEqual(places(all.evil.log, password), []);
        assert.ok(all.evil.log.requests.every(({ authorization }) => authorization === 'none'));
        assert.ok(!holdsSecret(aloud, password), 'a note, an answer or an outcome gives it away');
      });
    }
  }

  it('is not on the wire of a server that speaks no HTTP', async () => {
    const password = `pw-${randomBytes(12).toString('hex')}`;
    const server = cleanup.add(
      await startRaw((socket) => socket.once('data', () => socket.end('\u0015\u0003\u0001\u0000\u0002\u0002('))),
    );
    for (const scheme of ['http', 'https', 'https-then-http'] as const) {
      const endpoint = endpointAt(`reg.test:${server.port}`, { scheme });
      const client = createClient({ transport, endpoint, login: { username: 'ci', password } });
      // one scheme after the other
      // oxlint-disable-next-line no-await-in-loop
      await client.ask(manifest('1'), soon());
    }

    assert.ok(server.received().length > 0);
    assert.ok(!holdsSecret(server.received(), password));
  });

  it('is not in plain text where HTTPS gave way after the login was wanted', async () => {
    const password = `pw-${randomBytes(12).toString('hex')}`;
    const server = cleanup.add(
      await startRaw((socket) => {
        socket.on('data', () =>
          socket.write(
            'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm="http://token.test/"\r\nContent-Length: 0\r\n\r\n',
          ),
        );
      }),
    );
    const endpoint = endpointAt(`reg.test:${server.port}`, { scheme: 'https' });
    const got = await createClient({ transport, endpoint, login: { username: 'ci', password } }).ask(
      manifest('1'),
      soon(),
    );

    assert.equal(!got.ok && got.error.kind, 'http-not-declared');
    assert.ok(!holdsSecret(server.received(), password));
  });
});
