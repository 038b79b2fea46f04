import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { basicAuth } from '../../webhook/demo/registry.ts';
import type { NodeSetup } from '../../webhook/node/settings.ts';
import type { OutcomeKind } from '../../webhook/outcome/outcome.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { cut, status } from '../support/bend.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { hostsFile, login, predict, type PullOptions } from './rig.ts';

let upstream: ScriptedRegistry;
let mirror: ScriptedRegistry;
let transport: Transport;
let host: string;
let other: string;
before(async () => {
  upstream = await startScriptedRegistry();
  mirror = await startScriptedRegistry();
  transport = createWire();
  host = `reg.test:${upstream.port}`;
  other = `other.test:${mirror.port}`;
  upstream.store.repository('app').addImage({ tags: ['both', 'upstream'] });
  mirror.store.repository('app').addImage({ tags: ['both', 'mirror'] });
  for (const { store } of [upstream, mirror]) {
    const spoilt = store.repository('spoilt').addImage({ tags: ['1'] });
    store.damage(spoilt.layers[0]?.digest ?? spoilt.digest, 'removed');
  }
  const alone = mirror.store.repository('alone').addImage({ tags: ['1'] });
  mirror.store.damage(alone.config.digest, 'removed');
});
after(() => Promise.all([transport.close(), upstream.close(), mirror.close()]));
beforeEach(() => {
  for (const one of [upstream, mirror]) {
    one.straighten();
    one.log.clear();
  }
});

const ask = (name: string, options: Partial<PullOptions> = {}): Promise<Prediction> =>
  predict(`${host}/${name}`, { transport, setup: withMirror(), ...options });
const withMirror = (): Partial<NodeSetup> => hostsFile(host, [`http://${other}`]);

/** Outcome, then who said what, with the servers called by their role. */
function said({ outcome, findings }: Prediction): readonly [OutcomeKind, readonly string[]] {
  const found = findings.find((finding) => finding.kind === 'endpoints-disagree');
  const answers = found?.answers ?? [];
  for (const { role, endpoint, has, answer } of answers) {
    assert.equal(endpoint, role === 'mirror' ? other : host);
    assert.equal(has, answer === 'has it');
  }
  return [outcome.kind, answers.map(({ role, content, answer }) => `${content}: ${role} ${answer}`)];
}

describe('endpoints that do not agree', () => {
  it('are told apart where the mirror fails and the upstream lacks the tag', async () => {
    mirror.bend({}, status(503, 'UNAVAILABLE'));

    assert.deepEqual(said(await ask('app:2')), [
      'registry-error',
      ['tag "2": mirror answered 503', 'tag "2": upstream answered 404 MANIFEST_UNKNOWN'],
    ]);
  });

  it('are told apart where the mirror lacks the tag and the upstream gives no answer', async () => {
    upstream.bend({}, cut('start'));

    assert.deepEqual(said(await ask('app:2')), [
      'tag-not-found',
      ['tag "2": mirror answered 404 MANIFEST_UNKNOWN', 'tag "2": upstream gave no answer (reset)'],
    ]);
  });

  it('are told apart where the mirror lacks the whole repository', async () => {
    upstream.store.repository('own').addImage({ tags: ['1'] });

    assert.deepEqual(said(await ask('own:2')), [
      'repository-not-found',
      ['tag "2": mirror answered 404 NAME_UNKNOWN', 'tag "2": upstream answered 404 MANIFEST_UNKNOWN'],
    ]);
  });

  it('are named where the mirror has the tag, and a part of it is nowhere', async () => {
    const [kind, answers] = said(await ask('spoilt:1'));

    assert.equal(kind, 'damaged');
    assert.deepEqual(answers[0], 'tag "1": mirror has it');
    assert.match(answers[1] ?? '', /^layer sha256:[0-9a-f]{12}: mirror answered 404 BLOB_UNKNOWN$/u);
    assert.match(answers[2] ?? '', /^layer sha256:[0-9a-f]{12}: upstream answered 404 BLOB_UNKNOWN$/u);
  });

  it('are named where the upstream does not even know the repository that the mirror has in part', async () => {
    const [kind, answers] = said(await ask('alone:1'));

    assert.equal(kind, 'damaged');
    assert.match(
      answers.join('\n'),
      /tag "1": mirror has it\nconfig \S+ mirror answered 404 BLOB_UNKNOWN\n.* NAME_UNKNOWN/u,
    );
  });

  it('are told in the course too', async () => {
    const { course } = await ask('spoilt:1', { explains: true });

    assert.ok(course.some(({ text }) => text.startsWith('The endpoints that nodes ask do not agree: tag "1": mirror')));
  });

  it('are no matter where the pull succeeds, whoever lacks what', async () => {
    for (const tag of ['both', 'upstream', 'mirror']) {
      // the log shows that nobody was asked for the sake of a hint
      // oxlint-disable-next-line no-await-in-loop
      assert.deepEqual(said(await ask(`app:${tag}`)), ['pullable', []]);
    }
    mirror.log.clear();
    upstream.log.clear();
    await ask('app:mirror');
    assert.deepEqual(upstream.log.lines(), []);
  });

  it('are no matter where they say the same, or where there is only one', async () => {
    assert.deepEqual(said(await ask('app:2')), ['tag-not-found', []]);
    assert.deepEqual(said(await ask('nothing:1')), ['repository-not-found', []]);
    assert.deepEqual(said(await ask('spoilt:1', { setup: hostsFile(host, []) })), ['damaged', []]);
  });

  it('are no matter where the image itself is none for the node', async () => {
    assert.deepEqual(said(await ask('app:upstream', { platforms: ['windows/amd64'] }))[1], []);
  });

  it('are judged over all logins: what one of them got is there', async () => {
    mirror.bend({}, basicAuth({ right: 'right' }));
    const credentials = [login('wrong', 'wrong'), login('right', 'right', 'second')];

    const [, answers] = said(await ask('spoilt:1', { credentials }));

    assert.equal(answers.filter((one) => one.startsWith('tag')).length, 1 + 1);
    assert.equal(answers[0], 'tag "1": mirror has it');
  });
});
