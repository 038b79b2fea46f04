import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createImageStore } from '../../webhook/demo/image-store.ts';
import { errorAnswer } from '../../webhook/demo/answer.ts';
import { CERTAINTY_BASIS } from '../../webhook/outcome/certainty.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import { isSuccess } from '../../webhook/pull/attempt.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { startTokenService, type TokenService } from '../support/token-service.ts';
import { anyFault, anyRegistry, anySort, bendTo, type Registry } from './any-registry.ts';
import { hostsFile, login, predict, type PullOptions } from './rig.ts';

const RUNS = 75;
/** Each plays two scenes. */
const FAULT_RUNS = 40;
const DEADLINE_MS = 250;
/** What a machine that is busy may add; a prediction that hangs takes for ever. */
const PATIENCE_MS = 10_000;
const PASSWORD = 'c0rrect horse battery';
const BASIC = `Basic ${Buffer.from(`puller:${PASSWORD}`).toString('base64')}`;

const store = createImageStore();
const app = store.repository('app');
const one = app.addImage({ tags: ['single'] });
const arm = app.addImage({ platform: { os: 'linux', architecture: 'arm64' } });
app.addIndex([one, arm], { tags: ['multi'] });
app.addIndex([arm], { tags: ['arm'] });
app.addManifest({ schemaVersion: 2, config: one.config, layers: [{ ...one.layers[0], size: 1 }] }, one.mediaType, [
  'lie',
]);
const configs = new Set([one.config.digest, arm.config.digest]);

let manners: Registry;
let mirrorManners: Registry;
let registry: ScriptedRegistry;
let mirror: ScriptedRegistry;
let elsewhere: ScriptedRegistry;
let tokens: TokenService;
let transport: Transport;
before(async () => {
  tokens = await startTokenService({ logins: { puller: PASSWORD } });
  elsewhere = await startScriptedRegistry({
    store,
    // asks whoever comes for a login, to see who gives one
    auth: () => errorAnswer(401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="elsewhere"' }),
  });
  const places = {
    configs,
    elsewhere: elsewhere.origin,
    realm: tokens.realm,
    accepts: (authorization: string): boolean => authorization === BASIC || authorization.startsWith('Bearer '),
  };
  registry = await startScriptedRegistry({ store, bends: [bendTo(() => manners, places)] });
  mirror = await startScriptedRegistry({ store, bends: [bendTo(() => mirrorManners, places)] });
  transport = createWire({ timeouts: { probeMs: 100 } });
});
after(() => Promise.all([transport.close(), registry.close(), mirror.close(), elsewhere.close(), tokens.close()]));

type Scene = {
  readonly registry: Registry;
  readonly mirror: Registry | undefined;
  readonly runtime: string;
  readonly name: string;
  readonly hasLogin: boolean;
  readonly hasWrongLogin: boolean;
  readonly isStrict: boolean;
  readonly settings: 'partial' | 'complete';
  readonly mayHaveCredentials: boolean;
  readonly platforms: readonly string[];
  readonly isFixed: boolean;
};

const anyScene: fc.Arbitrary<Scene> = fc.record({
  registry: anyRegistry,
  mirror: fc.option(anyRegistry, { nil: undefined }),
  runtime: fc.constantFrom(
    'containerd@2.1/transfer',
    'containerd@1.7',
    'containerd@2.1',
    'docker@28.5',
    'crio@1.34',
    'containerd@2.1/transfer+docker@29',
  ),
  name: fc.constantFrom(
    'app:single',
    'app:multi',
    'app:arm',
    'app:lie',
    'app:none',
    'none:1',
    `app@${one.digest}`,
    `app@${one.config.digest}`,
  ),
  hasLogin: fc.boolean(),
  hasWrongLogin: fc.boolean(),
  isStrict: fc.boolean(),
  settings: fc.constantFrom('partial', 'complete'),
  mayHaveCredentials: fc.boolean(),
  platforms: fc.constantFrom(['linux/amd64'], ['linux/amd64', 'linux/arm64']),
  isFixed: fc.boolean(),
});

/** Sees the scene through; fails where the prediction throws or hangs. */
async function play(scene: Scene, deadlineMs = DEADLINE_MS): Promise<Prediction> {
  manners = scene.registry;
  mirrorManners = scene.mirror ?? scene.registry;
  const host = `reg.test:${registry.port}`;
  const mirrors = scene.mirror === undefined ? [] : [`http://other.test:${mirror.port}`];
  const isContainerd = scene.runtime.startsWith('containerd');
  const options: PullOptions = {
    transport,
    runtime: scene.runtime,
    setup: hostsFile(host, mirrors),
    insecure: isContainerd ? [] : [host],
    settings: scene.settings,
    mayHaveCredentials: scene.mayHaveCredentials,
    credentials: [
      ...(scene.hasWrongLogin ? [login('puller', 'wrong', 'old')] : []),
      ...(scene.hasLogin ? [login('puller', PASSWORD)] : []),
    ],
    realms: { isStrict: scene.isStrict, pairs: [] },
    platforms: scene.platforms,
    isFixed: scene.isFixed,
    signal: AbortSignal.timeout(deadlineMs),
  };
  const { promise: hung, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('the prediction hangs')), deadlineMs + PATIENCE_MS);
  try {
    return await Promise.race([predict(`${host}/${scene.name}`, options), hung]);
  } finally {
    clearTimeout(timer);
  }
}

const isDenial = ({ outcome, isConclusive }: Prediction): boolean => isConclusive && !isSuccess(outcome);

describe('whatever a registry does', { timeout: 120_000 }, () => {
  it('a prediction ends in time, sends logins only where they belong, and proves nothing by noise', async () => {
    const property = fc.asyncProperty(anyScene, async (scene) => {
      for (const { log } of [registry, mirror, elsewhere, tokens]) log.clear();

      const prediction = await play(scene);

      const { outcome, isConclusive, doubts } = prediction;
      if (CERTAINTY_BASIS[outcome.kind] === 'never') assert.equal(isConclusive, false);
      assert.ok(!isConclusive || doubts.length === 0);
      assert.equal(JSON.stringify(prediction).includes(PASSWORD), false, 'the answer holds the password');
      const namesElsewhere = [scene.registry, scene.mirror].some(
        (each) => each !== undefined && Object.values(each).includes('strange-token'),
      );
      for (const secret of [PASSWORD, BASIC.slice(6)]) {
        for (const log of [registry.log, mirror.log]) {
          assert.ok(log.sightings(secret).every(({ where }) => where === 'authorization'));
        }
        if (!namesElsewhere || scene.isStrict) assert.deepEqual(elsewhere.log.sightings(secret), []);
        if (scene.isStrict) assert.deepEqual(tokens.log.sightings(secret), []);
      }
      assert.equal(
        elsewhere.log.requests.some(({ path, authorization }) => path !== '/token' && authorization !== 'none'),
        false,
      );
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  it('no fault makes a denial of what was none', async () => {
    const property = fc.asyncProperty(
      anyScene,
      anySort,
      anyFault,
      fc.boolean(),
      async (scene, sort, fault, atMirror) => {
        // without faults nothing is silent: time must not make a difference
        const sound = await play(scene, PATIENCE_MS);
        if (isDenial(sound)) return;
        const at = atMirror && scene.mirror !== undefined ? 'mirror' : 'registry';
        const faulty = { ...scene, [at]: { ...(scene[at] ?? scene.registry), [sort]: fault } };

        const prediction = await play(faulty);

        assert.equal(
          isDenial(prediction),
          false,
          `${JSON.stringify(sound.outcome)}, then ${JSON.stringify(prediction)}`,
        );
      },
    );
    await fc.assert(property, { numRuns: FAULT_RUNS });
  });
});
