import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { basicAuth, type Bend } from '../../webhook/demo/registry.ts';
import type { RegistryEndpoint } from '../../webhook/registry/endpoint.ts';
import { redirect, reply, status } from '../support/bend.ts';
import { createAuthority } from '../support/pki.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { createCleanup, createClient, createWire, endpointAt, inShort, manifest, NO_TLS, soon } from './rig.ts';

const cleanup = createCleanup();
after(cleanup.run);
const transport = cleanup.add(createWire());
const authority = createAuthority();
const tls = { ...NO_TLS, authorities: [authority.certificate] };
const PASSWORD = 'redirect-password-1';
const LOGIN = { username: 'ci', password: PASSWORD };
const HEADER = 'declared-header-1';

let home: ScriptedRegistry;
let elsewhere: ScriptedRegistry;
let secureHome: { readonly port: number };

before(async () => {
  home = cleanup.add(await startScriptedRegistry({ auth: basicAuth({ ci: PASSWORD }) }));
  elsewhere = cleanup.add(await startScriptedRegistry());
  const { chain, key } = authority.issue({ names: ['reg.test'] });
  secureHome = await home.listenToo({ tls: { cert: chain, key } });
});
beforeEach(() => {
  for (const registry of [home, elsewhere]) {
    registry.log.clear();
    registry.straighten();
    registry.bend({ path: '/here' }, reply(200, {}, 'found'));
  }
});

const clientAt = (authorityText: string, more: Partial<RegistryEndpoint> = {}) =>
  createClient({
    transport,
    endpoint: endpointAt(authorityText, { tls, headers: { 'X-Secret': [HEADER] }, ...more }),
    login: LOGIN,
  });
const at = (registry: { readonly port: number }, name = 'reg.test'): string => `${name}:${registry.port}`;

/** What asking for a manifest gives, in short; a good answer's body. */
async function ask(client: ReturnType<typeof clientAt>): Promise<string> {
  const got = await client.ask(manifest('1'), soon());
  if (!got.ok) return inShort(got.error);
  const { status: code, bytes, isElsewhere } = got.value;
  return `${code}${code < 300 ? ` ${Buffer.from(bytes).toString()}` : ''}${isElsewhere ? ' elsewhere' : ''}`;
}

/** Only for who is logged in: the rest is refused as before. */
const inside =
  (bend: Bend): Bend =>
  (question, answer) =>
    answer.status === 401 ? answer : bend(question, answer);

const insideTo = (to: () => string): Bend => inside(redirect(to));

const hops = (many: number): void => {
  home.bend({ kind: 'manifest' }, inside(redirect('/hop/1')));
  home.bend(
    { path: /^\/hop\// },
    redirect(({ url }) => {
      const hop = Number(url.pathname.slice(5));
      return hop >= many ? '/here' : `/hop/${hop + 1}`;
    }),
  );
};

describe('following redirects', () => {
  for (const code of [301, 302, 303, 307, 308]) {
    it(`takes the login along on its own origin (${code})`, async () => {
      home.bend({ kind: 'manifest' }, inside(redirect('../../../../here', code)));

      assert.equal(await ask(clientAt(at(home))), '200 found');
      assert.deepEqual(
        home.log.requests.map(({ path, authorization }) => `${path} ${authorization}`),
        ['/v2/team/app/manifests/1 none', '/v2/team/app/manifests/1 basic', '/here basic'],
      );
    });
  }

  const away: readonly (readonly [string, () => string, () => string, Partial<RegistryEndpoint>])[] = [
    ['another port', () => at(home), () => `http://${at(elsewhere)}/here`, {}],
    ['another name', () => at(home), () => `http://${at(home, 'other.test')}/here`, {}],
    ['another scheme', () => at(secureHome), () => `http://${at(home)}/here`, { scheme: 'https' }],
    ['another host without a scheme', () => at(home), () => `//${at(elsewhere, 'evil.test')}/here`, {}],
    [
      'a host that only looks alike',
      () => at(home),
      () => `http://reg.test:${home.port}@evil.test:${elsewhere.port}/here`,
      {},
    ],
  ];
  for (const [name, from, to, more] of away) {
    it(`leaves login and declared headers behind on the way to ${name}`, async () => {
      home.bend({ kind: 'manifest' }, inside(redirect(to())));
      const isHome = to().includes(String(home.port)) && !to().includes('@');
      // without its login the registry itself would refuse
      home.bend({ path: '/here' }, reply(200, {}, 'found'));

      assert.equal(await ask(clientAt(from(), more)), '200 found elsewhere');
      const arrived = (isHome ? home : elsewhere).log.requests.filter(({ path }) => path === '/here');
      assert.equal(arrived.length, 1);
      assert.equal(arrived[0]?.authorization, 'none');
      assert.ok(!JSON.stringify(arrived).includes(HEADER));
      assert.ok(!JSON.stringify(arrived).includes(Buffer.from(`ci:${PASSWORD}`).toString('base64')));
      assert.deepEqual(elsewhere.log.sightings(PASSWORD), []);
    });
  }

  it('does not log in where it was sent to', async () => {
    home.bend(
      { kind: 'manifest' },
      insideTo(() => `http://${at(elsewhere)}/private`),
    );
    elsewhere.bend({ path: '/private' }, status(401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="mine"' }));

    assert.equal(await ask(clientAt(at(home))), '401 elsewhere');
    assert.deepEqual(
      elsewhere.log.requests.map(({ authorization }) => authorization),
      ['none'],
    );
  });

  it('keeps its word on the way back', async () => {
    home.bend(
      { kind: 'manifest' },
      insideTo(() => `http://${at(elsewhere)}/back`),
    );
    elsewhere.bend(
      { path: '/back' },
      redirect(() => `http://${at(home)}/here`),
    );

    assert.equal(await ask(clientAt(at(home))), '200 found');
    assert.deepEqual(
      elsewhere.log.requests.map(({ authorization }) => authorization),
      ['none'],
    );
  });

  it('sends ten requests and no more', async () => {
    hops(8);
    const patient = clientAt(at(home));
    assert.equal(await ask(patient), '200 found');
    assert.equal(patient.requests(), 1 + 10);

    home.straighten();
    hops(9);
    const tired = clientAt(at(home));
    assert.equal(await ask(tired), 'registry-error it redirects more than 9 times');
    assert.equal(tired.requests(), 1 + 10);
  });

  it('ends in a circle', async () => {
    home.bend({ kind: 'manifest' }, inside(redirect(({ url }) => url.href)));

    assert.equal(await ask(clientAt(at(home))), 'registry-error it redirects more than 9 times');
  });

  it('takes one without a place to go for an answer', async () => {
    home.bend({ kind: 'manifest' }, reply(307, {}));

    assert.equal(await ask(clientAt(at(home))), '307');
  });

  for (const location of [
    '/here?a=b c',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http://',
    `/${'a'.repeat(20_000)}`,
  ]) {
    it(`goes nowhere on "${location.slice(0, 30)}"`, async () => {
      home.bend({ kind: 'manifest' }, redirect(location));

      assert.equal(await ask(clientAt(at(home))), 'registry-error it redirects without saying where');
    });
  }

  it('names who was not there, refused or was blocked', async () => {
    home.bend({ kind: 'manifest' }, inside(redirect('http://other.test:1/blob')));
    assert.equal(await ask(clientAt(at(home))), 'unreachable refused other.test:1');

    home.straighten();
    home.bend({ kind: 'manifest' }, inside(redirect('http://other.test:99999/')));
    assert.equal(await ask(clientAt(at(home))), 'registry-error it redirects without saying where');

    home.straighten();
    home.bend(
      { kind: 'manifest' },
      insideTo(() => `http://${at(elsewhere, 'evil.test')}/here`),
    );
    const guarded = cleanup.add(createWire({ guard: ({ host }) => host !== 'evil.test' }));
    const client = createClient({ transport: guarded, endpoint: endpointAt(at(home)), login: LOGIN });
    assert.equal(await ask(client), `not-checked blocked-address evil.test:${elsewhere.port}`);
    assert.deepEqual(elsewhere.log.lines(), []);
  });

  it('gives the place that answered as evidence, without its query', async () => {
    home.bend(
      { kind: 'manifest' },
      insideTo(() => `http://${at(elsewhere)}/denied?signature=abc`),
    );
    elsewhere.bend({ path: '/denied' }, status(403, 'DENIED'));
    const got = await clientAt(at(home)).ask(manifest('1'), soon());

    assert.deepEqual(got.ok && got.value.evidence, {
      endpoint: `http://${at(elsewhere)}`,
      method: 'GET',
      path: '/denied',
      status: 403,
      code: 'DENIED',
      askedAs: { by: 'anonymous' },
      declaredBy: undefined,
      sentBy: `http://${at(home)}`,
    });
  });
});
