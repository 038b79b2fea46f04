import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isTag } from '../../webhook/image/reference.ts';
import { jsonAnswer } from '../../webhook/demo/answer.ts';
import { basicAuth } from '../../webhook/demo/registry.ts';
import { describe as inWords } from '../../webhook/outcome/message.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import { similarTags } from '../../webhook/pull/similar-tags.ts';
import { createBudget } from '../../webhook/registry/budget.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { neverAnswer, reply, status } from '../support/bend.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { hostsFile, login, predict, type PullOptions } from './rig.ts';

describe('tags that are like another', () => {
  for (const [what, wanted, tags, expected] of [
    ['a v too many or too few', 'v1.2.3', ['1.2.3', '2.0.0'], ['1.2.3']],
    ['small and capital letters', '1.0-rc1', ['1.0-RC1', '1.0'], ['1.0-RC1', '1.0']],
    ['another separator', '2024.01.15', ['2024-01-15'], ['2024-01-15']],
    ['a platform behind it', '1.2', ['1.2-alpine', '1.2.7', 'stable'], ['1.2.7', '1.2-alpine']],
    ['a platform that there is not', '1.2-alpin', ['1.2', '1.2-alpine'], ['1.2', '1.2-alpine']],
    ['two neighbours swapped', 'lastest', ['latest', 'edge'], ['latest']],
    ['nothing like it', 'prod', ['1', '2', 'x', 'test'], []],
    ['other short tags', '1.2', ['7.9', '12'], []],
    ['at most three', '1', ['1.1', '1.2', '1.3', '1.4'], ['1.1', '1.2', '1.3']],
    ['the nearest spelling first', 'v1', ['V1', '1', 'v1-slim'], ['1', 'V1', 'v1-slim']],
  ] as const) {
    it(`names ${what}`, () => assert.deepEqual(similarTags(wanted, tags), expected));
  }

  it('never names more than three, the tag itself or anything that is not there', () => {
    const tag = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,12}$/u);
    fc.assert(
      fc.property(tag, fc.array(tag, { maxLength: 20 }), (wanted, tags) => {
        const found = similarTags(wanted, tags);
        assert.ok(found.length <= 3 && found.every((one) => one !== wanted && tags.includes(one)));
      }),
      { numRuns: 300 },
    );
  });
});

let registry: ScriptedRegistry;
let mirror: ScriptedRegistry;
let transport: Transport;
let host: string;
before(async () => {
  registry = await startScriptedRegistry();
  mirror = await startScriptedRegistry();
  transport = createWire();
  host = `reg.test:${registry.port}`;
  registry.store.repository('app').addImage({ tags: ['1.2.3', '1.2.3-alpine', '2.0.0'] });
});
after(() => Promise.all([transport.close(), registry.close(), mirror.close()]));
beforeEach(() => {
  for (const one of [registry, mirror]) {
    one.straighten();
    one.log.clear();
  }
});

const ask = (name: string, options: Partial<PullOptions> = {}): Promise<Prediction> =>
  predict(`${host}/${name}`, { transport, setup: hostsFile(host, []), tagHint: { untilMs: 10_000 }, ...options });
const similarOf = ({ outcome }: Prediction): readonly string[] | string =>
  outcome.kind === 'tag-not-found' ? outcome.similarTags : outcome.kind;
const lists = (one: ScriptedRegistry): readonly string[] =>
  one.log.requests.filter(({ path }) => path.includes('/tags/')).map(({ url }) => new URL(url).search);

describe('tags like one that does not exist', () => {
  it('are listed and named in the message', async () => {
    const prediction = await ask('app:v1.2.3');

    assert.deepEqual(similarOf(prediction), ['1.2.3', '1.2.3-alpine']);
    assert.equal(prediction.isConclusive, true);
    assert.deepEqual(lists(registry), ['?n=500']);
    const { remedy } = inWords(prediction.outcome, { family: 'containerd', image: `${host}/app:v1.2.3` });
    assert.match(remedy, /it has 1\.2\.3, 1\.2\.3-alpine/u);
  });

  it('are left alone where nobody asked for them', async () => {
    assert.deepEqual(similarOf(await ask('app:v1.2.3', { tagHint: undefined })), []);
    assert.deepEqual(lists(registry), []);
  });

  it('are left alone where the tag is there, or the repository is not', async () => {
    assert.equal(similarOf(await ask('app:2.0.0')), 'pullable');
    assert.equal(similarOf(await ask('nothing:1')), 'repository-not-found');
    assert.deepEqual(lists(registry), []);
  });

  it('are asked for as the identity that met the 404', async () => {
    registry.bend({}, basicAuth({ puller: 'right' }));

    assert.deepEqual(similarOf(await ask('app:v2.0.0', { credentials: [login('puller', 'right')] })), ['2.0.0']);
    assert.equal(registry.log.requests.at(-1)?.authorization, 'basic');
  });

  it('are asked for after the proof, whose own question for tags counts', async () => {
    const prediction = await ask('app:v2.0.0', { mayHaveCredentials: true });
    assert.deepEqual([similarOf(prediction), prediction.isConclusive], [['2.0.0'], true]);
    assert.deepEqual(lists(registry), ['?n=1', '?n=500']);

    registry.log.clear();
    registry.bend({ kind: 'tags' }, () => jsonAnswer(200, { name: 'app', tags: ['1.2.3', '2.0.0'] }));
    assert.deepEqual(similarOf(await ask('app:v2.0.0', { mayHaveCredentials: true })), ['2.0.0']);
    assert.deepEqual(lists(registry), ['?n=1'], 'who pays no heed to n=1 has told all');

    registry.log.clear();
    registry.bend({ kind: 'tags' }, status(403, 'DENIED'));
    assert.deepEqual(similarOf(await ask('app:v2.0.0', { mayHaveCredentials: true })), []);
    assert.deepEqual(lists(registry), ['?n=1'], 'a refusal is not asked for twice');
  });

  it('are read from two pages, the second after the last tag of the first', async () => {
    const many = Array.from({ length: 600 }, (_, at) => `1.${String(at).padStart(4, '0')}`);
    registry.store.repository('many').addImage({ tags: [...many, '7.7.7'] });

    assert.deepEqual(similarOf(await ask('many:v7.7.7')), ['7.7.7']);
    assert.deepEqual(lists(registry), ['?n=500', '?n=500&last=1.0499']);

    registry.log.clear();
    assert.deepEqual(similarOf(await ask('many:v1.0003')), ['1.0003']);
    assert.deepEqual(lists(registry), ['?n=500'], 'found on the first page');
  });

  it('end after two pages of a registry that has ever more', async () => {
    const link = { link: '<https://evil.test/v2/app/tags/list?n=500>; rel="next"' };
    registry.bend({ kind: 'tags' }, () => jsonAnswer(200, { tags: ['aaaa', 'bbbb'] }, link));

    assert.deepEqual(similarOf(await ask('app:zzzz')), []);
    assert.equal(lists(registry).length, 2);
  });

  it('are tags by their grammar, whatever a registry lists', async () => {
    const hostile = [
      'v9;rm -rf /',
      '\u001b[31mv9',
      'v9\n',
      'v9.',
      9,
      null,
      { tag: 'v9' },
      '9-é',
      `9.${'x'.repeat(200)}`,
    ];
    registry.bend({ kind: 'tags' }, () => jsonAnswer(200, { tags: hostile }));

    const similar = similarOf(await ask('app:9'));

    assert.deepEqual(similar, ['v9.']);
    assert.ok(Array.isArray(similar) && similar.every((tag) => isTag(tag)));
  });

  for (const [what, bend] of [
    ['is refused', status(401, 'UNAUTHORIZED')],
    ['is no JSON', reply(200, {}, '<html>')],
    ['has another shape', () => jsonAnswer(200, { tags: 'all' })],
    ['is too long', () => jsonAnswer(200, { tags: ['1.2.3', 'x'.repeat(200_000)] })],
    ['fails', status(500, 'UNKNOWN')],
  ] as const) {
    it(`change nothing where their list ${what}`, async () => {
      registry.bend({ kind: 'tags' }, bend);

      const prediction = await ask('app:v1.2.3');

      assert.deepEqual([similarOf(prediction), prediction.isConclusive, prediction.doubts], [[], true, []]);
    });
  }

  it('cost no more time than they are given, and nothing of the verdict', async () => {
    registry.bend({ kind: 'tags' }, neverAnswer);

    const prediction = await ask('app:v1.2.3', { tagHint: { untilMs: 400 } });

    assert.deepEqual([similarOf(prediction), prediction.isConclusive], [[], true]);
  });

  it('are not asked for without time, without budget, or of who is no registry', async () => {
    assert.deepEqual(similarOf(await ask('app:v1.2.3', { tagHint: { untilMs: 0 } })), []);

    const budget = createBudget({ requestsPerMinute: () => 1, now: () => 0 });
    assert.deepEqual(similarOf(await ask('app:v1.2.3', { budget })), []);

    registry.bend({ kind: 'manifest' }, reply(404, { 'content-type': 'text/html' }, '<html>'));
    assert.deepEqual(similarOf(await ask('app:v1.2.3')), []);
    assert.deepEqual(lists(registry), []);
  });

  it('are asked of the endpoint that is named, with its ns', async () => {
    mirror.store.repository('app').addImage({ tags: ['5.0'] });

    const prediction = await ask('app:v5.0', { setup: hostsFile(host, [`http://other.test:${mirror.port}`]) });

    assert.deepEqual(similarOf(prediction), ['5.0']);
    assert.deepEqual(lists(mirror), [`?n=500&ns=${encodeURIComponent(host)}`]);
    assert.deepEqual(lists(registry), []);
  });
});
