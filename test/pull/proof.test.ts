import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createImageStore } from '../../webhook/demo/image-store.ts';
import { basicAuth } from '../../webhook/demo/registry.ts';
import { memoryTree } from '../../webhook/node/file-tree.ts';
import type { Doubt } from '../../webhook/outcome/certainty.ts';
import type { OutcomeKind } from '../../webhook/outcome/outcome.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { cut, neverAnswer, reply, status } from '../support/bend.ts';
import { createAuthority } from '../support/pki.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { hostsFile, login, predict, type PullOptions } from './rig.ts';

const PAGE = '<html><body>Please log in to the network</body></html>';
const page = reply(404, { 'content-type': 'text/html' }, PAGE);

let registry: ScriptedRegistry;
let mirror: ScriptedRegistry;
let transport: Transport;
let host: string;
const store = createImageStore();
const image = store.repository('app').addImage({ tags: ['1'] });
before(async () => {
  registry = await startScriptedRegistry({ store });
  mirror = await startScriptedRegistry();
  transport = createWire();
  host = `reg.test:${registry.port}`;
});
after(() => Promise.all([transport.close(), registry.close(), mirror.close()]));
beforeEach(() => {
  registry.straighten();
  mirror.straighten();
  registry.log.clear();
  mirror.log.clear();
});

/** Outcome, and what keeps it from being proof; `[]` is proof, for kinds that can be. */
async function judge(
  name: string,
  options: Partial<PullOptions> = {},
): Promise<readonly [OutcomeKind, readonly Doubt[]]> {
  const setup = hostsFile(host, []);
  const { outcome, isConclusive, doubts } = await predict(`${host}/${name}`, { transport, setup, ...options });
  assert.equal(isConclusive && doubts.length > 0, false, 'proof leaves no doubt');
  return [outcome.kind, doubts];
}

const withMirror = (): Partial<PullOptions> => ({ setup: hostsFile(host, [`http://other.test:${mirror.port}`]) });

describe('whether absence is proven', () => {
  it('believes a registry that says so by HEAD and by GET', async () => {
    assert.deepEqual(await judge('app:2'), ['tag-not-found', []]);
    assert.deepEqual(registry.log.lines(), ['HEAD /v2/app/manifests/2', 'GET /v2/app/manifests/2']);
  });

  it('names an unknown repository, and an unknown digest', async () => {
    const digest = `sha256:${'ab'.repeat(32)}`;

    assert.deepEqual(await judge('nothing:1'), ['repository-not-found', []]);
    assert.deepEqual(await judge(`app@${digest}`), ['digest-not-found', []]);
  });

  for (const [code, kind] of [
    [404, 'tag-not-found'],
    [403, 'access-denied'],
  ] as const) {
    it(`doubts a HEAD that answers ${code} where GET answers 200: it may have been pushed in between`, async () => {
      registry.bend({ kind: 'manifest', method: 'HEAD' }, status(code, 'DENIED'));

      assert.deepEqual(await judge('app:1'), [kind, ['answers-disagree']]);
    });
  }

  it('doubts a HEAD that answers 404 where GET answers 500 or nothing', async () => {
    registry.bend({ kind: 'manifest', method: 'GET' }, status(500, 'UNKNOWN'));
    assert.deepEqual(await judge('app:2'), ['tag-not-found', ['answers-disagree']]);

    registry.bend({ kind: 'manifest', method: 'GET' }, neverAnswer);
    const options = { signal: AbortSignal.timeout(300) };
    assert.deepEqual(await judge('app:2', options), ['tag-not-found', ['answers-disagree']]);
  });

  it('takes a dockerd whose HEAD failed at its GET, unless the HEAD failed of the moment', async () => {
    const options = { runtime: 'docker@28.5/graph', insecure: [host] };
    assert.deepEqual(await judge('app:2', options), ['tag-not-found', []]);

    registry.bend({ kind: 'manifest', method: 'HEAD' }, status(500, 'UNKNOWN'));
    assert.deepEqual(await judge('app:2', options), ['tag-not-found', ['answers-disagree']]);
  });

  it('doubts a 404 that no registry wrote', async () => {
    registry.bend({ kind: 'manifest' }, page);

    assert.deepEqual(await judge('app:2'), ['tag-not-found', ['not-a-registry-answer']]);
  });

  it('doubts a 403 that no registry wrote', async () => {
    registry.bend({ kind: 'manifest' }, reply(403, { 'content-type': 'text/html' }, PAGE));

    assert.deepEqual(await judge('app:1'), ['access-denied', ['not-a-registry-answer']]);
  });

  it('doubts a login page in the place of a manifest, and in that of a config', async () => {
    registry.bend({ kind: 'manifest' }, reply(200, { 'content-type': 'text/html' }, PAGE));
    assert.deepEqual(await judge('app:1'), ['unsupported-manifest', ['not-a-registry-answer']]);

    registry.straighten();
    registry.bend({ kind: 'blob' }, reply(200, { 'content-type': 'text/html' }, PAGE));
    assert.deepEqual(await judge('app:1'), ['damaged', ['not-a-registry-answer']]);
  });
});

describe('what nodes may hold besides', () => {
  it('asks who may hold credentials for one more thing: can the same identity read the repository?', async () => {
    assert.deepEqual(await judge('app:2', { mayHaveCredentials: true }), ['tag-not-found', []]);
    assert.equal(registry.log.lines().at(-1), 'GET /v2/app/tags/list');
    assert.equal(registry.log.requests.length, 3);
  });

  it('leaves a 404 open where the repository cannot be read', async () => {
    registry.bend({ kind: 'tags' }, status(401, 'UNAUTHORIZED'));

    assert.deepEqual(await judge('app:2', { mayHaveCredentials: true }), ['tag-not-found', ['node-credentials']]);
  });

  it('leaves an unknown repository and a refused login open', async () => {
    const options = { mayHaveCredentials: true };
    assert.deepEqual(await judge('nothing:1', options), ['repository-not-found', ['node-credentials']]);

    registry.bend({}, basicAuth({ a: 'b' }));
    assert.deepEqual(await judge('app:1', options), ['access-denied', ['node-credentials']]);
  });

  it('asks nothing more where another doubt stands already', async () => {
    registry.bend({ kind: 'manifest' }, page);

    await judge('app:2', { mayHaveCredentials: true });

    assert.equal(registry.log.lines().includes('GET /v2/app/tags/list'), false);
  });

  it('proves with the login that was refused nothing', async () => {
    registry.bend({}, basicAuth({ puller: 'right' }));
    const credentials = [login('puller', 'right')];

    assert.deepEqual(await judge('app:2', { mayHaveCredentials: true, credentials }), ['tag-not-found', []]);
    assert.equal(registry.log.requests.at(-1)?.authorization, 'basic');
  });

  it('knows of settings that nodes may have, where they are not complete', async () => {
    const options = { setup: {}, settings: 'partial' } as const;

    assert.deepEqual(await judge('app:1', options), ['http-not-declared', ['node-settings']]);
    assert.deepEqual(await judge('app:1', { setup: {} }), ['http-not-declared', []]);
  });

  it('knows that they may have a file outside the folder that was declared, and not one inside it', async () => {
    const naming = (file: string): Partial<PullOptions> => ({
      setup: {
        certsD: memoryTree('certs.d', { [`${host}/hosts.toml`]: `server = "http://${host}"\nca = "${file}"\n` }),
      },
    });

    assert.deepEqual(await judge('app:1', naming('/etc/pki/corp.pem')), ['tls-other', ['node-settings']]);
    assert.deepEqual(await judge('app:1', naming('/etc/containerd/certs.d/corp.pem')), ['tls-other', []]);
    assert.deepEqual(await judge('app:1', naming('corp.pem')), ['tls-other', []]);
  });
});

describe('every endpoint that a node would try', () => {
  it('proves absence where mirror and upstream say so', async () => {
    assert.deepEqual(await judge('app:2', withMirror()), ['repository-not-found', []]);
  });

  it('doubts a 404 of the mirror while the upstream is out', async () => {
    registry.bend({}, cut('start'));

    assert.deepEqual(await judge('app:1', withMirror()), ['repository-not-found', ['not-every-endpoint']]);
  });

  it('doubts a 404 of the mirror while the upstream wants a certificate that nodes may trust', async () => {
    const authority = createAuthority();
    const leaf = authority.issue({ names: ['reg.test'] });
    const secure = await registry.listenToo({ tls: { cert: leaf.chain, key: leaf.key } });
    const at = `reg.test:${secure.port}`;
    const setup = hostsFile(at, [`http://other.test:${mirror.port}`], `https://${at}`);
    const ask = (settings: 'partial' | 'complete'): ReturnType<typeof predict> =>
      predict(`${at}/app:1`, { transport, setup, settings });

    const [partial, complete] = [await ask('partial'), await ask('complete')];

    assert.deepEqual([partial.outcome.kind, partial.doubts], ['repository-not-found', ['node-settings']]);
    assert.deepEqual([complete.outcome.kind, complete.isConclusive], ['repository-not-found', true]);
  });

  it('asks every endpoint that says 404 whether the repository can be read', async () => {
    mirror.store.repository('app').addImage({ tags: ['0'] });
    const options = { ...withMirror(), mayHaveCredentials: true };
    assert.deepEqual(await judge('app:2', options), ['tag-not-found', []]);

    mirror.bend({ kind: 'tags' }, status(403, 'DENIED'));
    assert.deepEqual(await judge('app:2', options), ['tag-not-found', ['node-credentials']]);
  });

  it('takes wrong content of a mirror for the end, as containerd asks nobody after it', async () => {
    const own = mirror.store.repository('mirrored').addImage({ tags: ['1'] });
    mirror.store.damage(own.config.digest, 'flipped');
    store.repository('mirrored').addImage({ tags: ['1'] });

    assert.deepEqual(await judge('mirrored:1', withMirror()), ['damaged', []]);
  });

  it('finds at the upstream what the mirror lacks', async () => {
    const own = mirror.store.repository('half').addImage({ tags: ['1'] });
    mirror.store.damage(own.layers[0]?.digest ?? own.digest, 'removed');
    store.repository('half').addImage({ tags: ['1'] });

    assert.deepEqual(await judge('half:1', withMirror()), ['pullable', []]);
  });
});

describe('every login that a node would try', () => {
  const logins = Array.from({ length: 5 }, (_, at) => login(`user${at}`, 'wrong'));

  it('proves a refusal where each was refused', async () => {
    registry.bend({}, basicAuth({ a: 'b' }));

    assert.deepEqual(await judge('app:1', { credentials: logins.slice(0, 4) }), ['access-denied', []]);
  });

  it('doubts it where some were left out', async () => {
    registry.bend({}, basicAuth({ a: 'b' }));

    assert.deepEqual(await judge('app:1', { credentials: logins }), ['access-denied', ['not-every-endpoint']]);
  });

  it('tries a login once that stands in two secrets', async () => {
    registry.bend({}, basicAuth({ a: 'b' }));
    const twice = [login('user', 'wrong', 'one'), login('user', 'wrong', 'two')];

    await judge('app:1', { credentials: twice });

    assert.equal(registry.log.requests.filter(({ authorization }) => authorization === 'basic').length, 1);
  });

  it('doubts it where one met noise', async () => {
    registry.bend({}, basicAuth({ a: 'b' }));
    registry.bend({ kind: 'manifest' }, status(502, 'UNKNOWN'), { times: 1 });

    assert.deepEqual(await judge('app:1', { credentials: logins.slice(0, 2) }), [
      'access-denied',
      ['not-every-endpoint'],
    ]);
  });

  it('doubts it where the time was over before the last', async () => {
    registry.bend({}, basicAuth({ a: 'b' }));
    const abort = new AbortController();
    registry.bend({ kind: 'manifest' }, (_question, answer) => {
      abort.abort();
      return answer;
    });
    const setup = hostsFile(host, []);

    const { outcome, isConclusive } = await predict(`${host}/app:1`, {
      transport,
      setup,
      credentials: logins.slice(0, 3),
      signal: abort.signal,
    });

    assert.equal(isConclusive, false, JSON.stringify(outcome));
    assert.ok(registry.log.requests.length <= 2, 'the others are not asked any more');
  });
});

it('proves nothing by a refusal where a dockerd could not learn how to log in', async () => {
  registry.bend({}, basicAuth({ puller: 'right' }));
  registry.bend({ kind: 'base' }, status(503, 'UNAVAILABLE'));
  const credentials = [login('puller', 'right')];

  const { outcome, isConclusive } = await predict(`${host}/app:1`, {
    transport,
    runtime: 'docker@28.5/graph',
    insecure: [host],
    credentials,
  });

  assert.deepEqual([outcome.kind, isConclusive], ['registry-error', false]);
});

it('proves nothing of a damaged image while a mirror that may hold a sound one gives no answer', async () => {
  const own = store.repository('spoilt').addImage({ tags: ['1'] });
  store.damage(own.config.digest, 'flipped');
  assert.deepEqual(await judge('spoilt:1', withMirror()), ['damaged', []]);

  mirror.bend({}, status(502, 'UNKNOWN'));
  assert.deepEqual(await judge('spoilt:1', withMirror()), ['damaged', ['not-every-endpoint']]);
});

describe('every runtime and platform that nodes may have', () => {
  it('proves nothing where runtimes disagree', async () => {
    registry.bend({ kind: 'manifest', method: 'HEAD' }, status(400, 'UNSUPPORTED'));
    const runtime = 'containerd@2.1/transfer+docker@28.5/graph';

    const [kind, doubts] = await judge('app:1', { runtime, insecure: [host], setup: {} });

    assert.deepEqual([kind, doubts.includes('node-runtime')], ['registry-error', true]);
  });

  it('proves absence where all agree', async () => {
    const runtime = 'containerd+docker+crio';

    assert.deepEqual(await judge('app:2', { runtime, insecure: [host], setup: {} }), ['tag-not-found', []]);
  });

  it('says nothing for certain of schema 1 where a daemon may have it switched on', async () => {
    const document = { schemaVersion: 1, fsLayers: [], history: [] };
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    store.repository('old').addManifest(document, type, ['1']);

    assert.deepEqual(await judge('old:1', { runtime: 'containerd@2.0' }), ['unsupported-manifest', ['node-runtime']]);
    assert.deepEqual(await judge('old:1'), ['unsupported-manifest', []]);
  });

  it('denies a platform only where it is fixed, and none that some nodes can do without', async () => {
    const repository = store.repository('multi');
    repository.addIndex(
      [repository.addImage(), repository.addImage({ platform: { os: 'linux', architecture: 'arm64' } })],
      {
        tags: ['1'],
      },
    );
    const kinds = ['platform-mismatch', []];

    assert.deepEqual(await judge('multi:1', { platforms: ['linux/s390x'] }), kinds);
    assert.deepEqual(await judge('multi:1', { platforms: ['linux/s390x'], isFixed: false }), [
      kinds[0],
      ['node-platforms'],
    ]);
    assert.deepEqual(await judge('multi:1', { platforms: ['linux/amd64', 'linux/s390x'] }), [
      kinds[0],
      ['node-platforms'],
    ]);
    assert.deepEqual(await judge('multi:1', { platforms: ['linux/amd64', 'linux/arm64'] }), ['pullable', []]);
  });

  it('names the platforms that lack, and says whether they are all', async () => {
    const ask = (platforms: readonly string[]): ReturnType<typeof predict> =>
      predict(`${host}/multi:1`, { transport, setup: hostsFile(host, []), platforms });

    const { outcome } = await ask(['linux/amd64', 'linux/s390x', 'linux/ppc64le']);

    assert.ok(outcome.kind === 'platform-mismatch');
    assert.deepEqual(
      outcome.wanted.map((one) => one.architecture),
      ['s390x', 'ppc64le'],
    );
    assert.equal(outcome.isPartial, true);
  });

  it('keeps to what it knows of one platform while another meets noise', async () => {
    registry.bend({ kind: 'blob' }, status(502, 'UNKNOWN'));

    const answer = await judge('multi:1', { platforms: ['linux/amd64', 'linux/s390x'] });

    assert.deepEqual(answer, ['platform-mismatch', ['not-every-endpoint']]);
  });
});

describe('what a digest stands for', () => {
  it('tells a blob from what is not there at all, as containerd does', async () => {
    const name = `app@${image.config.digest}`;

    assert.deepEqual(await judge(name), ['unsupported-manifest', []]);
    assert.equal(registry.log.lines().at(-1), `HEAD /v2/app/blobs/${image.config.digest}`);
    assert.deepEqual(await judge(name, { runtime: 'docker@28.5/graph', insecure: [host] }), ['digest-not-found', []]);
  });

  it('ignores the tag beside it', async () => {
    assert.deepEqual(await judge(`app:nothing@${image.digest}`), ['pullable', []]);
  });

  it('does not take other bytes for it', async () => {
    registry.bend(
      { kind: 'manifest', reference: image.digest },
      reply(200, { 'content-type': image.mediaType }, JSON.stringify({ other: true })),
    );

    assert.deepEqual(await judge(`app@${image.digest}`), ['damaged', []]);
  });
});

it('calls a body that breaks off damaged, and never proven', async () => {
  registry.bend({ kind: 'blob', method: 'GET' }, reply(200, { 'content-length': '400' }, 'a part of it'));

  assert.deepEqual(await judge('app:1'), ['damaged', ['not-a-registry-answer']]);
});
