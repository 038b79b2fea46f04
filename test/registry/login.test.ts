import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { basicAuth, type Bend } from '../../webhook/demo/registry.ts';
import type { RealmRules } from '../../webhook/registry/realm.ts';
import { only, redirect, reply, status } from '../support/bend.ts';
import { createSelfSigned } from '../support/pki.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { startTokenService, type TokenService, type TokenServiceOptions } from '../support/token-service.ts';
import {
  blob,
  createCleanup,
  createClient,
  createWire,
  endpointAt,
  inShort,
  manifest,
  NO_TLS,
  soon,
  type ClientParts,
} from './rig.ts';

const cleanup = createCleanup();
after(cleanup.run);
const transport = cleanup.add(createWire());
const LOGIN = { username: 'ci', password: 'login-password-1' };
const LOGINS = { [LOGIN.username]: LOGIN.password };

/** A registry whose every manifest and blob is there, behind `auth`. */
async function registryWith(auth: Bend | undefined, ...bends: readonly Bend[]): Promise<ScriptedRegistry> {
  const content: Bend = only({ path: /\/(?:manifests|blobs)\// }, reply(200, { 'content-type': 'text/plain' }, 'here'));
  return cleanup.add(
    await startScriptedRegistry({ bends: [content, ...(auth === undefined ? [] : [auth]), ...bends] }),
  );
}

const tokens = async (options: TokenServiceOptions = {}): Promise<TokenService> =>
  cleanup.add(await startTokenService({ logins: LOGINS, ...options }));

const challenge = (header: string | readonly string[], kind?: 'base'): Bend =>
  only(kind === undefined ? {} : { kind }, (_question, answer) => ({
    ...answer,
    status: 401,
    headers: { 'www-authenticate': header },
  }));

/** Refuses for blobs what was good for a manifest. */
function onceGood(header: string): Bend {
  const used = new Set<string | undefined>();
  return (question, answer) => {
    if (answer.status === 401) return answer;
    const { authorization } = question.headers;
    if (question.route.kind === 'manifest') used.add(authorization);
    return question.route.kind === 'blob' && used.has(authorization) ? challenge(header)(question, answer) : answer;
  };
}

type Client = ReturnType<typeof createClient>;
const clientOf = (registry: ScriptedRegistry, more: Partial<ClientParts> = {}): Client =>
  createClient({ transport, endpoint: endpointAt(`reg.test:${registry.port}`), ...more });

async function outcome(client: Client, ask = manifest('1')): Promise<string> {
  const got = await client.ask(ask, soon());
  return got.ok ? String(got.value.status) : inShort(got.error);
}

describe('logging in as containerd', () => {
  it('waits to be asked, and asks for a token once', async () => {
    const service = await tokens();
    const registry = await registryWith(service.bearerAuth);
    const client = clientOf(registry, { login: LOGIN });

    assert.equal(await outcome(client), '200');
    assert.deepEqual(await Promise.all(['a', 'b', 'c'].map(async (one) => await outcome(client, blob(one)))), [
      '200',
      '200',
      '200',
    ]);
    assert.deepEqual(service.log.lines(), ['POST /token']);
    assert.deepEqual(
      registry.log.requests.map(({ authorization }) => authorization),
      ['none', 'bearer', 'bearer', 'bearer', 'bearer'],
    );
    assert.equal(client.requests(), 6);
  });

  it('shares one login between questions that are asked at a time', async () => {
    const service = await tokens();
    const registry = await registryWith(service.bearerAuth);
    const client = clientOf(registry, { login: LOGIN });
    const statuses = await Promise.all(['a', 'b', 'c', 'd'].map(async (one) => await outcome(client, blob(one))));

    assert.deepEqual(statuses, ['200', '200', '200', '200']);
    assert.deepEqual(service.log.lines(), ['POST /token']);
  });

  it('asks for its own repository and for the others that it is told of, and for reading alone', async () => {
    const service = await tokens();
    const scope = 'repository:team/app:pull,push repository:proxy/team/app:* repository:x:push registry:catalog:* junk';
    const registry = await registryWith(challenge(`Bearer realm="${service.realm}",service="s",scope="${scope}"`));
    await outcome(clientOf(registry));

    assert.deepEqual(new URL(service.log.requests[0]?.url ?? '').searchParams.getAll('scope'), [
      'repository:proxy/team/app:pull',
      'repository:team/app:pull',
    ]);
  });

  /** Manifests want one login and blobs another, or the same anew. */
  const later: readonly (readonly [string, (service: TokenService) => readonly Bend[], string, number])[] = [
    [
      'asks anew for a token that is refused with a reason',
      ({ realm, bearerAuth }) => [bearerAuth, onceGood(`Bearer realm="${realm}",service="s",error="invalid_token"`)],
      '200',
      2,
    ],
    [
      'asks for no other token than one that is refused without a reason',
      ({ realm, bearerAuth }) => [bearerAuth, onceGood(`Bearer realm="${realm}",service="s"`)],
      '401',
      1,
    ],
    [
      'goes over to Basic where blobs want it',
      ({ bearerAuth }) => [only({ kind: 'manifest' }, bearerAuth), only({ kind: 'blob' }, basicAuth(LOGINS))],
      '200',
      1,
    ],
    [
      'stays with Basic where blobs want a token',
      ({ bearerAuth }) => [only({ kind: 'manifest' }, basicAuth(LOGINS)), only({ kind: 'blob' }, bearerAuth)],
      '401',
      0,
    ],
  ];
  for (const [name, bends, expected, asked] of later) {
    it(name, async () => {
      const service = await tokens();
      const registry = await registryWith(undefined, ...bends(service));
      const client = clientOf(registry, { login: LOGIN });

      assert.equal(await outcome(client), '200');
      assert.deepEqual(await Promise.all(['a', 'b', 'c'].map(async (one) => await outcome(client, blob(one)))), [
        expected,
        expected,
        expected,
      ]);
      assert.equal(service.issuedCount, asked);
    });
  }

  it('asks anew for a token that has run out', async () => {
    let nowMs = 0;
    const service = await tokens({ expiresIn: 60, now: () => nowMs });
    const silent: Bend = (question, answer) =>
      answer.status === 401 ? challenge(`Bearer realm="${service.realm}",service="s"`)(question, answer) : answer;
    const registry = await registryWith(service.bearerAuth, silent);
    const client = clientOf(registry, { login: LOGIN, now: () => nowMs });

    assert.equal(await outcome(client), '200');
    nowMs = 61_000;
    assert.equal(await outcome(client, blob('a')), '200');
    assert.equal(service.issuedCount, 2);
  });

  it('prefers Bearer to Basic', async () => {
    const service = await tokens();
    const registry = await registryWith(challenge(['Basic realm="b"', `Bearer realm="${service.realm}",service="s"`]));
    await outcome(clientOf(registry, { login: LOGIN }));

    assert.deepEqual(
      registry.log.requests.map(({ authorization }) => authorization),
      ['none', 'bearer'],
    );
  });

  const basic: readonly (readonly [string, ClientParts['login'], string])[] = [
    ['no login', undefined, 'access-denied no-credentials registry'],
    ['a login', LOGIN, '200'],
    ['a wrong password', { ...LOGIN, password: 'wrong' }, '401'],
    ['an empty password', { ...LOGIN, password: '' }, 'access-denied rejected registry'],
    ['an empty name', { ...LOGIN, username: '' }, 'access-denied rejected registry'],
  ];
  for (const [name, login, expected] of basic) {
    it(`answers Basic with ${name}: ${expected}`, async () => {
      const registry = await registryWith(basicAuth(LOGINS));

      assert.equal(await outcome(clientOf(registry, { login })), expected);
    });
  }

  it('gives the refused request as evidence where nobody could log in', async () => {
    const registry = await registryWith(basicAuth(LOGINS));
    const client = clientOf(registry);
    await client.ask(manifest('1'), soon());
    const got = await client.ask(blob('sha256:ab'), soon());

    assert.ok(!got.ok && got.error.kind === 'access-denied');
    assert.deepEqual([got.error.evidence.path, got.error.evidence.status], ['/v2/team/app/blobs/sha256:ab', 401]);
  });

  const refusals: readonly (readonly [string, TokenServiceOptions, ClientParts['login'], string])[] = [
    ['nobody without a login', { isAnonymousAllowed: false }, undefined, 'access-denied no-credentials token-service'],
    ['a wrong password', {}, { ...LOGIN, password: 'wrong' }, 'access-denied rejected token-service'],
    [
      'a repository (403)',
      { mayPull: () => false, onRefusal: 'denied' },
      LOGIN,
      'access-denied rejected token-service',
    ],
    [
      'a repository, by a token without it',
      { mayPull: () => false },
      LOGIN,
      'access-denied insufficient-scope registry',
    ],
    ['the same without a login', { mayPull: () => false }, undefined, 'access-denied no-credentials registry'],
    ['everybody for a moment', { bends: [status(429, 'TOOMANYREQUESTS')] }, LOGIN, 'rate-limited'],
    [
      'everybody, by a fault of its own',
      { bends: [status(500, 'UNKNOWN')] },
      LOGIN,
      'registry-error its token service failed',
    ],
  ];
  for (const [name, options, login, expected] of refusals) {
    it(`tells a token service that refuses ${name}`, async () => {
      const service = await tokens(options);
      const registry = await registryWith(service.bearerAuth);
      const client = clientOf(registry, { login });

      assert.equal(await outcome(client), expected);
      const asked = service.log.lines().length;
      assert.equal(await outcome(client, blob('a')), expected);
      assert.equal(service.log.lines().length, asked, 'what was refused is not asked again');
    });
  }

  it('takes a second 401 without a reason for a rejected login', async () => {
    const service = await tokens();
    const registry = await registryWith(challenge(`Bearer realm="${service.realm}",service="s"`));

    assert.equal(await outcome(clientOf(registry, { login: LOGIN })), '401');
    assert.equal(service.log.lines().length, 1);
  });

  it('says who could not be reached', async () => {
    const registry = await registryWith(challenge('Bearer realm="http://token.test:1/token"'));

    assert.equal(await outcome(clientOf(registry)), 'unreachable refused token.test:1');
  });

  it('takes no login from HTTPS to plain HTTP, nor along a redirect, and says which', async () => {
    const elsewhere = await tokens();
    const sending = await tokens({ bends: [redirect(elsewhere.realm)] });
    const registry = await registryWith(challenge(`Bearer realm="${sending.realm}"`));
    const { chain: cert, key } = createSelfSigned({ names: ['reg.test'] });
    const { port } = await registry.listenToo({ tls: { cert, key } });
    const tls = { ...NO_TLS, isVerified: false };
    const secure = createClient({
      transport,
      endpoint: endpointAt(`reg.test:${port}`, { scheme: 'https', tls }),
      login: LOGIN,
    });

    assert.deepEqual(
      [await outcome(secure), await outcome(clientOf(registry, { login: LOGIN }))],
      [
        `not-checked login-withheld ${new URL(sending.realm).host}, by plain HTTP`,
        `not-checked login-withheld ${new URL(elsewhere.realm).host}, by a redirect`,
      ],
    );
    assert.deepEqual(elsewhere.log.lines(), []);
  });

  const strict: RealmRules = { isStrict: true, pairs: [] };
  const odd: readonly (readonly [string, string, string, RealmRules?])[] = [
    ['no challenge that it can answer', 'Negotiate', '401'],
    ['no realm', 'Bearer service="x"', 'registry-error its challenge names no realm'],
    ['a realm that is a path', 'Bearer realm="/token"', 'registry-error its challenge names a realm that is no URL'],
    [
      'a realm that is a file',
      'Bearer realm="file:///etc/passwd"',
      'registry-error its challenge names a realm that is no URL',
    ],
    ['a realm of data', 'Bearer realm="data:,x"', 'registry-error its challenge names a realm that is no URL'],
    [
      'a realm of 20 KiB',
      `Bearer realm="https://token.test/${'a'.repeat(20_000)}"`,
      'registry-error its challenge names a realm that is no URL',
    ],
    [
      'a realm of 64 KiB',
      `Bearer realm="https://token.test/${'a'.repeat(65_536)}"`,
      'registry-error its header is too large',
    ],
    ['a realm with a user in it', 'Bearer realm="http://me:pw@token.test/"', 'not-checked untrusted-realm token.test'],
    [
      'a realm that the policy does not trust',
      'Bearer realm="http://evil.test/"',
      'not-checked untrusted-realm evil.test',
      strict,
    ],
    ['a realm on port 0', 'Bearer realm="http://token.test:0/"', 'registry-error no such address'],
  ];
  for (const [name, header, expected, realms = { isStrict: false, pairs: [] }] of odd) {
    it(`meets ${name}`, async () => {
      const registry = await registryWith(challenge(header));

      assert.equal(await outcome(clientOf(registry, { login: LOGIN, realms })), expected);
      assert.deepEqual(registry.log.sightings(LOGIN.password), []);
    });
  }
});

describe('logging in as dockerd', () => {
  const docker = (registry: ScriptedRegistry, login?: ClientParts['login']): Client =>
    clientOf(registry, { style: 'docker', login });

  it('pings once, and asks for its repository though the ping names none', async () => {
    const service = await tokens();
    const registry = await registryWith(service.bearerAuth);
    const client = docker(registry, LOGIN);

    assert.deepEqual([await outcome(client), await outcome(client, blob('a'))], ['200', '200']);
    assert.deepEqual(
      registry.log.requests.map(({ path, authorization }) => `${path} ${authorization}`),
      ['/v2/ none', '/v2/team/app/manifests/1 bearer', '/v2/team/app/blobs/a bearer'],
    );
    const { searchParams } = new URL(service.log.requests[0]?.url ?? '');
    assert.deepEqual([searchParams.get('scope'), searchParams.get('account')], ['repository:team/app:pull', 'ci']);
    assert.deepEqual(service.log.lines(), ['GET /token']);
  });

  it('takes a 401 for final where the ping was open', async () => {
    const service = await tokens();
    const registry = await registryWith(only({ kind: 'manifest' }, service.bearerAuth));

    assert.equal(await outcome(docker(registry, LOGIN)), '401');
    assert.deepEqual(service.log.lines(), []);
  });

  it('fails on a public repository where the ping wants Basic and there is no login', async () => {
    const registry = await registryWith(only({ kind: 'base' }, basicAuth(LOGINS)));

    assert.equal(await outcome(docker(registry)), 'access-denied no-credentials registry');
    assert.deepEqual(registry.log.lines(), ['GET /v2/']);
  });

  it('answers every challenge of the ping, and sends what Basic takes', async () => {
    const service = await tokens();
    const both: Bend = async (question, answer) => {
      const asked = await service.bearerAuth(question, answer);
      const challenge = asked.headers['www-authenticate'];
      const challenges = ['Basic realm="registry"', String(challenge)];
      return challenge === undefined ? asked : { ...asked, headers: { 'www-authenticate': challenges } };
    };

    const registry = await registryWith(both);
    assert.equal(await outcome(docker(registry)), 'access-denied no-credentials registry');
    assert.equal(await outcome(docker(registry, LOGIN)), '401');
    assert.deepEqual(registry.log.requests.at(-1)?.authorization, 'basic');
    assert.deepEqual(service.log.lines(), ['GET /token', 'GET /token']);
    assert.equal(await outcome(clientOf(registry, { login: LOGIN })), '200');
  });

  it('goes on after a ping that is no registry, and stops at one that nobody answers', async () => {
    const registry = await registryWith(undefined, only({ kind: 'base' }, status(404, 'UNKNOWN')));

    assert.equal(await outcome(docker(registry)), '200');
    const nobody = createClient({ transport, endpoint: endpointAt('reg.test:1'), style: 'docker' });
    assert.equal(await outcome(nobody), 'unreachable refused reg.test:1');
  });

  it('does not log in where a redirected ping asks for it', async () => {
    const service = await tokens();
    const evil = await registryWith(service.bearerAuth);
    const registry = await registryWith(
      undefined,
      only({ kind: 'base' }, redirect(`http://evil.test:${evil.port}/v2/`)),
    );

    assert.equal(await outcome(docker(registry, LOGIN)), '200');
    assert.equal(
      await outcome(clientOf(registry, { style: 'crio', login: LOGIN })),
      `not-checked untrusted-realm evil.test:${evil.port}`,
    );
    assert.deepEqual(service.log.lines(), []);
  });
});

describe('logging in as CRI-O', () => {
  const crio = (registry: ScriptedRegistry, login?: ClientParts['login']): Client =>
    clientOf(registry, { style: 'crio', login });

  it('goes on without a login where the ping wants Basic', async () => {
    const registry = await registryWith(only({ kind: 'base' }, basicAuth(LOGINS)));

    assert.equal(await outcome(crio(registry)), '200');
    assert.deepEqual(
      registry.log.requests.map(({ authorization }) => authorization),
      ['none', 'none'],
    );
    assert.equal(await outcome(crio(registry, LOGIN)), '200');
    assert.equal(registry.log.requests.at(-1)?.authorization, 'basic');
  });

  it('stops at a ping that answers neither 200 nor 401', async () => {
    const registry = await registryWith(undefined, only({ kind: 'base' }, status(404, 'UNKNOWN')));

    assert.equal(await outcome(crio(registry)), 'registry-error its /v2/ answers neither 200 nor 401');
  });

  for (const style of ['crio', 'docker'] as const) {
    it(`hears of the limit, and not of a broken registry, where the ping of ${style} is answered 429`, async () => {
      const busy = only({ kind: 'base' }, status(429, 'TOOMANYREQUESTS', { 'retry-after': '60' }));
      const registry = await registryWith(undefined, busy, only({ kind: 'manifest' }, status(401, 'UNAUTHORIZED')));

      const got = await clientOf(registry, { style }).ask(manifest('1'), soon());

      assert.ok(!got.ok);
      assert.deepEqual(got.error.kind === 'rate-limited' && got.error.retryAfterSeconds, 60);
    });
  }

  it('sends the login by GET', async () => {
    const service = await tokens();
    const registry = await registryWith(service.bearerAuth);

    assert.equal(await outcome(crio(registry, LOGIN)), '200');
    assert.deepEqual(service.log.lines(), ['GET /token']);
  });
});
