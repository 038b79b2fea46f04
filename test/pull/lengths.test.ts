import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { createImageStore } from '../../webhook/demo/image-store.ts';
import type { Bend } from '../../webhook/demo/registry.ts';
import { createWire } from '../registry/rig.ts';
import { cut, reply, status, withHeaders, type Match } from '../support/bend.ts';
import { startScriptedRegistry } from '../support/scripted-registry.ts';
import { hostsFile, predict } from './rig.ts';

const store = createImageStore();
const { config, layers } = store.repository('app').addImage({ tags: ['1'] });
const [layer = config] = layers;
const large = store.repository('large').addImage({ paddingBytes: 200_000, tags: ['1'] }).layers[1] ?? layer;
const registry = await startScriptedRegistry({ store });
const mirror = await startScriptedRegistry({ store });
const transport = createWire();
after(() => Promise.all([transport.close(), registry.close(), mirror.close()]));
afterEach(() => {
  registry.straighten();
  mirror.straighten();
});

const host = `reg.test:${registry.port}`;

/** The outcome, with a question mark where it is not proven. */
async function verdict(name = 'app:1', runtime = 'containerd@2.1/transfer', mirrors: readonly string[] = []) {
  const options = { transport, runtime, insecure: [host], setup: hostsFile(host, mirrors) };
  const { outcome, isConclusive } = await predict(`${host}/${name}`, options);
  return `${outcome.kind}${isConclusive ? '' : '?'}`;
}

const LAYER: Match = { kind: 'blob', reference: layer.digest };
const LARGE: Match = { kind: 'blob', reference: large.digest };
const CHUNKED = { 'transfer-encoding': 'chunked' };
const chunked = withHeaders(CHUNKED);
const page = reply(200, { 'content-type': 'text/html', ...CHUNKED }, '<html>log in</html>');
const halved: Bend = (_question, answer) => ({ ...answer, body: answer.body.subarray(0, answer.body.length >> 1) });
/** Its header promises more than comes: the connection ends with the last byte. */
const promising: Bend = (question, answer) =>
  question.headers.range === undefined
    ? { ...answer, headers: { ...answer.headers, 'content-length': String(answer.body.length + 9) } }
    : answer;
const longer: Bend = (question, answer) =>
  question.headers.range === undefined
    ? { ...answer, body: Buffer.concat([answer.body, Buffer.from('more')]) }
    : answer;
/** Answers every GET from the beginning. */
const rangeless: Bend = (question, answer) =>
  question.headers.range === undefined ? answer : { status: 200, headers: {}, body: Buffer.from('from the beginning') };
const behind: Bend = (question, answer) =>
  question.headers.range === undefined
    ? answer
    : {
        status: 206,
        headers: { 'content-range': question.headers.range.replace('=', ' ') + '9/*' },
        body: Buffer.from('more'),
      };

describe('a layer whose header gives another length than the manifest', () => {
  const cases: readonly (readonly [string, Match, readonly Bend[], string])[] = [
    ['is pulled where no more comes than the manifest says', LAYER, [promising], 'pullable'],
    ['is damaged where more comes', LAYER, [longer], 'damaged'],
    ['is damaged where there is much to read, and more behind its end', LARGE, [longer, behind], 'damaged'],
    ['is not proven where there is much to read, and nothing behind its end', LARGE, [promising], 'damaged?'],
    [
      'is not proven where there is much to read of a registry that knows no ranges',
      LARGE,
      [longer, rangeless],
      'damaged?',
    ],
    ['is damaged where less comes', LAYER, [halved], 'damaged'],
    ['is damaged where 204 says that there is nothing', LAYER, [reply(204, {})], 'damaged'],
  ];
  for (const [name, match, bends, expected] of cases) {
    it(name, async () => {
      for (const bend of bends) registry.bend(match, bend);

      assert.equal(await verdict(match === LARGE ? 'large:1' : 'app:1'), expected);
    });
  }
});

describe('a layer whose header gives no length', () => {
  const cases: readonly (readonly [string, Match, Bend, string])[] = [
    ['is read where it is small, and whole', LAYER, chunked, 'pullable'],
    [
      'is read where it is small, and half of it is there',
      LAYER,
      async (question, answer) => chunked(question, await halved(question, answer)),
      'damaged',
    ],
    ['may be the page of a proxy', LAYER, page, 'damaged?'],
    ['may be the page of a proxy, however large it should be', LARGE, page, 'damaged?'],
    ['is taken for what it should be where it is large', LARGE, chunked, 'pullable'],
  ];
  for (const [name, match, bend, expected] of cases) {
    it(name, async () => {
      registry.bend(match, bend);

      assert.equal(await verdict(match === LARGE ? 'large:1' : 'app:1'), expected);
    });
  }
});

describe('content that breaks off', () => {
  const CONFIG: Match = { kind: 'blob', method: 'GET', reference: config.digest };
  const MANIFEST: Match = { kind: 'manifest', method: 'GET' };

  it('is whole to containerd once all its bytes have come', async () => {
    for (const match of [CONFIG, MANIFEST]) registry.bend(match, promising);

    assert.equal(await verdict(), 'pullable');
    assert.equal(await verdict('app:1', 'crio@1.34'), 'damaged?');
  });

  it('is fetched in parts by containerd, from a registry that knows ranges', async () => {
    registry.bend(CONFIG, cut(30));

    assert.equal(await verdict(), 'pullable');
    assert.equal(await verdict('app:1', 'crio@1.34'), 'damaged?');
  });

  it('is not fetched from the next host, which containerd asks only where the answer itself is a failure', async () => {
    mirror.bend(MANIFEST, cut(30));
    assert.equal(await verdict('app:1', 'containerd@2.1', [mirror.origin]), 'damaged?');
    mirror.straighten();

    mirror.bend(MANIFEST, status(404, 'MANIFEST_UNKNOWN'));
    assert.equal(await verdict('app:1', 'containerd@2.1', [mirror.origin]), 'pullable');
  });

  it('is read no longer than it may be', async () => {
    registry.bend(CONFIG, (_question, { headers }) => ({
      status: 200,
      headers: { ...headers, 'content-length': '99999999' },
      body: Buffer.alloc(64 * 1024),
    }));

    assert.equal(await verdict(), 'damaged?');
  });
});
