import type { Answer } from '../../../webhook/demo/answer.ts';
import { basicAuth, type Bend } from '../../../webhook/demo/registry.ts';
import { cut, delay, only, raw, redirect, reply, status } from '../../support/bend.ts';
import { gzipSync } from 'node:zlib';
import { startTokenService, type TokenService, type TokenServiceOptions } from '../../support/token-service.ts';
import type { TruthSecret } from './condition.ts';
import { firstOfBurst } from './bursts.ts';
import { config, hostOf, login, overHttp, PASSWORD, RIGHT, STORE_HOST, USER, WRONG, type Stage } from './stage.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const tokens =
  (change: (token: string) => string): Bend =>
  (_question, answer) => {
    const { token, access_token: access } = JSON.parse(new TextDecoder().decode(answer.body)) as Record<string, string>;
    return { ...answer, body: Buffer.from(change(token ?? access ?? '')) };
  };

/** pull-parity D3 to D6, as rows: more of what token services and challenges say, and what registries say after a login. */
export async function addServiceConditions({ registry, add, keep, deadPort }: Stage): Promise<void> {
  type More = {
    readonly secret?: (host: string) => TruthSecret;
    readonly bends?: (service: TokenService) => readonly Bend[];
    readonly openBecause?: string;
  };
  const at = async (id: string, options: TokenServiceOptions, more: More = {}): Promise<void> => {
    const service = keep(await startTokenService({ logins: { [USER]: PASSWORD }, ...options }));
    const { bends = ({ bearerAuth }: TokenService) => [bearerAuth] } = more;
    const host = hostOf(await registry({ bends: bends(service) }));
    const secrets = more.secret === undefined ? {} : { secrets: [more.secret(host)] };
    add({
      id: `service-${id}`,
      rule: 'D5',
      image: `${host}/app:1`,
      node: overHttp(host),
      openBecause: more.openBecause,
      ...secrets,
    });
  };
  const right = (host: string): TruthSecret => config({ [host]: RIGHT });
  const shut = { isAnonymousAllowed: false };
  const says = (change: (token: string) => string): TokenServiceOptions => ({ bends: [tokens(change)] });
  const gets = (bend: Bend): TokenServiceOptions => ({ bends: [only({ method: 'GET' }, bend)] });

  for (const code of [204, 400, 405, 502]) {
    const answer: Bend =
      code === 204 ? reply(204, {}) : code === 206 ? (_q, a) => ({ ...a, status: 206 }) : status(code, 'X');
    await at(`status-${code}`, gets(answer));
  }
  await at('status-401-page', gets(reply(401, { 'content-type': 'text/html' }, '<html>')));
  await at('status-503-once', gets(firstOfBurst({}, status(503, 'UNAVAILABLE'))));
  await at(
    'post-429',
    { ...shut, bends: [only({ method: 'POST' }, status(429, 'TOOMANYREQUESTS'))] },
    { secret: right },
  );
  await at('post-302', { ...shut, bends: [only({ method: 'POST' }, redirect('/elsewhere', 302))] }, { secret: right });
  await at('post-breaks-off', { ...shut, bends: [only({ method: 'POST' }, cut('start'))] }, { secret: right });
  await at(
    'post-page',
    { ...shut, bends: [only({ method: 'POST' }, reply(200, { 'content-type': 'text/html' }, '<html>'))] },
    { secret: right },
  );
  await at(
    'post-refused-get-allowed',
    { ...shut, bends: [only({ method: 'POST' }, status(401, 'UNAUTHORIZED'))] },
    { secret: right },
  );
  await at('only-post-anonymous', { methods: ['POST'] });
  await at('breaks-off', gets(cut('start')));
  await at('breaks-off-within', gets(cut(10)));
  await at('no-http', gets(raw('nothing\r\n\r\n')));
  await at('slow-5-s', gets(delay(5_000)));
  await at(
    'gzip-asked',
    gets((q, a) => (/gzip/u.test(q.headers['accept-encoding'] ?? '') ? packed(a) : a)),
  );
  await at(
    'gzip-always',
    gets((_q, a) => packed(a)),
  );
  await at(
    'token-empty',
    says(() => '{"token":""}'),
  );
  await at(
    'token-plain-text',
    says((token) => token),
  );
  await at(
    'token-page-first',
    says((token) => `)]}'\n{"token":"${token}"}`),
  );
  await at(
    'token-8-kib',
    { bends: [tokens(() => `{"token":"${'x'.repeat(8_000)}"}`)] },
    { bends: ({ realm }) => [wantsLong(realm)] },
  );
  await at(
    'answer-100-kib',
    says((token) => `{"token":"${token}","padding":"${'x'.repeat(100_000)}"}`),
    { openBecause: 'an answer of more than 64 KiB is not read' },
  );
  await at('expires-1', { expiresIn: 1 });
  await at(
    'issued-space',
    says((token) => `{"token":"${token}","issued_at":"2024-01-01 00:00:00Z"}`),
  );

  // challenges
  const challenge = async (
    id: string,
    header: (realm: string) => string | readonly string[],
    more: More = {},
  ): Promise<void> =>
    await at(`challenge-${id}`, more.secret === undefined ? {} : shut, {
      ...more,
      bends: ({ bearerAuth, realm }) => [
        bearerAuth,
        (_q, a) => (a.status === 401 ? { ...a, headers: { ...a.headers, 'www-authenticate': header(realm) } } : a),
      ],
    });
  const dead = `http://127.0.0.1:${deadPort()}/token`;
  await challenge('two-first-dead', (realm) => [`Bearer realm="${dead}"`, `Bearer realm="${realm}"`]);
  await challenge('two-second-dead', (realm) => [`Bearer realm="${realm}"`, `Bearer realm="${dead}"`]);
  await challenge('negotiate-first', (realm) => ['Negotiate', `Bearer realm="${realm}"`]);
  await challenge('negotiate-in-one-line', (realm) => `Negotiate, Bearer realm="${realm}"`);
  await challenge('unknown-first', (realm) => [`AWS4-HMAC-SHA256 a="b"`, `Bearer realm="${realm}"`]);
  await challenge('basic-and-bearer-anonymous', (realm) => ['Basic realm="b"', `Bearer realm="${realm}"`]);
  await challenge('bearer-alone', () => 'Bearer');
  await challenge('bearer-quotes-unended', (realm) => `Bearer realm="${realm}`);
  await challenge('bearer-quotes-single', (realm) => `Bearer realm='${realm}'`);
  await challenge('bearer-semicolons', (realm) => `Bearer service="s"; realm="${realm}"`);
  await challenge('bearer-no-commas', (realm) => `Bearer realm="${realm}" service="s"`);
  await challenge('bearer-realm-twice', (realm) => `Bearer realm="${dead}",realm="${realm}"`);
  await challenge(
    'bearer-scope-comma',
    (realm) => `Bearer realm="${realm}",scope="repository:app:pull,push repository:other:pull"`,
  );
  await challenge('realm-fragment', (realm) => `Bearer realm="${realm}#x"`);
  await challenge('realm-spaces', (realm) => `Bearer realm=" ${realm} "`);
  await challenge('realm-upper-case', (realm) => `Bearer realm="${realm.replace('http', 'HTTP')}"`);
  await challenge('realm-scheme-relative', (realm) => `Bearer realm="${realm.slice('http:'.length)}"`);
  await challenge('realm-without-scheme', (realm) => `Bearer realm="${realm.slice('http://'.length)}"`);
  await challenge('realm-https', (realm) => `Bearer realm="${realm.replace('http:', 'https:')}"`);
  await challenge('realm-no-such-host', () => 'Bearer realm="http://auth.truth.invalid/token"');
  await challenge('realm-with-user', (realm) => `Bearer realm="${realm.replace('://', '://me:secret@')}"`);
  await challenge('realm-other-name', (realm) => `Bearer realm="${realm.replace('127.0.0.1', STORE_HOST)}"`, {
    secret: right,
  });
  await challenge('realm-odd-port', () => 'Bearer realm="http://127.0.0.1:99999/token"');
  await challenge('basic-alone', () => 'Basic', { secret: right });

  // after the login
  const after =
    (bend: Bend) =>
    ({ bearerAuth }: TokenService): readonly Bend[] => [bearerAuth, (q, a) => (a.status === 401 ? a : bend(q, a))];
  for (const [code, error] of [
    [400, 'X'],
    [403, 'DENIED'],
    [404, 'MANIFEST_UNKNOWN'],
    [429, 'TOOMANYREQUESTS'],
    [500, 'UNKNOWN'],
    [502, 'UNKNOWN'],
  ] as const) {
    await at(`then-${code}`, {}, { bends: after(status(code, error)) });
    await at(`login-then-${code}`, shut, { secret: right, bends: after(status(code, error)) });
  }
  await at('then-401-plain', {}, { bends: after(status(401, 'UNAUTHORIZED')) });
  await at(
    'then-401-basic',
    {},
    { bends: after(status(401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="b"' })) },
  );
  await at('login-then-401-basic', shut, {
    secret: right,
    bends: ({ bearerAuth }) => [
      bearerAuth,
      only({}, (q, a) =>
        q.headers.authorization?.startsWith('Bearer') === true
          ? status(401, 'U', { 'www-authenticate': 'Basic realm="b"' })(q, a)
          : a,
      ),
      acceptBasic,
    ],
  });
  await at('login-then-503-once', shut, {
    secret: right,
    bends: after(firstOfBurst({ kind: 'manifest' }, status(503, 'X'))),
  });
  await at('get-wants-more', {}, { bends: ({ bearerAuth, realm }) => [bearerAuth, wantsScopeForGet(realm)] });
  await at('blobs-anonymous-refused', shut, { bends: ({ bearerAuth }) => [only({ kind: 'blob' }, bearerAuth)] });
  await at('blobs-of-other-realm', {}, { bends: ({ bearerAuth }) => [only({ kind: 'blob' }, bearerAuth)] });
  await at('two-logins-second-right', shut, { secret: (host) => config({ [`${host}/app`]: WRONG, [host]: RIGHT }) });
  await at(
    'two-logins-no-rights',
    { ...shut, mayPull: () => false },
    { secret: (host) => config({ [`${host}/app`]: login('other', 'x'), [host]: RIGHT }) },
  );
  const basic = basicAuth({ [USER]: PASSWORD });
  const then = async (code: number, error: string): Promise<void> => {
    const host = hostOf(
      await registry({ bends: [basic, (q, a) => (a.status === 401 ? a : status(code, error)(q, a))] }),
    );
    add({
      id: `basic-then-${code}`,
      rule: 'J29',
      image: `${host}/app:1`,
      node: overHttp(host),
      secrets: [right(host)],
    });
  };
  await then(403, 'DENIED');
  await then(404, 'NAME_UNKNOWN');
  await then(429, 'TOOMANYREQUESTS');
  await then(500, 'UNKNOWN');
}

const wantsLong =
  (realm: string): Bend =>
  (question, answer) =>
    (question.headers.authorization ?? '').length > 8_000
      ? answer
      : status(401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="${realm}"` })(question, answer);

const acceptBasic: Bend = (_question, answer) => answer;

/** The token of HEAD is not enough for GET. */
function wantsScopeForGet(realm: string): Bend {
  const used = new Set<string | undefined>();
  return (question, answer) => {
    const { authorization } = question.headers;
    if (question.method === 'HEAD') used.add(authorization);
    return answer.status !== 401 && question.method === 'GET' && used.has(authorization)
      ? status(401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="${realm}",error="insufficient_scope"` })(
          question,
          answer,
        )
      : answer;
  };
}

function packed(answer: Answer): Answer {
  return { ...answer, body: gzipSync(answer.body), headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } };
}
