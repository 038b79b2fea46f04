import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { basicAuth } from '../../webhook/demo/registry.ts';
import { createImageStore } from '../../webhook/demo/image-store.ts';
import { readPlacement } from '../../webhook/admission/placement.ts';
import type { StockedNode } from '../../webhook/engine/weigh-pulls.ts';
import type { FindingKind } from '../../webhook/outcome/finding.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { neverAnswer, status } from '../support/bend.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { knownNodes } from './known-nodes.ts';
import { createRig, dockerSecret, secretFor, type Rig, type RigOptions } from './rig.ts';

const GIB = 1024 ** 3;
const store = createImageStore();
store.repository('app').addImage({ tags: ['1'] });
const PASSWORD = 'a pass word';

let open: ScriptedRegistry;
let closed: ScriptedRegistry;
let transport: Transport;
before(async () => {
  open = await startScriptedRegistry({ store });
  closed = await startScriptedRegistry({ store, auth: basicAuth({ puller: PASSWORD }) });
  transport = createWire();
});
after(() => Promise.all([transport.close(), open.close(), closed.close()]));
beforeEach(() => {
  open.straighten();
  closed.straighten();
  open.log.clear();
  closed.log.clear();
});

const COMPLETE = '  settings: complete\n  credentialProviders: none\n';
const rig = (options: Partial<RigOptions> = {}): Rig => createRig({ transport, nodes: COMPLETE, ...options });
const nodeWith = (name: string, images: readonly string[]): StockedNode => ({
  name,
  isSchedulable: true,
  labels: new Map([['name', name]]),
  taints: [],
  images: new Set(images),
});
const found = (prediction: Prediction): readonly FindingKind[] =>
  prediction.findings.map(({ kind }) => kind).filter((kind) => kind !== 'mutable-tag');
const good = (): ReturnType<typeof secretFor> => secretFor(closed.host, 'puller', PASSWORD);

describe('whose pull secrets count', () => {
  it('those that the Pod names, read in its own namespace', async () => {
    const { ask, reads } = rig({ secrets: { ci: good() } });

    const answer = await ask(`${closed.host}/app:1`, { imagePullSecrets: ['ci'] });

    assert.equal(answer.outcome.kind, 'pullable');
    assert.deepEqual(reads, ['team/ci']);
  });

  it('read once for all images of the Pod, and again for the next Pod', async () => {
    const { askPod, reads } = rig({ secrets: { ci: good() } });
    const images = ['containers[0]', 'containers[1]'].map((path, at) => ({ image: `${closed.host}/app:${at}`, path }));

    await askPod(images, { imagePullSecrets: ['ci'] });
    assert.deepEqual(reads, ['team/ci']);

    await askPod(images, { imagePullSecrets: ['ci'] });
    assert.deepEqual(reads, ['team/ci', 'team/ci']);
  });

  it("the ServiceAccount's where the Pod names none", async () => {
    const serviceAccounts = { builder: { kind: 'found', imagePullSecrets: ['ci'] } } as const;
    const { ask, reads } = rig({ secrets: { ci: good() }, serviceAccounts });

    const answer = await ask(`${closed.host}/app:1`, { serviceAccount: 'builder' });

    assert.equal(answer.outcome.kind, 'pullable');
    assert.deepEqual(reads, ['team/builder', 'team/ci']);
  });

  it('none at all where the Pod names an empty name, which is a list all the same', async () => {
    const serviceAccounts = { default: { kind: 'found', imagePullSecrets: ['ci'] } } as const;
    const { ask, reads } = rig({ secrets: { ci: good() }, serviceAccounts });

    const answer = await ask(`${closed.host}/app:1`, { imagePullSecrets: [''] });

    assert.ok(answer.outcome.kind === 'access-denied' && answer.isConclusive);
    assert.deepEqual(reads, []);
  });

  it('each once, and not more than a Pod may reasonably name', async () => {
    const names = Array.from({ length: 40 }, (_, at) => `s${at}`);
    const { ask, reads } = rig();

    const answer = await ask(`${closed.host}/app:1`, { imagePullSecrets: ['s0', ...names] });

    assert.equal(reads.length, 16);
    assert.deepEqual(answer.doubts, ['secret-unread'], 'what is left out may hold the login');
  });
});

describe('pull secrets that are of no use', () => {
  for (const { name, secrets, finding, doubts = [], isTemplate = false } of [
    { name: 'missing', secrets: {}, finding: 'pull-secret-missing' },
    {
      name: 'missing, in a template',
      secrets: {},
      isTemplate: true,
      finding: 'pull-secret-missing',
      doubts: ['secret-may-follow'],
    },
    {
      name: 'forbidden',
      secrets: { ci: { kind: 'forbidden' } },
      finding: 'pull-secret-unreadable',
      doubts: ['secret-unread'],
    },
    {
      name: 'not read in time',
      secrets: { ci: { kind: 'unavailable', reason: 'timeout' } },
      finding: 'pull-secret-unreadable',
      doubts: ['secret-unread'],
    },
    {
      name: 'too large to be looked at',
      secrets: { ci: dockerSecret(JSON.stringify({ auths: { 'elsewhere.test': { auth: 'x'.repeat(200_000) } } })) },
      finding: 'pull-secret-unreadable',
      doubts: ['secret-unread'],
    },
    { name: 'of the wrong type', secrets: { ci: dockerSecret('{}', 'Opaque') }, finding: 'pull-secret-wrong-type' },
    { name: 'empty', secrets: { ci: dockerSecret('') }, finding: 'pull-secret-empty' },
  ] as const) {
    it(`${name}: a private image is refused, a public one is pulled, and both say so`, async () => {
      const { ask } = rig({ secrets });
      const pod = { imagePullSecrets: ['ci'], isTemplate };

      const [refused, pulled] = [await ask(`${closed.host}/app:1`, pod), await ask(`${open.host}/app:1`, pod)];

      assert.equal(refused.outcome.kind, 'access-denied');
      assert.deepEqual([refused.doubts, refused.isConclusive], [doubts, doubts.length === 0]);
      assert.deepEqual(found(refused), [finding]);
      assert.equal(pulled.outcome.kind, 'pullable');
      assert.deepEqual([pulled.isConclusive, found(pulled)], [true, [finding]]);
    });
  }

  it('malformed: stops every pull of the Pod, without a request', async () => {
    const broken = dockerSecret(JSON.stringify({ auths: { 'elsewhere.test': { auth: '!!!' } } }));
    const { ask } = rig({ secrets: { ci: broken, ok: good() } });

    const answer = await ask(`${open.host}/app:1`, { imagePullSecrets: ['ok', 'ci', 'gone'] });

    assert.ok(answer.outcome.kind === 'pull-secret-malformed');
    assert.equal(answer.outcome.secret, 'ci');
    assert.deepEqual([answer.isConclusive, found(answer)], [true, ['pull-secret-missing']]);
    assert.deepEqual(open.log.lines(), []);
  });

  it('with a token only: as az acr login leaves them', async () => {
    const text = JSON.stringify({ auths: { [closed.host]: { auth: 'MDAwOg==', identitytoken: 'token' } } });
    const { ask } = rig({ secrets: { ci: dockerSecret(text) } });

    const answer = await ask(`${closed.host}/app:1`, { imagePullSecrets: ['ci'] });

    assert.equal(answer.outcome.kind, 'access-denied');
    assert.deepEqual(found(answer), ['pull-secret-token-only']);
  });

  it('with a key that nearly matches: said where the login is refused, and only there', async () => {
    const near = secretFor(`${closed.host}/other`, 'puller', PASSWORD);
    const { ask } = rig({ secrets: { ci: near } });
    const pod = { imagePullSecrets: ['ci'] };

    assert.deepEqual(found(await ask(`${closed.host}/app:1`, pod)), ['key-nearly-matches']);
    assert.deepEqual(found(await ask(`${open.host}/app:1`, pod)), []);
  });
});

describe('ServiceAccounts that cannot be read', () => {
  for (const { name, read, isTemplate, doubts } of [
    { name: 'missing', read: { kind: 'missing' }, isTemplate: false, doubts: [] },
    { name: 'missing, in a template', read: { kind: 'missing' }, isTemplate: true, doubts: ['secret-may-follow'] },
    { name: 'forbidden', read: { kind: 'forbidden' }, isTemplate: false, doubts: ['secret-unread'] },
    {
      name: 'unavailable',
      read: { kind: 'unavailable', reason: 'timeout' },
      isTemplate: true,
      doubts: ['secret-unread'],
    },
  ] as const) {
    it(`${name}: ${doubts.length === 0 ? 'proven' : doubts.join()}`, async () => {
      const { ask } = rig({ serviceAccounts: { default: read } });

      const answer = await ask(`${closed.host}/app:1`, { isTemplate });

      assert.equal(answer.outcome.kind, 'access-denied');
      assert.deepEqual(answer.doubts, doubts);
      assert.deepEqual(found(answer), read.kind === 'missing' ? ['service-account-missing'] : []);
    });
  }

  it('leave an absence open too, and no platform', async () => {
    const { ask } = rig({ serviceAccounts: {} });
    const pod = { isTemplate: true };
    const platforms = {
      platforms: [{ os: 'linux', architecture: 's390x', variant: undefined, osVersion: undefined }],
      isFixed: true,
    };
    store.repository('multi').addIndex([store.repository('multi').addImage()], { tags: ['1'] });

    assert.deepEqual((await ask(`${open.host}/app:2`, pod)).doubts, ['secret-may-follow']);
    assert.deepEqual((await ask(`${open.host}/multi:1`, { ...pod, platforms })).doubts, []);
  });
});

describe('what the nodes may hold', () => {
  it('is nothing certain by default: no login, no setting, no platform', async () => {
    const { ask } = rig({ nodes: '' });

    const denied = await ask(`${closed.host}/app:1`);
    const absent = await ask(`${open.host}/app:2`);

    assert.deepEqual([denied.outcome.kind, denied.doubts], ['access-denied', ['node-credentials']]);
    assert.deepEqual([absent.outcome.kind, absent.doubts], ['tag-not-found', []], 'tags/list was shown');
    assert.equal(open.log.lines().at(-1), 'GET /v2/app/tags/list');
  });

  it('follows the patterns of nodes.credentialProviders', async () => {
    const nodes = (pattern: string): string => `  settings: complete\n  credentialProviders: ["${pattern}"]\n`;
    open.bend({ kind: 'tags' }, status(403, 'DENIED'));
    const ask = async (pattern: string): Promise<readonly string[]> =>
      (await rig({ nodes: nodes(pattern) }).ask(`${open.host}/app:2`)).doubts;

    assert.deepEqual(await ask(open.host), ['node-credentials']);
    assert.deepEqual(await ask('*.amazonaws.com'), []);
  });

  it('leaves plain HTTP open while settings are partial', async () => {
    const { ask } = rig({ nodes: '  credentialProviders: none\n' });
    const complete = rig();
    const image = `reg.test:${open.port}/app:1`;

    assert.deepEqual((await ask(image)).doubts, ['node-settings']);
    const proven = await complete.ask(image);
    assert.deepEqual([proven.outcome.kind, proven.isConclusive], ['http-not-declared', true]);
  });

  it('takes the platforms of the Pod before those of the policy before the usual one', async () => {
    store
      .repository('arm')
      .addIndex([store.repository('arm').addImage({ platform: { os: 'linux', architecture: 'arm64' } })], {
        tags: ['1'],
      });
    const image = `${open.host}/arm:1`;
    const listed = rig({ nodes: `${COMPLETE}  platforms: { list: [linux/arm64], exhaustive: true }\n` });
    const amd64 = {
      platforms: [{ os: 'linux', architecture: 'amd64', variant: undefined, osVersion: undefined }],
      isFixed: true,
    };

    const [assumed, fromPolicy, fromPod] = [
      await rig().ask(image),
      await listed.ask(image),
      await listed.ask(image, { platforms: amd64 }),
    ];

    assert.deepEqual([assumed.outcome.kind, assumed.doubts], ['platform-mismatch', ['node-platforms']]);
    assert.equal(fromPolicy.outcome.kind, 'pullable');
    assert.deepEqual([fromPod.outcome.kind, fromPod.doubts], ['platform-mismatch', []]);
  });
});

describe('what is shared', () => {
  it('an answer among Pods with the same login, and no answer with any other', async () => {
    const { ask } = rig({
      secrets: { ci: good(), other: secretFor(closed.host, 'puller', 'wrong') },
    });
    const image = `${closed.host}/app:1`;

    const first = await ask(image, { imagePullSecrets: ['ci'] });
    const second = await ask(image, { imagePullSecrets: ['ci'] });
    const wrong = await ask(image, { imagePullSecrets: ['other'] });
    const none = await ask(image);

    assert.ok(first.requests > 0);
    assert.equal(second.requests, 0);
    assert.deepEqual([wrong.outcome.kind, none.outcome.kind], ['access-denied', 'access-denied']);
  });

  it('a verdict for whoever has no time for the hint that comes after it', async () => {
    const hurried = new AbortController();
    open.bend({ kind: 'tags' }, (question, answer) => {
      hurried.abort();
      return neverAnswer(question, answer);
    });
    const nodes = `${COMPLETE}hints:\n  similarTags: true\n`;
    const { ask } = rig({ nodes, hintMs: 1_000, signal: hurried.signal });

    const { outcome, isConclusive } = await ask(`${open.host}/app:v1`);

    assert.deepEqual([outcome.kind, isConclusive], ['tag-not-found', true]);
  });

  it('no short name with the name that it stands for, as CRI-O looks it up elsewhere', async () => {
    const asked: string[] = [];
    const { ask } = rig({
      cache: {
        get: (key, load, { signal }) => {
          asked.push(key);
          return load(signal, () => undefined);
        },
        memoryFor: () => ({ recall: () => undefined, keep: () => undefined }),
        clear: () => undefined,
        size: () => 0,
      },
      transport: { ...transport, send: () => Promise.resolve({ ok: false, error: { kind: 'dns' } }) },
    });

    for (const image of ['nginx', 'docker.io/library/nginx', 'library/nginx', 'nginx:latest']) await ask(image);

    assert.equal(new Set(asked).size, 4);
  });

  it('no answer for a namespace whose images CRI-O judges by a policy of its own', async () => {
    const asked: string[] = [];
    const { ask } = rig({
      nodes: `${COMPLETE}  crio: { namespacePolicies: { strict: '{}' } }\n`,
      cache: {
        get: (key, load, { signal }) => {
          asked.push(key);
          return load(signal, () => undefined);
        },
        memoryFor: () => ({ recall: () => undefined, keep: () => undefined }),
        clear: () => undefined,
        size: () => 0,
      },
    });

    for (const namespace of ['team', 'other', 'strict']) await ask(`${open.host}/app:1`, { namespace });

    const [team, other, strict] = asked;
    assert.equal(team, other);
    assert.notEqual(team, strict);
  });

  it('no byte of a login: neither in keys nor in answers', async () => {
    const keys: string[] = [];
    const { ask } = rig({
      secrets: { ci: good() },
      cache: {
        get: (key, load, { signal }) => {
          keys.push(key, Buffer.from(key, 'base64').toString('latin1'));
          return load(signal, () => undefined);
        },
        memoryFor: (identity) => {
          keys.push(identity);
          return { recall: () => undefined, keep: () => undefined };
        },
        clear: () => undefined,
        size: () => 0,
      },
    });
    closed.bend({ kind: 'blob' }, status(404, 'BLOB_UNKNOWN'));

    const answer = await ask(`${closed.host}/app:1`, { imagePullSecrets: ['ci'] });

    assert.equal(answer.outcome.kind, 'damaged');
    const text = keys.join('\n') + JSON.stringify(answer);
    const base64 = Buffer.from(`puller:${PASSWORD}`).toString('base64');
    for (const secret of [PASSWORD, base64, base64.slice(4, 14), 'puller'])
      assert.equal(text.includes(secret), false, secret);
  });
});

describe('pulls that will not end in time', () => {
  const large = store.repository('large');
  const { config, layers } = large.addImage({ paddingBytes: 2 * 1024 * 1024 });
  const document = (size: number): object => ({
    schemaVersion: 2,
    config,
    layers: layers.map((layer, at) => (at === 1 ? { ...layer, size } : layer)),
  });
  const type = 'application/vnd.oci.image.manifest.v1+json';
  large.addManifest(document(4 * GIB), type, ['1']);
  const padding = layers[1]?.digest ?? '';
  beforeEach(() => {
    // only HEAD says how large it is: nobody shall send four gigabytes
    open.bend({ kind: 'blob', method: 'HEAD', reference: padding }, (_question, answer) => ({
      ...answer,
      headers: { ...answer.headers, 'content-length': String(4 * GIB) },
    }));
  });
  const job = { deadline: { name: 'activeDeadlineSeconds', seconds: 120 } } as const;

  it('goes by the declared throughput of the host, then of all', async () => {
    const declared = `${COMPLETE}  throughput: { default: 10MB/s, hosts: { "${open.host}": 1GB/s } }\n`;
    const slow = await rig({ nodes: `${COMPLETE}  throughput: { default: 10MB/s }\n` }).ask(
      `${open.host}/large:1`,
      job,
    );
    const fast = await rig({ nodes: declared }).ask(`${open.host}/large:1`, job);

    assert.ok(slow.outcome.kind === 'pull-too-slow' && slow.outcome.throughputFrom === 'declared');
    assert.deepEqual([slow.isConclusive, slow.outcome.limit.name], [false, 'activeDeadlineSeconds']);
    assert.equal(fast.outcome.kind, 'pullable');
    assert.equal(open.log.lines().filter((line) => line === `GET /v2/large/blobs/${padding}`).length, 0);
  });

  it('goes by the patience that the policy has with this image', async () => {
    const { ask } = rig({ nodes: `${COMPLETE}  throughput: { default: 10MB/s }\n` });

    const slow = await ask(`${open.host}/large:1`, {}, { maxPullSeconds: 60 });
    const patient = await ask(`${open.host}/large:1`, {}, { maxPullSeconds: 6000 });

    assert.ok(slow.outcome.kind === 'pull-too-slow');
    assert.deepEqual(slow.outcome.limit, { name: 'maxPullSeconds', seconds: 60 });
    assert.equal(patient.outcome.kind, 'pullable');
  });

  it('measures by one short read where nothing is declared, and only for a limit', async () => {
    open.bend({ kind: 'blob', method: 'GET', reference: padding }, (_question, answer) => ({
      ...answer,
      bytesPerSecond: 1_000_000,
    }));
    const { ask } = rig();
    const reads = (): number => open.log.lines().filter((line) => line === `GET /v2/large/blobs/${padding}`).length;

    await ask(`${open.host}/large:1`);
    assert.equal(reads(), 0);

    const fresh = rig();
    const slow = await fresh.ask(`${open.host}/large:1`, job);
    await fresh.ask(`${open.host}/large:1`, job);
    assert.ok(
      slow.outcome.kind === 'pull-too-slow' && slow.outcome.throughputFrom === 'measured',
      JSON.stringify(slow.outcome),
    );
    assert.equal(reads(), 1);
  });
});

describe('what the images of a Pod take together', () => {
  const MIB = 1024 ** 2;
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const other = store.repository('sum');
  const base = other.addImage({ layers: [{ base: 'x' }] });
  const [plain = base.config] = base.layers;
  /** Layers that are as large as they say, for whoever asks by HEAD. */
  const sizes = new Map<string, number>();
  const manifestOf = (names: Readonly<Record<string, number>>, tag: string): string => {
    const layers = Object.entries(names).map(([name, size]) => {
      const { layers: own } = other.addImage({ layers: [{ [name]: name }] });
      const descriptor = { ...(own[0] ?? plain), size };
      sizes.set(descriptor.digest, size);
      return descriptor;
    });
    const image = other.addImage({ layers: Object.keys(names).map((name) => ({ [name]: name })) });
    return other.addManifest({ schemaVersion: 2, config: image.config, layers }, type, [tag]).digest;
  };
  manifestOf({ base: 600 * MIB, one: 300 * MIB }, 'one');
  const two = manifestOf({ base: 600 * MIB, two: 100 * MIB }, 'two');
  manifestOf({ three: 700 * MIB }, 'three');
  beforeEach(() => {
    for (const [reference, size] of sizes) {
      open.bend({ kind: 'blob', method: 'HEAD', reference }, (_question, answer) => ({
        ...answer,
        headers: { ...answer.headers, 'content-length': String(size) },
      }));
    }
  });
  const SLOW = `${COMPLETE}  throughput: { default: 10MB/s }\n`;
  const [init, app] = ['spec.initContainers[0].image', 'spec.containers[0].image'];
  const podOf = (first: string, second: string): { readonly image: string; readonly path: string }[] => [
    { image: `${open.host}/sum:${first}`, path: app },
    { image: `${open.host}/sum:${second}`, path: init },
  ];
  const deadline = { name: 'activeDeadlineSeconds', seconds: 120, of: 'Job' } as const;

  it('is their sum, a shared layer once, for the one that is pulled first', async () => {
    const answers = await rig({ nodes: SLOW }).askPod(podOf('one', 'three'), { deadline });
    const sharing = await rig({ nodes: SLOW }).askPod(podOf('one', 'two'), { deadline });
    const tight = await rig({ nodes: SLOW }).askPod(podOf('one', 'two'), { deadline: { ...deadline, seconds: 100 } });

    // 900 and 700 MiB are 168 s, 900 and 100 are 105 s
    const [slow] = answers;
    assert.ok(slow?.outcome.kind === 'pull-too-slow');
    assert.deepEqual(
      [slow.outcome.inAll?.otherImages, Math.round(slow.outcome.inAll?.estimatedSeconds ?? 0)],
      [1, 168],
    );
    assert.deepEqual(
      sharing.map(({ outcome }) => outcome.kind),
      ['pullable', 'pullable'],
    );
    // the init container brings the shared layer
    assert.deepEqual(
      tight.map(({ outcome }) => outcome.kind),
      ['pullable', 'pull-too-slow'],
    );
  });

  it('is less by what every node has: an image by name or digest, a layer by an image that was seen', async () => {
    const limited = { deadline: { ...deadline, seconds: 60 } };
    const stocked = (...names: readonly string[]): Rig =>
      rig({
        nodes: SLOW,
        known: knownNodes({ stock: () => [nodeWith('a', names), nodeWith('b', [...names, 'x'])] }),
      });
    const kinds = async (one: Rig): Promise<readonly string[]> =>
      (await one.askPod(podOf('one', 'two').slice(0, 1), limited)).map(({ outcome }) => outcome.kind);
    const byLayer = stocked(`${open.host}/sum@${two}`);
    const strangers = stocked(`${open.host}/sum@${two}`);

    await byLayer.askPod(podOf('two', 'two'), {});

    assert.deepEqual(await kinds(stocked()), ['pull-too-slow']);
    assert.deepEqual(await kinds(stocked(`${open.host}/sum:one`)), ['pullable']);
    assert.deepEqual(await kinds(strangers), ['pull-too-slow']);
    assert.deepEqual(await kinds(byLayer), ['pullable']);
  });

  it('counts the nodes alone that the Pod may land on', async () => {
    const placement = readPlacement('Pod', { nodeSelector: { name: 'a' } });
    const stock = [nodeWith('a', [`${open.host}/sum:one`]), nodeWith('b', [])];
    const { askPod } = rig({ nodes: SLOW, known: knownNodes({ stock: () => stock }) });
    const limited = { deadline: { ...deadline, seconds: 60 } };
    const pods = podOf('one', 'one').slice(0, 1);
    assert.ok(placement !== undefined);

    const [anywhere] = await askPod(pods, limited);
    const [there] = await askPod(pods, { ...limited, placement });

    assert.deepEqual([anywhere?.outcome.kind, there?.outcome.kind], ['pull-too-slow', 'pullable']);
  });

  it('shares what a registry gives among those nodes', async () => {
    const nodes = `${COMPLETE}  throughput: { hosts: { "${open.host}": { perNode: 100MB/s, total: 100MB/s } } }\n`;
    const stock = Array.from({ length: 4 }, (_, at) => nodeWith(`node-${at}`, []));
    const { askPod } = rig({ nodes, known: knownNodes({ stock: () => stock }) });
    const daemons = { deadline: { ...deadline, seconds: 20 }, podsAtOnce: 'one-a-node' as const };
    const placement = readPlacement('DaemonSet', { nodeSelector: { name: 'node-1' } });
    const pods = podOf('one', 'one').slice(0, 1);
    assert.ok(placement !== undefined);

    const [everywhere] = await askPod(pods, daemons);
    const [there] = await askPod(pods, { ...daemons, placement });

    assert.deepEqual([everywhere?.outcome.kind, there?.outcome.kind], ['pull-too-slow', 'pullable']);
  });

  it('is more where the nodes share what a registry gives', async () => {
    const shared = `${COMPLETE}  count: 8\n  throughput: { hosts: { "${open.host}": { perNode: 100MB/s, total: 100MB/s } } }\n`;
    const pods = podOf('one', 'one').slice(0, 1);

    const [alone] = await rig({ nodes: shared }).askPod(pods, { deadline: { ...deadline, seconds: 20 } });
    const [together] = await rig({ nodes: shared }).askPod(pods, {
      deadline: { ...deadline, seconds: 20 },
      podsAtOnce: 4,
    });

    assert.equal(alone?.outcome.kind, 'pullable');
    assert.ok(together?.outcome.kind === 'pull-too-slow');
    assert.equal(together.outcome.bytesPerSecond, 25_000_000);
    assert.deepEqual(together.outcome.shared, { nodes: 4, bytesPerSecond: 100_000_000 });
  });

  it('is measured too where the answer came from memory', async () => {
    open.bend({ kind: 'blob', method: 'GET' }, (_question, answer) => ({ ...answer, bytesPerSecond: 1_000_000 }));
    const { ask } = rig();
    const reads = (): number =>
      open.log.lines().filter((line) => line.startsWith('GET /v2/sum/blobs/') && sizes.has(line.slice(18))).length;

    await ask(`${open.host}/sum:three`);
    assert.equal(reads(), 0);
    await ask(`${open.host}/sum:three`, { deadline });
    assert.equal(reads(), 1);
    await ask(`${open.host}/sum:three`, { deadline });
    assert.equal(reads(), 1);
  });
});

describe('what needs no registry', () => {
  it('tells a name that is none', async () => {
    const { ask } = rig();

    const answer = await ask('Nginx');

    assert.deepEqual([answer.outcome.kind, answer.isConclusive, answer.requests], ['invalid-reference', true, 0]);
  });

  it('leaves to others what a node may hold already: IfNotPresent asks like Always', async () => {
    const { ask } = rig();

    const answer = await ask(`${open.host}/app:2`, {}, { pullPolicy: 'IfNotPresent' });

    assert.deepEqual([answer.outcome.kind, answer.isConclusive], ['tag-not-found', true]);
  });
});

it('writes down the course for whoever asks for it, and tells the same again without a request', async () => {
  const { ask } = rig({ explains: true, secrets: { ci: good() } });

  const first = await ask(`${closed.host}/app:1`, { imagePullSecrets: ['ci'] });
  const second = await ask(`${closed.host}/app:1`, { imagePullSecrets: ['ci'] });

  assert.ok(first.course.length > 0 && first.requests > 0);
  assert.deepEqual([second.course, second.requests], [first.course, 0]);
  const text = JSON.stringify(first.course);
  assert.match(text, /as pull secret/u);
  assert.equal(text.includes(PASSWORD), false);
});
