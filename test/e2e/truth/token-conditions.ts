import { basicAuth, type Bend } from '../../../webhook/demo/registry.ts';
import { only, redirect, reply, status, withHeaders } from '../../support/bend.ts';
import { createAuthority } from '../../support/pki.ts';
import { startTokenService, type TokenService, type TokenServiceOptions } from '../../support/token-service.ts';
import type { TruthSecret } from './condition.ts';
import { config, hostOf, login, overHttp, PASSWORD, RIGHT, STORE_HOST, USER, WRONG, type Stage } from './stage.ts';

/** pull-parity D3 to D6: token services and what containerd makes of their answers. */
export async function addTokenConditions({ registry, add, keep }: Stage): Promise<void> {
  const at = async (
    id: string,
    rule: string,
    options: TokenServiceOptions,
    secret?: (host: string) => TruthSecret,
    bendsFor: (service: TokenService) => readonly Bend[] = ({ bearerAuth }) => [bearerAuth],
    openBecause?: string,
  ): Promise<void> => {
    const service = keep(await startTokenService({ logins: { [USER]: PASSWORD }, ...options }));
    const host = hostOf(await registry({ bends: bendsFor(service) }));
    const secrets = secret === undefined ? {} : { secrets: [secret(host)] };
    add({ id, rule, image: `${host}/app:1`, node: overHttp(host), openBecause, ...secrets });
  };
  const right = (host: string): TruthSecret => config({ [host]: RIGHT });
  const wrong = (host: string): TruthSecret => config({ [host]: WRONG });
  const post = (bend: Bend): TokenServiceOptions => ({
    isAnonymousAllowed: false,
    bends: [only({ method: 'POST' }, bend)],
  });
  const get = (bend: Bend): TokenServiceOptions => ({ bends: [only({ method: 'GET' }, bend)] });
  await at('bearer-anonymous', 'J31', {});
  await at('bearer-hub-private', 'J32', { mayPull: (user) => user === USER });
  await at('bearer-ghcr-private', 'J35', { mayPull: (user) => user === USER, onRefusal: 'denied' });
  await at('bearer-anonymous-refused', 'J34', { isAnonymousAllowed: false });
  await at('bearer-right', 'J31', { isAnonymousAllowed: false }, right);
  await at('bearer-wrong-but-public', 'J16', {}, wrong);
  await at('bearer-no-rights', 'J32', { mayPull: () => false }, right);
  await at('bearer-post-404', 'J37', post(status(404, 'UNSUPPORTED')), right);
  await at('bearer-post-405', 'J37', post(status(405, 'UNSUPPORTED')), right);
  await at('bearer-post-403', 'J38', post(status(403, 'DENIED')), right);
  await at('bearer-post-500', 'J38', post(status(500, 'UNKNOWN')), right);
  await at('bearer-empty-token', 'J39', get(reply(200, { 'content-type': 'application/json' }, '{}')));
  await at('bearer-html-token', 'J40', get(reply(200, { 'content-type': 'text/html' }, '<html>')));
  await at('bearer-token-429', 'J41', get(status(429, 'TOOMANYREQUESTS')));
  await at('bearer-token-500', 'J41', get(status(500, 'UNKNOWN')));
  await at('bearer-access-token', 'D5', { field: 'access_token' });
  await at('bearer-identity-token', 'J14', { isAnonymousAllowed: false }, (host) =>
    config({ [host]: { auth: Buffer.from('00000000:').toString('base64'), identitytoken: 'x' } }),
  );
  await at('bearer-empty-password', 'C5', {}, (host) => config({ [host]: login(USER, '') }));

  // what a token service may answer
  const shut = { isAnonymousAllowed: false };
  const says = (change: (token: string) => string): TokenServiceOptions => get(rewritten(change));
  await at('bearer-post-400', 'D4', post(status(400, 'UNSUPPORTED')), right);
  await at('bearer-post-401', 'D4', post(status(401, 'UNAUTHORIZED')), right);
  await at(
    'bearer-post-405-get-403',
    'D4',
    { ...shut, bends: [status(405, 'X'), only({ method: 'GET' }, status(403, 'DENIED'))] },
    right,
  );
  await at('bearer-post-empty', 'J39', post(reply(200, {}, '{}')), right);
  await at('bearer-post-called-token', 'D5', post(rewritten((token) => `{"token":"${token}"}`)), right);
  await at(
    'bearer-post-both-names',
    'D5',
    post(rewritten((token) => `{"token":"x","access_token":"${token}"}`)),
    right,
  );
  await at(
    'bearer-both-names',
    'D5',
    says((token) => `{"token":"x","access_token":"${token}"}`),
  );
  await at(
    'bearer-both-names-otherwise',
    'D5',
    says((token) => `{"access_token":"x","token":"${token}"}`),
  );
  await at(
    'bearer-upper-case-name',
    'D5',
    says((token) => `{"TOKEN":"${token}"}`),
  );
  await at(
    'bearer-token-number',
    'D5',
    says(() => '{"token":7}'),
  );
  await at(
    'bearer-token-null',
    'D5',
    says((token) => `{"token":null,"access_token":"${token}"}`),
  );
  await at(
    'bearer-token-list',
    'D5',
    says((token) => `[{"token":"${token}"}]`),
  );
  await at(
    'bearer-token-goes-on',
    'D5',
    says((token) => `{"token":"${token}"} and more`),
  );
  await at(
    'bearer-byte-order-mark',
    'D5',
    says((token) => `\u{FEFF}{"token":"${token}"}`),
  );
  await at(
    'bearer-expires-text',
    'D5',
    says((token) => `{"token":"${token}","expires_in":"300"}`),
  );
  await at(
    'bearer-expires-decimal',
    'D5',
    says((token) => `{"token":"${token}","expires_in":300.5}`),
  );
  await at(
    'bearer-expires-zero',
    'D5',
    says((token) => `{"token":"${token}","expires_in":0}`),
  );
  await at(
    'bearer-expires-negative',
    'D5',
    says((token) => `{"token":"${token}","expires_in":-1}`),
  );
  await at(
    'bearer-issued-odd',
    'D5',
    says((token) => `{"token":"${token}","issued_at":"yesterday"}`),
  );
  await at(
    'bearer-issued-empty',
    'D5',
    says((token) => `{"token":"${token}","issued_at":""}`),
  );
  await at(
    'bearer-issued-long-ago',
    'D5',
    says((token) => `{"token":"${token}","issued_at":"2001-01-01T00:00:00Z"}`),
  );
  await at(
    'bearer-refresh-number',
    'D5',
    says((token) => `{"token":"${token}","refresh_token":7}`),
  );
  await at('bearer-called-text', 'D5', get(withHeaders({ 'content-type': 'text/plain' })));
  await at(
    'bearer-status-201',
    'D5',
    get((_q, a) => ({ ...a, status: 201 })),
  );
  await at(
    'bearer-status-302',
    'D5',
    get((q, a) => moved(q, a)),
  );
  await at('bearer-status-404', 'D5', get(status(404, 'UNKNOWN')));
  await at('bearer-status-503', 'D5', get(status(503, 'UNAVAILABLE')));
  await at('bearer-empty', 'D5', get(reply(200, {})));
  await at('bearer-no-expiry', 'D5', { expiresIn: undefined });
  await at('bearer-only-get', 'J37', { ...shut, methods: ['GET'] }, right);
  await at('bearer-only-post', 'D4', { ...shut, methods: ['POST'] }, right);

  // what a registry may ask for
  const challenged =
    (header: (realm: string) => string | readonly string[]) =>
    ({ bearerAuth, realm }: TokenService): readonly Bend[] => [
      bearerAuth,
      (_q, a) => (a.status === 401 ? { ...a, headers: { ...a.headers, 'www-authenticate': header(realm) } } : a),
    ];
  const challenge = (
    id: string,
    rule: string,
    header: Parameters<typeof challenged>[0],
    secret?: typeof right,
  ): Promise<void> => at(id, rule, secret === undefined ? {} : shut, secret, challenged(header));
  await challenge('challenge-lower-case', 'D3', (realm) => `bearer REALM="${realm}",service="s"`);
  await challenge('challenge-no-service', 'D3', (realm) => `Bearer realm="${realm}"`);
  await challenge('challenge-spaces', 'D3', (realm) => `Bearer   realm = "${realm}" ,  service = "s"`);
  await challenge(
    'challenge-other-scope',
    'D4',
    (realm) => `Bearer realm="${realm}",scope="repository:other/name:pull,push"`,
  );
  await challenge('challenge-odd-scope', 'D4', (realm) => `Bearer realm="${realm}",scope="registry:catalog:* junk"`);
  await challenge('challenge-query-in-realm', 'D4', (realm) => `Bearer realm="${realm}?one=1&two=2",service="s"`);
  await challenge('challenge-escaped', 'D3', (realm) => `Bearer realm="${realm}",service="a \\"quoted\\" one"`);
  await challenge(
    'challenge-basic-and-bearer',
    'J44',
    (realm) => ['Basic realm="b"', `Bearer realm="${realm}"`],
    right,
  );
  await challenge('challenge-both-in-one-line', 'J44', (realm) => `Bearer realm="${realm}", Basic realm="b"`, right);
  await challenge(
    'challenge-basic-first-in-one-line',
    'J44',
    (realm) => `Basic realm="b", Bearer realm="${realm}"`,
    right,
  );
  await challenge('challenge-error-at-once', 'D3', (realm) => `Bearer realm="${realm}",error="invalid_token"`);

  // manifests and blobs may want different things
  const kinds = (manifest: Bend | undefined, blob: Bend | undefined): readonly Bend[] => [
    ...(manifest === undefined ? [] : [only({ kind: 'manifest' }, manifest)]),
    ...(blob === undefined ? [] : [only({ kind: 'blob' }, blob)]),
  ];
  const basic = basicAuth({ [USER]: PASSWORD });
  await at('bearer-on-blobs-only', 'D3', {}, undefined, ({ bearerAuth }) => kinds(undefined, bearerAuth));
  await at('bearer-then-basic', 'D3', shut, right, ({ bearerAuth }) => kinds(bearerAuth, basic));
  await at('basic-then-bearer', 'D3', shut, right, ({ bearerAuth }) => kinds(basic, bearerAuth));
  await at('basic-on-blobs-right', 'J82', shut, right, () => kinds(undefined, basic));
  await at('bearer-used-up-silently', 'J43', {}, undefined, ({ bearerAuth, realm }) => [
    bearerAuth,
    usedUp(`Bearer realm="${realm}"`),
  ]);
  await at('bearer-used-up', 'J43', {}, undefined, ({ bearerAuth, realm }) => [
    bearerAuth,
    usedUp(`Bearer realm="${realm}",error="invalid_token"`),
  ]);

  // where the token service may be
  const authority = createAuthority('Truth Token Root');
  const pair = authority.issue({ names: [STORE_HOST] });
  const tls = { cert: pair.chain, key: pair.key };
  const secure = async (id: string, settings: (host: string) => Readonly<Record<string, string>>): Promise<void> => {
    const service = keep(await startTokenService({ tls }));
    const realm = `https://${hostOf(service, STORE_HOST)}/token`;
    const host = hostOf(await registry({ bends: challenged(() => `Bearer realm="${realm}",service="s"`)(service) }));
    add({ id, rule: 'D5', image: `${host}/app:1`, node: settings(host) });
  };
  await secure('token-unknown-authority', overHttp);
  await secure('token-authority-declared', (host) => ({
    [`${host}/root.pem`]: authority.certificate,
    [`${host}/hosts.toml`]: `server = "http://${host}"\nca = "root.pem"\n`,
  }));
  await secure('token-unverified', (host) => ({
    [`${host}/hosts.toml`]: `server = "http://${host}"\nskip_verify = true\n`,
  }));
}

/** Another text with the token in it. */
const rewritten =
  (change: (token: string) => string): Bend =>
  (_question, answer) => {
    const { token, access_token: accessToken } = JSON.parse(new TextDecoder().decode(answer.body)) as Tokens;
    return { ...answer, body: Buffer.from(change(token ?? accessToken ?? '')) };
  };
type Tokens = { readonly token?: string; readonly access_token?: string };

const moved: Bend = (question, answer) =>
  question.url.searchParams.has('moved')
    ? answer
    : redirect(({ url }) => `${url.pathname}${url.search}&moved=1`, 302)(question, answer);

/** A token that was good for a manifest is not for a blob. */
function usedUp(header: string): Bend {
  const used = new Set<string | undefined>();
  return (question, answer) => {
    const { authorization } = question.headers;
    if (question.route.kind === 'manifest') used.add(authorization);
    return answer.status !== 401 && question.route.kind === 'blob' && used.has(authorization)
      ? status(401, 'UNAUTHORIZED', { 'www-authenticate': header })(question, answer)
      : answer;
  };
}
