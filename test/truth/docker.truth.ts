import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isSuccess } from '../../webhook/pull/attempt.ts';
import { createAuthority } from '../support/pki.ts';
import type { Condition } from './condition.ts';
import { CONTENT } from './conditions/content.ts';
import { DAEMON } from './conditions/daemon.ts';
import { DOCKER_ONLY } from './conditions/docker-only.ts';
import { LOGINS } from './conditions/login.ts';
import { PLATFORMS } from './conditions/platform.ts';
import { PROTOCOL } from './conditions/protocol.ts';
import { TLS } from './conditions/tls.ts';
import { skipReason, startDockerd, type Dockerd } from './docker.ts';
import { ELSEWHERE } from './elsewhere.ts';
import { askPullguard } from './pullguard.ts';
import { createStageElsewhere, HUB, LOOP, NAMES, type StageElsewhere } from './stage.ts';

/** `TRUTH_ONLY` picks conditions by a part of their name. */
const AREAS: Readonly<Record<string, readonly Condition<StageElsewhere>[]>> = {
  'what an image is made of': CONTENT,
  platforms: PLATFORMS,
  'what a registry answers': PROTOCOL,
  logins: LOGINS,
  certificates: TLS,
  'what only dockerd is asked': DOCKER_ONLY,
  'daemon.json': DAEMON,
};

const only = process.env['TRUTH_ONLY'] ?? '';
const skip = skipReason();
const authority = createAuthority('Truth Root');
const system = createAuthority('System Root');
/** dockerd asks any name that is loopback's without TLS too, so that most are not. */
const hosts: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ...[...NAMES, HUB].map((name) => [name, [ELSEWHERE]] as const),
  [LOOP, ['127.0.0.1']],
]);

describe('dockerd and Pullguard agree on', { skip }, () => {
  let dockerd: Dockerd;
  before(async () => {
    dockerd = await startDockerd(hosts, system.certificate);
  });
  after(async () => {
    await dockerd.close();
  });
  for (const [area, conditions] of Object.entries(AREAS)) {
    describe(`${area}:`, () => {
      for (const { name, arrange, isSpent, docker, ...podman } of conditions.filter((one) => one.name.includes(only))) {
        const { pulls = podman.pulls, differs } = docker ?? {};
        const title = differs === undefined ? name : `${name} (but here Pullguard differs: ${differs})`;
        it(title, async (t) => {
          const onStage = async (): ReturnType<typeof arrange> =>
            await arrange(createStageElsewhere(t, authority, { address: ELSEWHERE, system }));
          const asked = await onStage();
          const real = await dockerd.pull(asked, t.signal);
          const same = isSpent === true ? await onStage() : asked;
          const node = { runtime: 'docker@20.10', hosts, authorities: [system.certificate] };
          const { outcome, isConclusive } = await askPullguard(same, node, t.signal);
          const foretold = isSuccess(outcome);

          assert.equal(real.pulls, pulls, `${dockerd.version} said: ${real.said}; Pullguard: ${outcome.kind}`);
          const shown = `${JSON.stringify(outcome)}; dockerd said: ${real.said}`;
          if (differs === undefined) assert.equal(foretold, real.pulls, shown);
          else assert.notEqual(foretold, real.pulls, `no longer differs: ${shown}`);
          // the worst that can happen: a Pod refused that would have run
          assert.ok(!(real.pulls && isConclusive && !foretold), shown);
        });
      }
    });
  }
});
