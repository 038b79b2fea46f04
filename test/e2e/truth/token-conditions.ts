import type { Bend } from '../../../webhook/demo/registry.ts';
import { only, reply, status } from '../../support/bend.ts';
import { startTokenService, type TokenServiceOptions } from '../../support/token-service.ts';
import type { TruthSecret } from './condition.ts';
import { config, hostOf, login, overHttp, PASSWORD, RIGHT, USER, WRONG, type Stage } from './stage.ts';

/** pull-parity D3 to D6: token services and what containerd makes of their answers. */
export async function addTokenConditions({ registry, add, keep }: Stage): Promise<void> {
  const at = async (
    id: string,
    rule: string,
    options: TokenServiceOptions,
    secret?: (host: string) => TruthSecret,
  ): Promise<void> => {
    const service = keep(await startTokenService({ logins: { [USER]: PASSWORD }, ...options }));
    const host = hostOf(await registry({ auth: service.bearerAuth }));
    const secrets = secret === undefined ? {} : { secrets: [secret(host)] };
    add({ id, rule, image: `${host}/app:1`, node: overHttp(host), ...secrets });
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
}
