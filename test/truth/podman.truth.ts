import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSuccess } from '../../webhook/pull/attempt.ts';
import { createAuthority } from '../support/pki.ts';
import type { Condition } from './condition.ts';
import { CONTENT } from './conditions/content.ts';
import { LOGINS } from './conditions/login.ts';
import { PLATFORMS } from './conditions/platform.ts';
import { PROTOCOL } from './conditions/protocol.ts';
import { REGISTRIES } from './conditions/registries.ts';
import { SHORT_NAMES } from './conditions/short-name.ts';
import { SIGNATURES } from './conditions/signature.ts';
import { TLS } from './conditions/tls.ts';
import { askPodman, podmanVersion, skipReason } from './podman.ts';
import { askPullguard } from './pullguard.ts';
import { createStage } from './stage.ts';

/** CRI-O pulls with the library that podman pulls with. `TRUTH_ONLY` picks conditions by a part of their name. */
const AREAS: Readonly<Record<string, readonly Condition[]>> = {
  'what an image is made of': CONTENT,
  platforms: PLATFORMS,
  'what a registry answers': PROTOCOL,
  logins: LOGINS,
  certificates: TLS,
  'registries.conf': REGISTRIES,
  'short names': SHORT_NAMES,
  'policy.json': SIGNATURES,
};

const only = process.env['TRUTH_ONLY'] ?? '';
const skip = skipReason();
const authority = createAuthority('Truth Root');

for (const [area, conditions] of Object.entries(AREAS)) {
  describe(`podman and Pullguard agree on ${area}:`, { skip, concurrency: 2 }, () => {
    for (const condition of conditions.filter(({ name }) => name.includes(only))) {
      const { name, arrange, pulls, differs, isSpent, runtime = 'crio@1.34' } = condition;
      const title = differs === undefined ? name : `${name} (but here Pullguard differs: ${differs})`;
      it(title, async (t) => {
        const asked = await arrange(createStage(t, authority));
        const podman = await askPodman(asked, t.signal);
        const same = isSpent === true ? await arrange(createStage(t, authority)) : asked;
        const prediction = await askPullguard(same, { runtime }, t.signal);
        const { outcome, isConclusive } = prediction;
        const foretold = isSuccess(outcome);

        assert.equal(podman.pulls, pulls, `${podmanVersion()} said: ${podman.said}`);
        const shown = `${JSON.stringify(outcome)}; podman said: ${podman.said}`;
        if (differs === undefined) assert.equal(foretold, podman.pulls, shown);
        else assert.notEqual(foretold, podman.pulls, `no longer differs: ${shown}`);
        // the worst that can happen: a Pod refused that would have run
        assert.ok(!(podman.pulls && isConclusive && !foretold), shown);
      });
    }
  });
}
