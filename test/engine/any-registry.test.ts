import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createIdentityHasher } from '../../webhook/credentials/identity.ts';
import { createImageStore } from '../../webhook/demo/image-store.ts';
import { errorAnswer, type Answer } from '../../webhook/demo/answer.ts';
import type { Bend } from '../../webhook/demo/registry.ts';
import { createEngine } from '../../webhook/engine/engine.ts';
import { knowledgeOf, setupOf } from '../../webhook/engine/node-setup.ts';
import type { SecretRead } from '../../webhook/engine/pod-credentials.ts';
import { assertNever } from '../../webhook/image/result.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import { decideImage } from '../../webhook/policy/decide.ts';
import type { Policy } from '../../webhook/policy/policy.ts';
import { createPredictionCache } from '../../webhook/pull/cache.ts';
import { unlimited } from '../../webhook/registry/budget.ts';
import { CONNECT_TIMEOUTS, createConnect } from '../../webhook/registry/connect.ts';
import { unguarded } from '../../webhook/registry/guard.ts';
import { createResolver } from '../../webhook/registry/resolve.ts';
import { createTransport, TRANSPORT_TIMEOUTS } from '../../webhook/registry/transport.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { policyOf } from '../admission/builders.ts';
import { anyRegistry, anySort, bendTo, FLOOD, type Registry, type Sort } from '../pull/any-registry.ts';
import { holdsSecret, type RequestLog } from '../support/request-log.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { startTokenService, type TokenService } from '../support/token-service.ts';
import { dockerSecret, POD } from './rig.ts';

const RUNS = 120;
const DEADLINE_MS = 300;
/** What a machine that is busy may add; what hangs takes for ever. */
const PATIENCE_MS = 10_000;
const MEBIBYTE = 1024 * 1024;
/** What a stream holds before it is told to wait, and headers. */
const SLACK_BYTES = MEBIBYTE;
/** Stands in every password, so that one search finds them all. */
const TAINT = 'taint-7c1e';

const RUNTIMES = [
  'containerd',
  'containerd@1.7',
  'containerd@2.1/transfer',
  'containerd@2.1/local',
  'docker@28.5/graph',
  'docker@29/containerd',
  'crio@1.32',
  'crio@1.34',
];

const store = createImageStore();
const app = store.repository('app');
const one = app.addImage({ tags: ['single'] });
const arm = app.addImage({ platform: { os: 'linux', architecture: 'arm64' } });
app.addImage({ tags: ['layers'], layers: [{ a: 'a' }, { b: 'b' }, { c: 'c' }, { d: 'd' }] });
app.addIndex([one, arm], { tags: ['multi'] });
app.addManifest({ schemaVersion: 2, config: one.config, layers: [{ ...one.layers[0], size: 1 }] }, one.mediaType, [
  'lie',
]);

const KEYS = ['its own', 'its own, as a URL', 'another port', "the mirror's", 'another repository'] as const;
const TYPES = ['kubernetes.io/dockerconfigjson', 'Opaque'] as const;
type Login = {
  readonly key: (typeof KEYS)[number];
  readonly type: (typeof TYPES)[number];
  /** The user whom the token service and Basic know. */
  readonly isRight: boolean;
};
type Scene = {
  readonly registry: Registry;
  readonly mirror: Registry | undefined;
  readonly silent: Sort | undefined;
  readonly elsewhere: 'asks' | 'serves' | 'floods';
  readonly tokens: 'well' | 'refuses' | 'floods' | 'away';
  readonly runtime: string;
  /** How the nodes are told to use plain HTTP. */
  readonly declared: 'files' | 'insecureRegistries' | 'nowhere';
  /** Put into hosts.toml and registries.conf beside what declares the registry. */
  readonly junk: string | undefined;
  readonly settings: 'partial' | 'complete';
  readonly providers: 'possible' | 'none';
  readonly strictRealms: boolean;
  readonly logins: readonly Login[];
  readonly isTemplate: boolean;
  readonly pullPolicy: 'Always' | 'IfNotPresent';
  readonly name: string;
};

const anyScene: fc.Arbitrary<Scene> = fc.record({
  registry: anyRegistry,
  mirror: fc.option(anyRegistry, { nil: undefined }),
  silent: fc.oneof({ arbitrary: fc.constant(undefined), weight: 24 }, { arbitrary: anySort, weight: 1 }),
  elsewhere: fc.constantFrom('asks', 'serves', 'floods'),
  tokens: fc.constantFrom('well', 'well', 'well', 'refuses', 'floods', 'away'),
  runtime: fc.constantFrom(...RUNTIMES),
  declared: fc.constantFrom('files', 'files', 'files', 'insecureRegistries', 'nowhere'),
  junk: fc.option(fc.constantFrom('[', '\u0000', 'a = 1\n', '{"a":1}', '[host."https://m.example"]\n'), {
    nil: undefined,
    freq: 5,
  }),
  settings: fc.constantFrom('partial', 'complete'),
  providers: fc.constantFrom('possible', 'none'),
  strictRealms: fc.boolean(),
  logins: fc.array(
    fc.record({ key: fc.constantFrom(...KEYS), type: fc.constantFrom(...TYPES), isRight: fc.boolean() }),
    { maxLength: 4 },
  ),
  isTemplate: fc.boolean(),
  pullPolicy: fc.constantFrom('Always', 'IfNotPresent'),
  name: fc.constantFrom(
    'app:single',
    'app:layers',
    'app:multi',
    'app:lie',
    'app:none',
    'none:1',
    `app@${one.digest}`,
    'App:1',
  ),
});

let scene: Scene;
let registry: ScriptedRegistry;
let mirror: ScriptedRegistry;
let elsewhere: ScriptedRegistry;
let tokens: TokenService;
let transport: Transport;
const sockets = new Set<Socket>();
let readBefore = 0;
before(async () => {
  tokens = await startTokenService({ logins: { puller: passwordOf(true) }, bends: [bendTokens] });
  elsewhere = await startScriptedRegistry({ store, bends: [bendElsewhere] });
  const places = {
    configs: new Set([one.config.digest, arm.config.digest]),
    elsewhere: elsewhere.origin,
    realm: tokens.realm,
    accepts: (authorization: string): boolean =>
      authorization.startsWith('Bearer ') ||
      authorization === `Basic ${Buffer.from(`puller:${passwordOf(true)}`).toString('base64')}`,
  };
  const manners = (registryManners: Registry): Registry =>
    scene.silent === undefined ? registryManners : { ...registryManners, [scene.silent]: 'silent' };
  registry = await startScriptedRegistry({ store, bends: [bendTo(() => manners(scene.registry), places)] });
  mirror = await startScriptedRegistry({
    store,
    bends: [bendTo(() => manners(scene.mirror ?? scene.registry), places)],
  });
  const names = ['reg.test', 'other.test'].map((name) => [name, ['127.0.0.1']] as const);
  const connect = createConnect({
    resolve: createResolver(new Map(names)),
    guard: unguarded,
    now: () => new Date(),
    // longer than anybody's patience: the question's own deadline is what ends a wait
    timeouts: { ...CONNECT_TIMEOUTS, handshakeMs: 60_000, probeMs: 60_000 },
  });
  transport = createTransport({
    connect: async (options, signal) => {
      const connected = await connect(options, signal);
      sockets.add(connected.socket);
      return connected;
    },
    connectionsPerHost: 4,
    timeouts: { ...TRANSPORT_TIMEOUTS, probeMs: 100 },
  });
});
after(() => Promise.all([transport.close(), registry.close(), mirror.close(), elsewhere.close(), tokens.close()]));

function bendTokens(question: Parameters<Bend>[0], answer: Answer): Answer {
  switch (scene.tokens) {
    case 'refuses':
      return errorAnswer(403, 'DENIED');
    case 'floods':
      return { status: 200, headers: { 'content-type': 'application/json' }, body: FLOOD };
    case 'away':
      return {
        status: 307,
        headers: { location: `${elsewhere.origin}${question.url.pathname}` },
        body: Buffer.alloc(0),
      };
    case 'well':
      return answer;
    default:
      return assertNever(scene.tokens);
  }
}

function bendElsewhere(_question: Parameters<Bend>[0], answer: Answer): Answer {
  if (scene.elsewhere === 'serves') return answer;
  if (scene.elsewhere === 'floods') return { status: 200, headers: {}, body: FLOOD };
  // asks whoever comes for a login, to see who gives one
  return errorAnswer(401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="elsewhere"' });
}

/** Each login has a password of its own: which one is seen says whose it was. */
function passwordOf(isRight: boolean, at?: number): string {
  return isRight ? `${TAINT}-right` : `${TAINT}-wrong-${at}`;
}

function policyFor({ runtime, declared, junk = '', settings, providers, strictRealms, ...rest }: Scene): Policy {
  const host = `reg.test:${registry.port}`;
  const mirrorUrl = `http://other.test:${mirror.port}`;
  const hosts = `server = "http://${host}"\n${rest.mirror === undefined ? '' : `[host."${mirrorUrl}"]\n`}${junk}`;
  const registries = `[[registry]]\nlocation = "${host}"\ninsecure = true\n${junk}`;
  const files = {
    containerd: { certsD: { [`${host}/hosts.toml`]: hosts } },
    docker: { daemonJson: JSON.stringify({ 'insecure-registries': [host] }) },
    crio: { registriesConf: registries },
  };
  const nodes = {
    runtime,
    settings,
    credentialProviders: providers,
    ...(declared === 'files' ? files : {}),
    insecureRegistries: declared === 'insecureRegistries' ? [host] : [],
  };
  return policyOf(
    JSON.stringify({ apiVersion: 'pullguard.io/v1', kind: 'PullPolicy', nodes, network: { strictRealms } }),
  );
}

function secretOf({ key, type, isRight }: Login, at: number): SecretRead {
  const own = `reg.test:${registry.port}`;
  const keys: Readonly<Record<Login['key'], string>> = {
    'its own': own,
    'its own, as a URL': `https://${own}/v2/`,
    'another port': 'reg.test:1',
    "the mirror's": `other.test:${mirror.port}`,
    'another repository': `${own}/elsewhere`,
  };
  const entry = { username: 'puller', password: passwordOf(isRight && isMatching({ key, type, isRight }), at) };
  return dockerSecret(JSON.stringify({ auths: { [keys[key]]: entry } }), type);
}

/** Whether the kubelet gives it to the runtime for this registry's images. */
function isMatching({ key, type }: Login): boolean {
  return type === 'kubernetes.io/dockerconfigjson' && (key === 'its own' || key === 'its own, as a URL');
}

/** Sees the scene through, as a review does; fails where the engine throws or hangs. */
async function play(policy: Policy): Promise<Prediction> {
  const secrets = new Map(scene.logins.map((login, at) => [`login-${at}`, secretOf(login, at)]));
  const now = (): number => performance.now();
  const { predict, weigh } = createEngine({
    policy,
    node: knowledgeOf(policy.nodes, setupOf(policy.nodes, {})).knowledge,
    secrets: {
      secret: (_namespace, name) => Promise.resolve(secrets.get(name) ?? { kind: 'missing' }),
      serviceAccount: () => Promise.resolve({ kind: 'found', imagePullSecrets: [] }),
    },
    transport,
    budget: unlimited,
    cache: createPredictionCache({ maxEntries: 10, loadMs: DEADLINE_MS, now }),
    hashIdentity: createIdentityHasher(randomBytes(32)),
    nodes: undefined,
    contentCheck: undefined,
    asksForeignUrls: false,
    hintMs: DEADLINE_MS,
    addressesOf: () => [],
    explains: true,
    now,
  });
  const pod = { ...POD, imagePullSecrets: [...secrets.keys()], isTemplate: scene.isTemplate };
  const image = `reg.test:${registry.port}/${scene.name}`;
  const question = { image, pullPolicy: scene.pullPolicy, pod, maxPullSeconds: undefined };
  const { promise: hung, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('the engine hangs')), DEADLINE_MS + PATIENCE_MS);
  try {
    const prediction = await Promise.race([predict(question, AbortSignal.timeout(DEADLINE_MS)), hung]);
    return weigh([{ ...question, path: 'spec.containers[0].image', prediction }], pod)[0] ?? prediction;
  } finally {
    clearTimeout(timer);
  }
}

/** What the engine may read for one request at most (the limits of webhook/pull and webhook/registry). */
function mayRead(path: string, method: string): number {
  if (method === 'HEAD') return SLACK_BYTES;
  // a manifest; a config, or a layer that is compared byte by byte
  if (path.includes('/manifests/')) return 16 * MEBIBYTE + SLACK_BYTES;
  return path.includes('/blobs/') ? 8 * MEBIBYTE + SLACK_BYTES : SLACK_BYTES;
}

function bytesRead(): number {
  return [...sockets].reduce((sum, socket) => sum + socket.bytesRead, 0);
}

function assertBytes(logs: readonly RequestLog[]): void {
  const allowed = logs.flatMap(({ requests }) => requests).map(({ path, method }) => mayRead(path, method));
  const most = allowed.reduce((sum, bytes) => sum + bytes, SLACK_BYTES);
  const read = bytesRead() - readBefore;
  assert.ok(read <= most, `${read} bytes were read, ${most} were to be`);
}

/** Rule 6: to declared endpoints in the header alone, to the realm that they name, and nowhere else. */
function assertCredentials(): void {
  const { registry: own, mirror: other, strictRealms, declared } = scene;
  const namesElsewhere = [own, other].some(
    (each) => each !== undefined && Object.values(each).includes('strange-token'),
  );
  for (const [at, login] of scene.logins.entries()) {
    const password = passwordOf(login.isRight && isMatching(login), at);
    const everywhere = [registry, mirror, elsewhere, tokens].map(({ log }) => log.sightings(password));
    const [atRegistry = [], atMirror = [], atElsewhere = [], atTokens = []] = everywhere;
    if (!isMatching(login) || declared === 'nowhere') {
      assert.deepEqual(everywhere, [[], [], [], []], 'a login goes to whom it is not for');
    }
    assert.ok([...atRegistry, ...atMirror].every(({ where }) => where === 'authorization'));
    assert.ok(atTokens.every(({ where }) => where === 'authorization' || where === 'body'));
    assert.ok(atElsewhere.every(({ request }) => request.endsWith(' /token')));
    if (strictRealms) assert.deepEqual(atTokens, []);
    if (strictRealms || !namesElsewhere) assert.deepEqual(atElsewhere, []);
  }
  const { requests } = elsewhere.log;
  assert.ok(requests.every(({ path, authorization }) => path === '/token' || authorization === 'none'));
}

describe('whatever registries, nodes and Secrets there are', { timeout: 120_000 }, () => {
  it('the engine ends in time, reads what it may, gives logins to whom they are for, and denies on proof', async () => {
    const met = new Set<string>();
    const property = fc.asyncProperty(anyScene, async (drawn) => {
      scene = drawn;
      const logs = [registry, mirror, elsewhere, tokens].map(({ log }) => log);
      for (const log of logs) log.clear();
      for (const socket of sockets) if (socket.destroyed) sockets.delete(socket);
      readBefore = bytesRead();
      const policy = policyFor(scene);

      const prediction = await play(policy);

      assertBytes(logs);
      assertCredentials();
      assert.ok(!holdsSecret(JSON.stringify(prediction), TAINT), 'the answer gives a password away');
      const subject = { namespace: 'team', kind: 'Pod', image: scene.name, hasControllingOwner: false };
      const verdict = decideImage(policy, subject, prediction);
      assert.ok(prediction.isConclusive || verdict.action !== 'deny', `denied unproven: ${prediction.outcome.kind}`);
      met.add(verdict.action);
    });
    await fc.assert(property, { numRuns: RUNS });

    // a property that never gets anywhere proves nothing
    assert.deepEqual([...met].toSorted(), ['allow', 'deny', 'warn']);
  });
});
