import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Bend } from '../../webhook/demo/registry.ts';
import { unlimited } from '../../webhook/registry/budget.ts';
import { createSender } from '../../webhook/registry/sender.ts';
import { fetchToken, type TokenRequest } from '../../webhook/registry/token.ts';
import { cut, neverAnswer, only, redirect, reply, status } from '../support/bend.ts';
import { startTokenService, type TokenService, type TokenServiceOptions } from '../support/token-service.ts';
import { createCleanup, createWire, NO_TLS, soon } from './rig.ts';

const cleanup = createCleanup();
after(cleanup.run);
const transport = cleanup.add(createWire());
const send = createSender({
  send: transport.send,
  budget: unlimited,
  countRequest: () => undefined,
  note: () => undefined,
});
const LOGIN = { username: 'ci', password: 'p w+&=%:\u00fc' };
/** Sends each question on to itself, once. */
const onward =
  (code: number): Bend =>
  (question, answer) =>
    question.url.searchParams.has('moved')
      ? answer
      : redirect(({ url }) => `${url.pathname}${url.search === '' ? '?' : `${url.search}&`}moved=1`, code)(
          question,
          answer,
        );
const JSON_TYPE = { 'content-type': 'application/json' };

const service = async (options: TokenServiceOptions = {}): Promise<TokenService> =>
  cleanup.add(await startTokenService({ logins: { [LOGIN.username]: LOGIN.password }, ...options }));

function request(at: TokenService, more: Partial<TokenRequest> = {}): TokenRequest {
  return {
    realm: new URL(at.realm),
    service: 'registry & co',
    scopes: ['repository:team/app:pull'],
    login: undefined,
    style: 'containerd',
    tls: NO_TLS,
    dialTimeoutMs: 5_000,
    ...more,
  };
}

/** `token`, or the failure, without who it was. */
async function outcome(at: TokenService, more: Partial<TokenRequest> = {}, signal = soon()): Promise<unknown> {
  const got = await fetchToken(send, request(at, more), signal);
  if (got.ok) return 'token';
  const { at: _, ...failure } = got.error;
  return failure;
}

describe('how a token is asked for', () => {
  it('without a login: by GET, with service and scope', async () => {
    const tokens = await service();

    assert.equal(await outcome(tokens), 'token');
    const [asked] = tokens.log.requests;
    assert.deepEqual(
      [...new URL(asked?.url ?? '').searchParams],
      [
        ['service', 'registry & co'],
        ['scope', 'repository:team/app:pull'],
      ],
    );
    assert.deepEqual([asked?.method, asked?.authorization], ['GET', 'none']);
  });

  it('as containerd: the login by POST, and nothing of it in the URL', async () => {
    const tokens = await service();

    assert.equal(await outcome(tokens, { login: LOGIN }), 'token');
    const [asked] = tokens.log.requests;
    assert.deepEqual([asked?.method, asked?.authorization, asked?.url], ['POST', 'none', tokens.realm]);
    assert.deepEqual(
      [...new URLSearchParams(asked?.body)],
      [
        ['grant_type', 'password'],
        ['service', 'registry & co'],
        ['client_id', 'containerd-client'],
        ['scope', 'repository:team/app:pull'],
        ['username', LOGIN.username],
        ['password', LOGIN.password],
      ],
    );
  });

  for (const style of ['docker', 'crio'] as const) {
    it(`as ${style}: the login by GET, in the header`, async () => {
      const tokens = await service();

      assert.equal(await outcome(tokens, { login: LOGIN, style }), 'token');
      const [asked] = tokens.log.requests;
      assert.deepEqual([asked?.method, asked?.authorization], ['GET', 'basic']);
      assert.equal(new URL(asked?.url ?? '').searchParams.get('account'), LOGIN.username);
      assert.deepEqual(
        tokens.log.sightings(LOGIN.password).map(({ where }) => where),
        ['authorization'],
      );
    });
  }

  it('beside what the realm asks for itself, and without its fragment', async () => {
    const tokens = await service();

    assert.equal(await outcome(tokens, { realm: new URL(`${tokens.realm}?tenant=a%20b#top`) }), 'token');
    assert.equal(new URL(tokens.log.requests[0]?.url ?? '').searchParams.get('tenant'), 'a b');
    assert.ok(!tokens.log.requests[0]?.url.includes('top'));
  });
});

describe('a token service that knows no POST', () => {
  for (const code of [400, 401, 404, 405]) {
    it(`is asked by GET after ${code}`, async () => {
      const tokens = await service({ bends: [only({ method: 'POST' }, status(code, 'UNSUPPORTED'))] });

      assert.equal(await outcome(tokens, { login: LOGIN }), 'token');
      const asked = tokens.log.requests.filter(({ path }) => path === '/token'); // a first 400 may come from a TLS port
      assert.deepEqual(
        asked.map(({ method, authorization }) => `${method} ${authorization}`),
        ['POST none', 'GET basic'],
      );
    });
  }

  for (const code of [402, 403, 429, 500, 503]) {
    it(`is not what says ${code}: that is final`, async () => {
      const tokens = await service({
        bends: [only({ method: 'POST' }, status(code, 'DENIED', { 'retry-after': '7' }))],
      });

      assert.deepEqual(await outcome(tokens, { login: LOGIN }), {
        kind: 'status',
        method: 'POST',
        status: code,
        code: 'DENIED',
        retryAfterSeconds: 7,
      });
      assert.deepEqual(tokens.log.lines(), ['POST /token']);
    });
  }
});

describe('what a token service answers', () => {
  const unreadable = (reason: string) => ({ kind: 'unreadable', method: 'GET', reason });
  const without = unreadable('the token service did not include a token in its answer');
  const unread = unreadable('the token service answered in JSON that no runtime reads');
  const tooMuch = unreadable('the token service sent more than a token, or broke off');
  const cases: readonly (readonly [string, string | undefined, unknown])[] = [
    ['a token', '{"token":"abc"}', 'token'],
    ['an access token and a broken token', '{"token":"a b","access_token":"abc"}', 'token'],
    ['a token beside what is null', '{"token":"abc","access_token":null,"expires_in":null,"issued_at":null}', 'token'],
    ['a token with a life of less than nothing', '{"token":"abc","expires_in":-5}', 'token'],
    ...[
      '"expires_in":"300"',
      '"expires_in":0.5',
      '"issued_at":"yesterday"',
      '"refresh_token":5',
      '"access_token":7',
    ].map((field) => [`a token beside ${field}`, `{"token":"abc",${field}}`, unread] as const),
    ['a token and more', '{"token":"abc"} and more', 'token'],
    ['a token and half of more', '{"token":"abc"', unreadable('the token service did not answer in JSON')],
    ['no token', '{}', without],
    ['a token with a line break', String.raw`{"token":"a\r\nX-Evil: 1"}`, without],
    ['a page', '<html>', unreadable('the token service did not answer in JSON')],
    ['nothing', '', unreadable('the token service did not answer in JSON')],
    ['ten times as much as a token', `{"token":"${'a'.repeat(640 * 1024)}"}`, tooMuch],
  ];
  for (const [name, body, expected] of cases) {
    it(`may be ${name}`, async () => {
      const tokens = await service({ bends: [reply(200, JSON_TYPE, body)] });

      assert.deepEqual(await outcome(tokens), expected);
    });
  }

  it('must be an access token where it answers a POST', async () => {
    const tokens = await service({ bends: [reply(200, JSON_TYPE, '{"token":"abc"}')] });

    assert.deepEqual(await outcome(tokens, { login: LOGIN }), { ...without, method: 'POST' });
  });

  it('may break off, or not come in time', async () => {
    const broken = await service({ bends: [cut(5)] });
    const silent = await service({ bends: [neverAnswer] });

    assert.deepEqual(await outcome(broken), tooMuch);
    assert.deepEqual(await outcome(silent, {}, soon(100)), {
      kind: 'network',
      method: 'GET',
      failure: { kind: 'timeout', during: 'answer' },
    });
  });

  for (const code of [301, 302, 303, 307, 308]) {
    it(`may be a redirect, along which no login goes to another origin: ${code}`, async () => {
      const elsewhere = await service({ field: 'access_token' });
      const tokens = await service({ bends: [redirect(({ url }) => `${elsewhere.realm}${url.search}`, code)] });
      const keepsPost = code > 303;
      const withheld = { kind: 'redirected', to: new URL(elsewhere.realm) };

      assert.equal(await outcome(tokens), 'token');
      // by 301 to 303 it is a GET without the login, and answered as that
      assert.deepEqual(await outcome(tokens, { login: LOGIN }), keepsPost ? { ...withheld, method: 'POST' } : 'token');
      const basic = await outcome(tokens, { login: LOGIN, style: 'docker' });
      assert.ok(typeof basic === 'object' && basic !== null && 'kind' in basic && basic.kind === 'redirected');
      assert.deepEqual([...new Set(elsewhere.log.requests.map(({ authorization }) => authorization))], ['none']);
    });

    it(`may be a redirect within its origin: ${code}`, async () => {
      const tokens = await service({ isAnonymousAllowed: false, bends: [onward(code)] });

      assert.equal(await outcome(tokens, { login: LOGIN }), 'token');
      assert.equal(await outcome(tokens, { login: LOGIN, style: 'crio' }), 'token');
    });
  }

  it('may be a redirect to another name, to which Go takes no Basic login along', async () => {
    const elsewhere = await service();
    const { port } = new URL(elsewhere.realm);
    const tokens = await service({ bends: [redirect(`http://other.test:${port}/token`)] });

    assert.equal(await outcome(tokens, { login: LOGIN, style: 'docker' }), 'token');
    assert.deepEqual(
      elsewhere.log.requests.map(({ authorization }) => authorization),
      ['none'],
    );
  });

  it('may be a redirect to nowhere, or in a circle', async () => {
    const lost = await service({ bends: [redirect('ftp://other.test/')] });
    const circle = await service({ bends: [redirect('/token')] });

    for (const tokens of [lost, circle]) {
      const got = await outcome(tokens);
      assert.ok(typeof got === 'object' && got !== null && 'kind' in got && got.kind === 'unreadable');
    }
  });
});
