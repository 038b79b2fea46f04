import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createImageStore } from '../../webhook/demo/image-store.ts';
import type { Bend } from '../../webhook/demo/registry.ts';
import { DOCKER_CONFIG, DOCKER_MANIFEST, DOCKER_SCHEMA1, OCI_MANIFEST } from '../../webhook/image/media-type.ts';
import { createPredictionCache } from '../../webhook/pull/cache.ts';
import type { Budget } from '../../webhook/registry/budget.ts';
import { unlimited } from '../../webhook/registry/budget.ts';
import { createReplyRoom } from '../../webhook/registry/reply-room.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { redirect, reply, status, withHeaders, withoutHeader } from '../support/bend.ts';
import { addForeignImage } from '../support/odd-image.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { startTokenService } from '../support/token-service.ts';
import { hostsFile, login, predict, type PullOptions } from './rig.ts';

const store = createImageStore();
const app = store.repository('app');
const image = app.addImage({ layers: [{ a: 'one' }, { b: 'two' }, { c: 'three' }], tags: ['1'] });
const other = app.addImage({ platform: { os: 'linux', architecture: 'arm64' } });
app.addIndex([image, other], { tags: ['multi'] });
const PARTS = [
  `GET /v2/app/manifests/${image.digest}`,
  `GET /v2/app/blobs/${image.config.digest}`,
  ...image.layers.map(({ digest }) => `HEAD /v2/app/blobs/${digest}`).sort(),
];

let registry: ScriptedRegistry;
let elsewhere: ScriptedRegistry;
let transport: Transport;
let host: string;
before(async () => {
  registry = await startScriptedRegistry({ store });
  elsewhere = await startScriptedRegistry({ store });
  transport = createWire();
  host = `reg.test:${registry.port}`;
});
after(() => Promise.all([transport.close(), registry.close(), elsewhere.close()]));
beforeEach(() => {
  registry.straighten();
  elsewhere.straighten();
  registry.log.clear();
  elsewhere.log.clear();
});

const ask = (name: string, options: Partial<PullOptions> = {}): ReturnType<typeof predict> =>
  predict(`${host}/${name}`, { transport, setup: hostsFile(host, []), ...options });

/** Layers are asked side by side: their order says nothing. */
function lines({ log }: ScriptedRegistry): readonly string[] {
  const all = log.lines();
  const isLayer = (line: string): boolean => image.layers.some(({ digest }) => line.endsWith(digest));
  return [...all.filter((line) => !isLayer(line)), ...all.filter(isLayer).sort()];
}

describe('what an answer costs', () => {
  it('asks for a public tag by HEAD, for manifest and config by GET, for each layer by HEAD', async () => {
    const { outcome, requests, isConclusive } = await ask('app:1');

    assert.deepEqual(lines(registry), ['HEAD /v2/app/manifests/1', ...PARTS]);
    assert.equal(requests, registry.log.requests.length);
    assert.equal(isConclusive, true);
    assert.ok(outcome.kind === 'pullable');
    assert.equal(outcome.depth, 'graph');
    assert.equal(
      outcome.compressedBytes,
      [image.config, ...image.layers].reduce((sum, { size }) => sum + size, 0),
    );
  });

  it('asks for config and layers side by side where there are many layers, as containerd does', async () => {
    const layerSeen = Promise.withResolvers<undefined>();
    registry.bend({ method: 'HEAD', kind: 'blob' }, (_question, answer) => {
      layerSeen.resolve(undefined);
      return answer;
    });
    registry.bend({ path: new RegExp(image.config.digest, 'u') }, async (_question, answer) => {
      await layerSeen.promise;
      return answer;
    });

    const { outcome } = await ask('app:1');

    assert.equal(outcome.kind, 'pullable');
  });

  it('names the config where it and a layer are not there', async () => {
    registry.bend({ kind: 'blob' }, status(404, 'BLOB_UNKNOWN'));

    const { outcome, isConclusive } = await ask('app:1');

    assert.ok(outcome.kind === 'damaged' && isConclusive);
    assert.deepEqual([outcome.part, outcome.digest], ['config', image.config.digest]);
  });

  for (const { name, credentials, token } of [
    { name: 'without a login', credentials: [], token: 'GET /token' },
    { name: 'with a login', credentials: [login('puller', 'pass')], token: 'POST /token' },
  ]) {
    it(`adds to that, ${name}, the first 401 and one token`, async () => {
      const tokens = await startTokenService({ logins: { puller: 'pass' } });
      const closed = await startScriptedRegistry({ store, auth: tokens.bearerAuth });
      const at = `reg.test:${closed.port}`;

      const { outcome, requests } = await predict(`${at}/app:1`, {
        transport,
        credentials,
        setup: hostsFile(at, []),
      }).finally(() => Promise.all([closed.close(), tokens.close()]));

      assert.equal(outcome.kind, 'pullable');
      assert.deepEqual(lines(closed), ['HEAD /v2/app/manifests/1', 'HEAD /v2/app/manifests/1', ...PARTS]);
      assert.deepEqual(tokens.log.lines(), [token]);
      assert.equal(requests, closed.log.requests.length + 1);
    });
  }

  it('asks nothing twice for several platforms and runtimes that ask alike', async () => {
    await ask('app:multi', { platforms: ['linux/amd64', 'linux/arm64'], runtime: 'containerd' });

    const all = registry.log.lines();
    assert.deepEqual(all.toSorted(), [...new Set(all)].toSorted());
    assert.equal(all.length, 1 + 3 + 2 + image.layers.length + other.layers.length);
  });

  it('asks by HEAD alone for a digest that was found whole before, and only for the same identity', async () => {
    const cache = createPredictionCache({ maxEntries: 100, loadMs: 1_000, now: () => 0 });
    const memoryFor: PullOptions['memoryFor'] = (credential) => cache.memoryFor(credential?.username ?? 'anonymous');
    await ask('app:1', { memoryFor });
    registry.log.clear();

    const again = await ask('app:1', { memoryFor });
    const asOther = await ask('app:1', { memoryFor, credentials: [login('other', 'x')] });

    assert.equal(again.requests, 1);
    assert.equal(asOther.requests, 1 + PARTS.length);
    assert.deepEqual({ ...again.outcome, evidence: undefined }, { ...asOther.outcome, evidence: undefined });
  });

  it('does not remember what was not found whole', async () => {
    const cache = createPredictionCache({ maxEntries: 100, loadMs: 1_000, now: () => 0 });
    const memoryFor: PullOptions['memoryFor'] = () => cache.memoryFor('anonymous');
    registry.bend({ kind: 'blob' }, status(500, 'UNKNOWN'));
    await ask('app:1', { memoryFor });
    registry.straighten();

    assert.ok((await ask('app:1', { memoryFor })).requests > 1);
  });

  it('is content with existence beyond the budget', async () => {
    const budget: Budget = { ...unlimited, mayLookInside: () => false };

    const { outcome } = await ask('app:1', { budget });

    assert.ok(outcome.kind === 'pullable');
    assert.deepEqual([outcome.depth, outcome.compressedBytes], ['exists', undefined]);
    assert.deepEqual(registry.log.lines(), ['HEAD /v2/app/manifests/1']);
  });

  it('gives up on what no runtime would build', async () => {
    const many = store.repository('many');
    const digests = Array.from({ length: 600 }, (_, at) => `sha256:${String(at).padStart(64, '0')}`);
    const rootfs = { type: 'layers', diff_ids: digests };
    const text = JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs });
    const config = many.addBlob(Buffer.from(text), DOCKER_CONFIG);
    const crowd = digests.map((digest) => ({ ...image.layers[0], digest }));
    many.addManifest({ schemaVersion: 2, config, layers: crowd }, DOCKER_MANIFEST, ['layers']);
    const entries = Array.from({ length: 40 }, (_, at) => many.addImage({ layers: [{ at: String(at) }] }));
    many.addIndex(entries, { tags: ['matches'] });

    const outcomes = await Promise.all([ask('many:layers'), ask('many:matches')]);

    for (const { outcome } of outcomes) assert.ok(outcome.kind === 'not-checked' && outcome.reason === 'limit');
    assert.ok(registry.log.requests.length < 100);
  });

  it('reads long manifests one after the other where there is room for one', async () => {
    const config = store.repository('long').addImage().config;
    const annotations = { padding: 'x'.repeat(400_000) };
    const QUICK = { bytesPerSecond: Infinity, now: () => 0 };
    for (const tag of ['1', '2', '3']) {
      store
        .repository('long')
        .addManifest({ schemaVersion: 2, config, layers: [], annotations, tag }, OCI_MANIFEST, [tag]);
    }
    const replyRoom = createReplyRoom({ maxBytes: 512 * 1024, ...QUICK });

    const all = await Promise.all(['1', '2', '3'].map((tag) => ask(`long:${tag}`, { replyRoom })));
    const full = createReplyRoom({ maxBytes: 1, ...QUICK });
    await full.enter().take(1, AbortSignal.timeout(1_000));
    const none = await ask('long:1', { replyRoom: full, signal: AbortSignal.timeout(200) });

    assert.deepEqual(
      all.map(({ outcome }) => outcome.kind),
      all.map(() => 'damaged'),
    );
    assert.equal(none.outcome.kind, 'unreachable');
  });

  it('proves nothing by a manifest or a config that holds too much to be read', async () => {
    const dense = store.repository('dense');
    const values = Array.from({ length: 70_000 }, () => 0);
    dense.addManifest({ schemaVersion: 2, values }, DOCKER_MANIFEST, ['manifest']);
    const config = dense.addBlob(Buffer.from(JSON.stringify({ values })), DOCKER_CONFIG);
    const { layers } = dense.addImage();
    dense.addManifest({ schemaVersion: 2, config, layers }, DOCKER_MANIFEST, ['config']);
    dense.addManifest({ schemaVersion: 1, values }, DOCKER_SCHEMA1, ['schema1']);

    const outcomes = [await ask('dense:manifest'), await ask('dense:schema1', { runtime: 'containerd@1.7' })];

    for (const { outcome } of outcomes) assert.ok(outcome.kind === 'not-checked' && outcome.reason === 'limit');
    assert.equal((await ask('dense:config')).outcome.kind, 'pullable');
  });
});

describe('layers at registries that do not like HEAD', () => {
  const isHead = { kind: 'blob', method: 'HEAD' } as const;
  const hostile: readonly {
    readonly name: string;
    readonly bends: () => readonly (readonly [typeof isHead | { kind: 'blob' }, Bend])[];
  }[] = [
    {
      name: 'HEAD 404, then GET 200: a proxy cache that has not fetched it yet',
      bends: () => [[isHead, status(404, 'BLOB_UNKNOWN')]],
    },
    { name: 'HEAD 403: ECR Public', bends: () => [[isHead, status(403, 'DENIED')]] },
    { name: 'HEAD 401 without a challenge', bends: () => [[isHead, status(401, 'UNAUTHORIZED')]] },
    { name: 'HEAD 405', bends: () => [[isHead, status(405, 'UNSUPPORTED')]] },
    { name: 'HEAD 500', bends: () => [[isHead, status(500, 'UNKNOWN')]] },
    { name: 'HEAD that breaks off', bends: () => [[isHead, (_question, answer) => ({ ...answer, cutAt: 'start' })]] },
    { name: 'HEAD with a length of 0', bends: () => [[isHead, withHeaders({ 'content-length': '0' })]] },
    { name: 'HEAD without Content-Length', bends: () => [[isHead, withHeaders({ 'transfer-encoding': 'chunked' })]] },
    {
      name: 'HEAD and GET without Content-Length',
      bends: () => [[{ kind: 'blob' }, withHeaders({ 'transfer-encoding': 'chunked' })]],
    },
    { name: 'no ranges', bends: () => [[{ kind: 'blob' }, withoutHeader('accept-ranges')]] },
    {
      name: 'a presigned URL that refuses HEAD with 403',
      bends: () => {
        elsewhere.bend(
          isHead,
          reply(403, { 'content-type': 'application/xml' }, '<Error><Code>AccessDenied</Code></Error>'),
        );
        return [[{ kind: 'blob' }, redirect(({ url }) => `${elsewhere.origin}${url.pathname}?signature=s`)]];
      },
    },
  ];
  for (const { name, bends } of hostile) {
    it(`takes a whole image for whole: ${name}`, async () => {
      for (const [match, bend] of bends()) registry.bend(match, bend);

      const { outcome } = await ask('app:1');

      assert.equal(outcome.kind, 'pullable', JSON.stringify(outcome));
    });
  }

  it('calls a layer damaged that GET does not find, at the registry and where it redirects to', async () => {
    const { digest } = image.layers[1] ?? image.config;
    registry.bend({ kind: 'blob', reference: digest }, status(404, 'BLOB_UNKNOWN'));
    const here = await ask('app:1');
    registry.straighten();
    elsewhere.bend({ kind: 'blob' }, reply(404, { 'content-type': 'application/xml' }, '<Error/>'));
    registry.bend(
      { kind: 'blob', reference: digest },
      redirect(({ url }) => `${elsewhere.origin}${url.pathname}`),
    );
    const there = await ask('app:1');

    for (const { outcome, isConclusive } of [here, there]) {
      assert.ok(outcome.kind === 'damaged' && outcome.part === 'layer' && isConclusive, JSON.stringify(outcome));
      assert.equal(outcome.digest, digest);
      assert.equal(outcome.evidence.method, 'GET');
    }
  });

  it('does not prove by a store that refuses us that it refuses the nodes', async () => {
    elsewhere.bend({ kind: 'blob' }, reply(403, { 'content-type': 'application/xml' }, '<Error/>'));
    registry.bend(
      { kind: 'blob' },
      redirect(({ url }) => `${elsewhere.origin}${url.pathname}`),
    );

    const { outcome, isConclusive } = await ask('app:1');

    assert.ok(outcome.kind === 'access-denied' && outcome.by === 'redirect-target' && !isConclusive);
  });

  it('reads no layer', async () => {
    registry.bend({ kind: 'blob', method: 'HEAD' }, status(403, 'DENIED'));
    const large = store.repository('large').addImage({ paddingBytes: 3 * 1024 * 1024, tags: ['1'] });
    registry.bend({ kind: 'blob', reference: large.layers[1]?.digest ?? '' }, (_question, answer) => ({
      ...answer,
      bytesPerSecond: 100_000,
    }));

    assert.equal((await ask('large:1')).outcome.kind, 'pullable');
  });
});

describe('foreign layers', () => {
  const urlAt = (path: string): string => `${elsewhere.origin}${path}`;

  it('are looked for at their own URL, without a login, and at the registry where that answers 404', async () => {
    const { size } = store.repository('foreign').addImage({ format: 'docker' }).layers[0] ?? { size: 0 };
    elsewhere.bend({ path: '/there' }, reply(200, { 'content-length': String(size) }));
    elsewhere.bend({ path: '/other' }, reply(200, { 'content-length': String(size + 1) }));
    addForeignImage(store.repository('foreign'), [urlAt('/there')], ['there']);
    addForeignImage(store.repository('foreign'), [urlAt('/other')], ['other']);
    addForeignImage(store.repository('foreign'), [urlAt('/nothing')], ['gone']);
    const credentials = [login('puller', 'secret')];

    const there = await ask('foreign:there', { credentials });
    const other = await ask('foreign:other', { credentials });
    const gone = await ask('foreign:gone', { credentials });

    assert.equal(there.outcome.kind, 'pullable', JSON.stringify(there.outcome));
    assert.deepEqual([other.outcome.kind, other.isConclusive], ['damaged', false]);
    assert.ok(gone.outcome.kind === 'damaged' && gone.outcome.part === 'layer');
    assert.deepEqual(elsewhere.log.lines(), ['GET /there', 'GET /other', 'GET /nothing']);
    assert.deepEqual(elsewhere.log.sightings('secret'), []);
  });

  it("are not asked for by a webhook, which is nobody's proxy", async () => {
    const { outcome } = await ask('foreign:there', { asksForeignUrls: false });

    assert.ok(outcome.kind === 'not-checked' && outcome.reason === 'limit');
    assert.deepEqual(elsewhere.log.lines(), []);
  });
});
