import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createImageStore } from '../../webhook/demo/image-store.ts';
import type { Finding } from '../../webhook/outcome/finding.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { createAuthority } from '../support/pki.ts';
import { startScriptedRegistry } from '../support/scripted-registry.ts';
import { predict } from './rig.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const authority = createAuthority();
const store = createImageStore();
store.repository('app').addImage({ tags: ['1'] });

describe('certificates seen on the way', () => {
  let transport: Transport;
  before(() => {
    transport = createWire();
  });
  after(() => transport.close());

  /** What is said of a registry whose certificate ends in so many days. */
  async function findings(days: number, authorities: readonly string[]): Promise<readonly Finding[]> {
    const dates = { from: new Date(Date.now() - 30 * DAY_MS), to: new Date(Date.now() + days * DAY_MS + 60_000) };
    const leaf = authority.issue({ names: ['reg.test'], dates });
    const registry = await startScriptedRegistry({ store, tls: { cert: leaf.chain, key: leaf.key } });
    const prediction = await predict(`reg.test:${registry.port}/app:1`, {
      transport,
      setup: { authorities },
    }).finally(registry.close);
    return prediction.findings.filter(({ kind }) => kind === 'certificate-expires-soon');
  }

  it('are named in the two weeks before their end, once for a host', async () => {
    const [found, ...more] = await findings(13, [authority.certificate]);

    assert.ok(found?.kind === 'certificate-expires-soon');
    assert.equal(found.days, 13);
    assert.match(found.host, /^reg\.test:\d+$/u);
    assert.deepEqual(more, []);
  });

  it('are not named before that, after their end, or where nobody trusts them', async () => {
    assert.deepEqual(await findings(15, [authority.certificate]), []);
    assert.deepEqual(await findings(-2, [authority.certificate]), []);
  });
});
