import { errorAnswer, jsonAnswer } from '../../../webhook/demo/answer.ts';
import { basicAuth, type Bend } from '../../../webhook/demo/registry.ts';
import { reply, status } from '../../support/bend.ts';
import type { TokenServiceOptions } from '../../support/token-service.ts';
import type { Asked, Condition } from '../condition.ts';
import { appOf, insecure, insecureRegistry, named, type Stage } from '../stage.ts';

const RIGHT = { username: 'puller', password: 'right' } as const;
const WRONG = { username: 'puller', password: 'wrong' } as const;
const EMPTY = { username: 'puller', password: '' } as const;
type Login = Asked['login'];

const withLogin = (login: Login): Pick<Asked, 'login'> => (login === undefined ? {} : { login });
const onlyRight: Bend = basicAuth({ puller: RIGHT.password });
const exceptPing =
  (bend: Bend): Bend =>
  (question, answer) =>
    question.route.kind === 'base' ? answer : bend(question, answer);
const pingAlone =
  (bend: Bend): Bend =>
  (question, answer) =>
    question.route.kind === 'base' ? bend(question, answer) : answer;

/** A registry with this guard before a sound image. */
const guarded =
  (auth: Bend, login?: Login) =>
  async (stage: Stage): Promise<Asked> => {
    const { app, image, files } = await insecureRegistry(stage, { auth });
    app.addImage({ tags: ['1'] });
    return { image, files, ...withLogin(login) };
  };

/** A registry that wants tokens. */
const tokened =
  (options: TokenServiceOptions, login?: Login, shape: (auth: Bend) => Bend = (auth) => auth) =>
  async (stage: Stage): Promise<Asked> => {
    const tokens = await stage.tokens(options);
    return await guarded(shape(tokens.bearerAuth), login)(stage);
  };

const challenging =
  (challenge: string | readonly string[]): Bend =>
  () =>
    errorAnswer(401, 'UNAUTHORIZED', { 'www-authenticate': challenge });

/** Knows `puller`, and gives nothing to strangers. */
const PRIVATE = { logins: { puller: RIGHT.password }, isAnonymousAllowed: false } as const;
const PUBLIC = { logins: { puller: RIGHT.password } } as const;

/** Both challenges at once, before a registry that takes tokens alone. */
const offering =
  (order: readonly ('basic' | 'bearer')[]) =>
  (auth: Bend): Bend =>
  async (question, answer) => {
    const bearer = await auth(question, answer);
    const challenge = bearer.headers['www-authenticate'];
    if (bearer.status !== 401 || typeof challenge !== 'string') return bearer;
    const challenges = order.map((one) => (one === 'basic' ? 'Basic realm="registry"' : challenge));
    return { ...bearer, headers: { ...bearer.headers, 'www-authenticate': challenges } };
  };

/** A mirror that wants a login before a registry that has nothing. */
async function guardedMirror(stage: Stage, name: string): Promise<Asked> {
  const mirror = await stage.registry({ auth: onlyRight });
  appOf(mirror.store).addImage({ tags: ['1'] });
  const upstream = await stage.registry({ store: mirror.store, auth: onlyRight });
  upstream.bend({ kind: 'manifest' }, status(404, 'MANIFEST_UNKNOWN'));
  const host = named('reg.truth.test', upstream);
  const location = named(name, mirror);
  const text = `${insecure(host)}[[registry.mirror]]\nlocation = "${location}"\ninsecure = true\n`;
  return { image: `${host}/team/app:1`, files: { 'registries.conf': text }, login: RIGHT };
}

export const LOGINS: readonly Condition[] = [
  { name: 'Basic, the right login', pulls: true, arrange: guarded(onlyRight, RIGHT) },
  { name: 'Basic, a wrong login', pulls: false, arrange: guarded(onlyRight, WRONG) },
  { name: 'Basic, no login', pulls: false, arrange: guarded(onlyRight) },
  {
    name: 'Basic, an empty password that is right',
    pulls: true,
    docker: { pulls: false },
    arrange: guarded(basicAuth({ puller: '' }), EMPTY),
  },
  { name: 'an open registry, a login nobody asked for', pulls: true, arrange: guarded((_, answer) => answer, WRONG) },
  {
    name: '/v2/ wants Basic, the rest is open, no login',
    pulls: true,
    docker: { pulls: false },
    arrange: guarded(pingAlone(onlyRight)),
  },
  {
    name: '/v2/ wants Basic, the rest is open, a wrong login',
    pulls: true,
    arrange: guarded(pingAlone(onlyRight), WRONG),
  },
  {
    name: '/v2/ is open, the rest wants Basic, the right login',
    pulls: false,
    arrange: guarded(exceptPing(onlyRight), RIGHT),
  },
  { name: 'the right login, and no right to the repository', pulls: false, arrange: guarded(refusing(403), RIGHT) },
  {
    name: 'Digest alone, the right login',
    pulls: false,
    arrange: guarded(challenging('Digest realm="r", nonce="n"'), RIGHT),
  },
  { name: 'Bearer, open to strangers', pulls: true, arrange: tokened(PUBLIC) },
  { name: 'Bearer, the right login', pulls: true, arrange: tokened(PRIVATE, RIGHT) },
  { name: 'Bearer, a wrong login', pulls: false, arrange: tokened(PRIVATE, WRONG) },
  { name: 'Bearer, no login', pulls: false, arrange: tokened(PRIVATE) },
  { name: 'Bearer, an empty password', pulls: false, arrange: tokened(PRIVATE, EMPTY) },
  { name: 'Bearer, a wrong login for what strangers may pull', pulls: false, arrange: tokened(PUBLIC, WRONG) },
  {
    name: 'Bearer, a token without the repository',
    pulls: false,
    arrange: tokened({ ...PUBLIC, mayPull: () => false }),
  },
  {
    name: 'Bearer, a refusal for the repository',
    pulls: false,
    arrange: tokened({ ...PUBLIC, mayPull: () => false, onRefusal: 'denied' }),
  },
  {
    name: 'Bearer from a service without POST',
    pulls: true,
    arrange: tokened({ ...PRIVATE, methods: ['GET'] }, RIGHT),
  },
  ...[403, 500].map((code) => ({
    name: `Bearer from a service that answers POST with ${code}`,
    pulls: true,
    arrange: tokened({ ...PRIVATE, bends: [refusingPost(code)] }, RIGHT),
  })),
  {
    name: 'Bearer from a service without GET',
    pulls: false,
    arrange: tokened({ ...PRIVATE, methods: ['POST'] }, RIGHT),
  },
  { name: 'a token by the name of access_token', pulls: true, arrange: tokened({ ...PUBLIC, field: 'access_token' }) },
  {
    name: 'an answer without a token',
    pulls: false,
    arrange: tokened({ ...PUBLIC, bends: [() => jsonAnswer(200, {})] }),
  },
  {
    name: 'a web page for a token',
    pulls: false,
    arrange: tokened({ ...PUBLIC, bends: [reply(200, { 'content-type': 'text/html' }, '<html>')] }),
  },
  ...[401, 403, 404, 500, 503].map((code) => ({
    name: `a token service that answers ${code}`,
    pulls: false,
    arrange: tokened({ ...PUBLIC, bends: [status(code, 'UNKNOWN')] }),
  })),
  { name: 'Bearer without a realm', pulls: false, arrange: guarded(challenging('Bearer service="registry"')) },
  {
    name: 'Bearer with a path for a realm',
    pulls: false,
    arrange: guarded(challenging('Bearer realm="/token",service="registry"')),
  },
  {
    name: 'Bearer from a host that nobody knows',
    pulls: false,
    arrange: guarded(challenging('Bearer realm="http://no.truth.test/token"')),
  },
  {
    name: 'Basic, then Bearer, the right login',
    pulls: false,
    arrange: tokened(PRIVATE, RIGHT, offering(['basic', 'bearer'])),
  },
  {
    name: 'Bearer, then Basic, the right login',
    pulls: true,
    docker: { pulls: false },
    arrange: tokened(PRIVATE, RIGHT, offering(['bearer', 'basic'])),
  },
  {
    name: 'Basic, then Bearer, open to strangers',
    pulls: false,
    arrange: tokened(PUBLIC, undefined, offering(['basic', 'bearer'])),
  },
  {
    name: '/v2/ is open, the rest wants Bearer of strangers',
    pulls: false,
    arrange: tokened(PUBLIC, undefined, exceptPing),
  },
  {
    name: 'a mirror of another domain that wants the login',
    pulls: false,
    arrange: async (stage) => await guardedMirror(stage, 'mirror.truth.test'),
  },
  {
    name: 'a mirror of the same name and another port that wants the login',
    pulls: false,
    arrange: async (stage) => await guardedMirror(stage, 'reg.truth.test'),
  },
];

function refusing(code: number): Bend {
  return async (question, answer) => {
    const judged = await onlyRight(question, answer);
    return judged.status === 401 || question.route.kind === 'base' ? judged : errorAnswer(code, 'DENIED');
  };
}

function refusingPost(code: number): Bend {
  return (question, answer) => (question.method === 'POST' ? errorAnswer(code, 'DENIED') : answer);
}
