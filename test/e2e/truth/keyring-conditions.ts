import { basicAuth } from '../../../webhook/demo/registry.ts';
import type { TruthSecret } from './condition.ts';
import { config, HOST, hostOf, login, overHttp, PASSWORD, RIGHT, USER, WRONG, type Stage } from './stage.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const text = (value: string): TruthSecret => ({ text: value });
const legacy = (value: object): TruthSecret => ({ type: 'kubernetes.io/dockercfg', text: JSON.stringify(value) });

/** pull-parity C3 to C9, as rows: what people write into pull secrets, where only the right login gets the image. */
export async function addKeyringConditions({ registry, add }: Stage): Promise<void> {
  const colons = 'pa:ss:word';
  const accents = 'p\u{E4}ssw\u{F6}rd';
  const server = await registry({ auth: basicAuth({ [USER]: PASSWORD, colons, accents }) });
  server.store.repository('team/app').addImage({ tags: ['1'] });
  const host = hostOf(server);
  const { port } = server;
  const image = `${host}/team/app:1`;
  const row = (id: string, rule: string, ...secrets: readonly TruthSecret[]): void =>
    add({ id: `login-${id}`, rule, image, node: overHttp(host), secrets });

  // keys
  const keys: Readonly<Record<string, string>> = {
    'slash-at-end': `${host}/`,
    'https-and-slash': `https://${host}/`,
    'version-1': `https://${host}/v1/`,
    'version-2-and-path': `${host}/v2/team`,
    'whole-name': `${host}/team/app`,
    'with-tag': `${host}/team/app:1`,
    'path-goes-on': `${host}/team/app/more`,
    'path-glob': `${host}/*`,
    'with-user': `me@${host}`,
    'with-user-and-password': `https://me:secret@${host}`,
    'with-fragment': `${host}#a`,
    'only-glob': '*',
    'glob-too-few-labels': `*.test:${port}`.replace('.test', ''),
    'glob-middle': `reg.*.test:${port}`,
    'glob-class': `[q-s]eg.truth.test:${port}`,
    'glob-class-negated': `[^r]eg.truth.test:${port}`,
    'glob-question-mark': `re?.truth.test:${port}`,
    'glob-unended': `[reg.truth.test:${port}`,
    'port-443': `${HOST}:443`,
    'port-other': `${HOST}:1`,
    'scheme-upper-case': `HTTPS://${host}`,
    'scheme-twice': `https://http://${host}`,
    'space-before': ` ${host}`,
    empty: '',
    percent: `${host}/t%65am`,
  };
  for (const [id, key] of Object.entries(keys)) row(`key-${id}`, 'C6', config({ [key]: RIGHT }));

  // entries
  const entries: Readonly<Record<string, unknown>> = {
    null: null,
    text: 'puller:right-password',
    'password-only': { password: PASSWORD },
    'user-only': { username: USER },
    'user-empty': { username: '', password: PASSWORD },
    'auth-without-user': { auth: base64(`:${PASSWORD}`) },
    'auth-without-password': { auth: base64(`${USER}:`) },
    'auth-colon-only': { auth: base64(':') },
    'auth-empty': { ...RIGHT, auth: '' },
    'auth-space-after': { auth: `${RIGHT.auth} ` },
    'auth-line-within': { auth: `${RIGHT.auth.slice(0, 8)}\n${RIGHT.auth.slice(8)}` },
    'auth-url-safe': { auth: Buffer.from(`${USER}:???>>>`).toString('base64url') },
    'auth-wrong-beside-right': { ...RIGHT, auth: WRONG.auth },
    'field-upper-case': { Username: USER, PASSWORD },
    'email-number': { ...RIGHT, email: 7 },
    'password-number': { username: USER, password: 1 },
    'token-beside': { ...RIGHT, identitytoken: 'x', registrytoken: 'y' },
    'password-with-colons': login('colons', colons),
    'password-with-accents': login('accents', accents),
    'password-with-line-end': login(USER, `${PASSWORD}\n`),
  };
  for (const [id, entry] of Object.entries(entries)) row(id, 'C5', config({ [host]: entry }));

  // documents
  row('config-empty', 'C4', text('{}'));
  row('config-auths-list', 'C4', text('{"auths":[]}'));
  row('config-auths-upper-case', 'C5', text(JSON.stringify({ AUTHS: { [host]: RIGHT } })));
  row(
    'config-auths-twice',
    'C5',
    text(`{"auths":{"${host}":${JSON.stringify(WRONG)}},"Auths":{"${host}":${JSON.stringify(RIGHT)}}}`),
  );
  row(
    'config-key-twice',
    'C5',
    text(`{"auths":{"${host}":${JSON.stringify(WRONG)},"${host}":${JSON.stringify(RIGHT)}}}`),
  );
  row('config-field-twice', 'C5', text(`{"auths":{"${host}":{"auth":"${WRONG.auth}","auth":"${RIGHT.auth}"}}}`));
  row('config-not-wrapped', 'C3', text(JSON.stringify({ [host]: RIGHT })));
  row('config-headers-beside', 'C5', text(JSON.stringify({ auths: { [host]: RIGHT }, HttpHeaders: { a: 'b' } })));
  row('config-headers-odd', 'C4', text(JSON.stringify({ auths: { [host]: RIGHT }, HttpHeaders: { a: 1 } })));
  row('dockercfg-wrapped', 'C3', legacy({ auths: { [host]: RIGHT } }));
  row('dockercfg-bad-auth', 'C4', legacy({ 'other.test': { auth: '!' } }));

  // several
  const auth = (key: string, entry: unknown): TruthSecret => config({ [key]: entry });
  row('wrong-then-right', 'C8', auth(host, WRONG), auth(host, RIGHT));
  row('wrong-path-then-right-host', 'C8', auth(host, RIGHT), auth(`${host}/team/app`, WRONG));
  row('empty-then-right', 'C8', auth(host, {}), auth(host, RIGHT));
  add({
    id: 'login-five-wrong-then-right',
    rule: 'C8',
    image,
    node: overHttp(host),
    secrets: [...['a', 'b', 'c', 'd', 'e'].map((one) => auth(host, login(USER, one))), auth(host, RIGHT)],
    openBecause: 'no more than four logins are tried',
  });
  row('right-beside-malformed', 'C4', auth(host, RIGHT), auth('other.test', { auth: '!' }));
  row('right-beside-opaque-malformed', 'C3', auth(host, RIGHT), { type: 'Opaque', text: 'nothing' });
  row('dockercfg-beside-wrong', 'C8', auth(host, WRONG), legacy({ [host]: RIGHT }));
  row('hub-entry-beside', 'C7', auth('https://index.docker.io/v1/', RIGHT));
  row('hub-entry-and-right', 'C7', auth('https://index.docker.io/v1/', WRONG), auth(host, RIGHT));
  add({
    id: 'login-absent-beside-right',
    rule: 'C2',
    image,
    node: overHttp(host),
    secrets: [auth(host, RIGHT)],
    missingSecrets: ['ghost'],
  });
  add({ id: 'login-name-empty', rule: 'C1', image, node: overHttp(host), missingSecrets: [''] });

  // an image that everybody may have
  const free = hostOf(await registry());
  const open = (id: string, rule: string, ...secrets: readonly TruthSecret[]): void =>
    add({ id: `open-${id}`, rule, image: `${free}/app:1`, node: overHttp(free), secrets });
  open('entry-text', 'C4', config({ 'other.test': 'x' }));
  open('entry-null', 'C4', config({ 'other.test': null }));
  open('auths-list', 'C4', text('{"auths":[]}'));
  open('dockercfg-number', 'C4', legacy({ 'other.test': { password: 1 } }));
  open('key-unreadable', 'C6', config({ '%zz': RIGHT }));
  open(
    'many-entries',
    'C6',
    config(Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`r${at}.test`, RIGHT]))),
  );
}
