import { createImageStore } from '../../../webhook/demo/image-store.ts';
import type { Question } from '../../../webhook/demo/question.ts';
import { basicAuth, type Bend } from '../../../webhook/demo/registry.ts';
import { only, redirect, reply, status } from '../../support/bend.ts';
import { createSelfSigned } from '../../support/pki.ts';
import type { ScriptedRegistryOptions } from '../../support/scripted-registry.ts';
import { startTokenService } from '../../support/token-service.ts';
import type { Condition } from './condition.ts';
import { config, HOST, hostOf, overHttp, PASSWORD, RIGHT, STORE_HOST, USER, type Stage } from './stage.ts';

type Way = {
  /** What the registry sends elsewhere. */
  readonly of: (question: Question) => boolean;
  readonly to?: ScriptedRegistryOptions;
  readonly scheme?: 'http' | 'https';
  readonly code?: number;
  readonly name?: string;
  readonly auth?: Bend;
  readonly server?: string;
};

const BLOBS = ({ route }: Question): boolean => route.kind === 'blob';
const ALL = (): boolean => true;
const TAG = ({ url }: Question): boolean => url.pathname.endsWith('/manifests/1');
const LOGIN = basicAuth({ [USER]: PASSWORD });
const NOT_LOGGED_IN = 'we log in nowhere but at the endpoints that the settings name';

/** pull-parity D15: what lies elsewhere, and who may have it there. */
export async function addRedirectConditions({ registry, add, keep }: Stage): Promise<void> {
  const row = async (id: string, way: Way, more: Partial<Condition> = {}): Promise<void> => {
    const { of, to = {}, scheme = 'http', code = 307, name = STORE_HOST, auth, server } = way;
    const store = createImageStore();
    store.repository('app').addImage({ layers: [{ 'app/name': `for ${id}\n` }], tags: ['1'] });
    const target = hostOf(await registry({ store, ...to }), name);
    const away = redirect(({ url }) => `${scheme}://${target}${url.pathname}?signature=s`, code);
    // who is not let in is not sent anywhere
    const bend: Bend = (question, answer) => (of(question) && answer.status !== 401 ? away(question, answer) : answer);
    const host = hostOf(await registry({ store, ...(auth === undefined ? {} : { auth }), bends: [bend] }));
    const node = server === undefined ? overHttp(host) : { [`${host}/hosts.toml`]: server.replaceAll('HOST', host) };
    const secrets = more.secrets?.map((secret) => ({ ...secret, text: secret.text.replaceAll('UPSTREAM', host) }));
    add({ id, rule: 'D15', image: `${host}/app:1`, node, ...more, ...(secrets && { secrets }) });
  };
  const right: Partial<Condition> = { secrets: [config({ UPSTREAM: RIGHT })] };

  await row('redirect-blobs', { of: BLOBS });
  for (const code of [301, 302, 303, 308]) await row(`redirect-all-${code}`, { of: ALL, code });
  await row('redirect-tag-elsewhere', { of: TAG });
  await row('redirect-blobs-head-403', { of: BLOBS, to: { bends: [heads(403)] } });
  await row('redirect-blobs-head-404', { of: BLOBS, to: { bends: [heads(404)] } });
  await row('redirect-blobs-403', { of: BLOBS, to: { bends: [reply(403, XML, '<Error/>')] } });
  await row('redirect-blobs-404', { of: BLOBS, to: { bends: [reply(404, XML, '<Error/>')] } });
  await row('redirect-blobs-503', { of: BLOBS, to: { bends: [status(503, 'UNAVAILABLE')] } });
  await row('redirect-blobs-from-login', { of: BLOBS, auth: LOGIN }, right);
  await row('redirect-blobs-refuse-login', { of: BLOBS, auth: LOGIN, to: { bends: [refuseLogin] } }, right);
  await row(
    'redirect-blobs-want-login',
    { of: BLOBS, auth: LOGIN, to: { auth: LOGIN } },
    { ...right, openBecause: NOT_LOGGED_IN },
  );
  await row('redirect-all-want-login', { of: ALL, to: { auth: LOGIN } }, { ...right, openBecause: NOT_LOGGED_IN });
  const open = keep(await startTokenService());
  const shut = keep(await startTokenService({ isAnonymousAllowed: false }));
  await row('redirect-all-want-token', { of: ALL, to: { auth: open.bearerAuth } }, { openBecause: NOT_LOGGED_IN });
  await row('redirect-blobs-want-token', { of: BLOBS, to: { auth: open.bearerAuth } }, { openBecause: NOT_LOGGED_IN });
  await row('redirect-all-refused-token', { of: ALL, to: { auth: shut.bearerAuth } });
  await row('redirect-blobs-other-port', { of: BLOBS, name: HOST, auth: LOGIN }, right);
  await row(
    'redirect-blobs-other-port-login',
    { of: BLOBS, name: HOST, auth: LOGIN, to: { auth: LOGIN } },
    { ...right, openBecause: NOT_LOGGED_IN },
  );
  const pair = createSelfSigned({ names: [STORE_HOST] });
  const secret: ScriptedRegistryOptions = { tls: { cert: pair.chain, key: pair.key } };
  await row('redirect-blobs-unknown-authority', { of: BLOBS, to: secret, scheme: 'https' });
  await row('redirect-blobs-unverified', {
    of: BLOBS,
    to: secret,
    scheme: 'https',
    server: 'server = "http://HOST"\nskip_verify = true\n',
  });
  await row('redirect-blobs-http-called-https', { of: BLOBS, scheme: 'https' });
  await row('redirect-blobs-https-called-http', { of: BLOBS, to: secret });

  for (const hops of [9, 10, 11]) {
    const store = createImageStore();
    store.repository('app').addImage({ layers: [{ 'app/name': `after ${hops} hops\n` }], tags: ['1'] });
    const host = hostOf(await registry({ store, bends: [hopping(hops)] }));
    add({ id: `redirect-${hops}-hops`, rule: 'D15', image: `${host}/app:1`, node: overHttp(host) });
  }
}

const XML = { 'content-type': 'application/xml' };
const heads = (code: number): Bend => only({ method: 'HEAD' }, reply(code, XML));

/** As object stores refuse who brings a signature and an Authorization. */
const refuseLogin: Bend = (question, answer) =>
  question.headers.authorization === undefined ? answer : reply(400, XML, '<Error/>')(question, answer);

/** Sends each blob on to itself so many times before it is there. */
function hopping(hops: number): Bend {
  return only({ kind: 'blob' }, (question, answer) => {
    const hop = Number(question.url.searchParams.get('hop') ?? '0');
    return hop >= hops ? answer : redirect(`${question.url.pathname}?hop=${hop + 1}`)(question, answer);
  });
}
