import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { packTar, sha256 } from '../../webhook/demo/image-store.ts';
import { createContentCheck } from '../../webhook/pull/content.ts';
import { createSharedReads } from '../../webhook/pull/shared-reads.ts';
import { cut, delay, reply, throttle } from '../support/bend.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { describeLayer, noise, patience, questionOf, startLayerRig, verdictOf, type LayerRig } from './layer-rig.ts';

const TAR = packTar({ 'usr/share/data': noise(3 * 1024 * 1024) });
const BYTES = gzipSync(TAR, { level: 1 });
const LAYER = describeLayer(BYTES);
const DIFF_ID = sha256(TAR);
const REPOSITORIES = ['team/a', 'team/b', 'team/c'];

describe('a layer that several images have', () => {
  let registry: ScriptedRegistry;
  let rig: LayerRig;

  before(async () => {
    registry = await startScriptedRegistry();
    for (const name of REPOSITORIES) registry.store.repository(name).addBlob(BYTES);
    rig = startLayerRig();
  });
  beforeEach(() => {
    registry.straighten();
    registry.log.clear();
  });
  after(async () => {
    await rig.close();
    await registry.close();
  });

  const questionAt = (repository: string) =>
    questionOf(rig.clientFor(registry.host, repository), LAYER, { diffId: DIFF_ID });

  it('is read once, at the same time and later', async () => {
    const check = createContentCheck({ onRead: () => undefined });
    const together = await Promise.all(REPOSITORIES.map((name) => check(questionAt(name), patience())));
    const later = await check(questionAt('team/a'), patience());

    assert.deepEqual([...together, later].map(verdictOf), Array(4).fill('sound'));
    assert.equal(registry.log.requests.length, 1);
  });

  it('is judged for each by its own config, and reported with its own path', async () => {
    registry.bend({ kind: 'blob' }, reply(200, {}, BYTES.subarray(0, 9_000)));
    const check = createContentCheck({ onRead: () => undefined });
    const results = await Promise.all(REPOSITORIES.map((name) => check(questionAt(name), patience())));

    const paths = results.map((one) => !one.ok && 'evidence' in one.error && one.error.evidence?.path);
    assert.deepEqual(
      paths,
      REPOSITORIES.map((name) => `/v2/${name}/blobs/${LAYER.digest}`),
    );
    assert.equal(registry.log.requests.length, 1);
    registry.straighten();
    const sound = createContentCheck({ onRead: () => undefined });
    assert.equal(verdictOf(await sound(questionAt('team/a'), patience())), 'sound');
    const other = { ...questionAt('team/b'), diffId: sha256(BYTES) };
    assert.equal(verdictOf(await sound(other, patience())), "unpacks to other content than the config's diff id says");
    assert.equal(registry.log.requests.length, 2);
  });

  it('is read for the others where one gives up', async () => {
    registry.bend({ kind: 'blob' }, delay(300));
    const check = createContentCheck({ onRead: () => undefined });
    const hasty = check(questionAt('team/a'), AbortSignal.timeout(50));
    const patient = check(questionAt('team/b'), patience());

    assert.equal(verdictOf(await hasty), 'unreachable: timeout');
    assert.equal(verdictOf(await patient), 'sound');
    assert.equal(registry.log.requests.length, 1);
  });

  it('is read no further where all give up', async () => {
    registry.bend({ kind: 'blob' }, throttle(200_000));
    let heard = 0;
    const check = createContentCheck({
      onRead: (total) => {
        heard = total;
      },
    });
    const verdict = verdictOf(await check(questionAt('team/a'), AbortSignal.timeout(100)));
    await sleep(100);

    assert.equal(verdict, 'unreachable: timeout');
    assert.ok(heard < BYTES.length);
    registry.straighten();
    assert.equal(verdictOf(await check(questionAt('team/a'), patience())), 'sound');
  });

  it('is asked for again after a failure of the moment', async () => {
    registry.bend({ kind: 'blob' }, reply(502, {}), { times: 1 });
    const check = createContentCheck({ onRead: () => undefined });

    assert.equal(verdictOf(await check(questionAt('team/a'), patience())), 'registry-error');
    assert.equal(verdictOf(await check(questionAt('team/a'), patience())), 'sound');
  });

  it('tells how much was read as it comes, each byte once', async () => {
    registry.bend({ kind: 'blob' }, cut(1_500_000), { times: 1 });
    const heard: number[] = [];
    const check = createContentCheck({ onRead: (total) => heard.push(total) });
    await check(questionAt('team/a'), patience());

    assert.ok(heard.length >= 2, `heard ${heard.join(', ')}`);
    assert.deepEqual(
      heard,
      heard.toSorted((a, b) => a - b),
    );
    assert.ok((heard.at(-1) ?? 0) <= BYTES.length);
  });
});

describe('a shared read', () => {
  it('lets a bug through to whoever waits, and forgets it', async () => {
    const reads = createSharedReads<number>(() => true);
    await assert.rejects(
      reads.get('key', async () => Promise.reject(new Error('a bug')), patience()),
      /a bug/u,
    );

    assert.equal(await reads.get('key', async () => 7, patience()), 7);
  });

  it('does not begin for who has no time', async () => {
    let begun = 0;
    const reads = createSharedReads<number>(() => true);
    const read = async (): Promise<number> => (begun += 1);

    assert.equal(await reads.get('key', read, AbortSignal.abort()), undefined);
    assert.equal(begun, 0);
  });

  it('hands on nothing that holds for another alone', async () => {
    const reads = createSharedReads<string>((value) => value === 'lasting');
    const slow = reads.get('key', async () => sleep(20, 'of the moment'), patience());
    const waiting = reads.get('key', async () => 'my own', patience());

    assert.deepEqual(await Promise.all([slow, waiting]), ['of the moment', 'my own']);
  });
});
