import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createImageStore, sha256 } from '../../webhook/demo/image-store.ts';
import type { Bend } from '../../webhook/demo/registry.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../../webhook/image/media-type.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { status } from '../support/bend.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { startTokenService } from '../support/token-service.ts';
import { login, predict } from './rig.ts';

/** What `podman` showed (`npm run test:podman`), kept where no podman is. */
describe('what CRI-O does otherwise than the rest', () => {
  const store = createImageStore();
  let transport: Transport;
  before(() => {
    transport = createWire();
  });
  after(() => transport.close());

  const outcomeOf = async (registry: ScriptedRegistry, image: string, runtime: string): Promise<string> => {
    const host = `reg.test:${registry.port}`;
    const credentials = [login('puller', 'pass word')];
    const { outcome } = await predict(`${host}/${image}`, { transport, runtime, insecure: [host], credentials });
    return outcome.kind;
  };

  for (const [order, crio] of [
    ['Basic, then Bearer', 'access-denied'],
    ['Bearer, then Basic', 'pullable'],
  ] as const) {
    it(`is to answer the first challenge of ${order}`, async () => {
      store.repository('app').addImage({ tags: ['1'] });
      const tokens = await startTokenService({ logins: { puller: 'pass word' }, isAnonymousAllowed: false });
      const offering: Bend = async (question, answer) => {
        const asked = await tokens.bearerAuth(question, answer);
        const bearer = asked.headers['www-authenticate'];
        if (typeof bearer !== 'string') return asked;
        const both = ['Basic realm="r"', bearer];
        const challenges = crio === 'pullable' ? both.toReversed() : both;
        return { ...asked, headers: { ...asked.headers, 'www-authenticate': challenges } };
      };
      const registry = await startScriptedRegistry({ store, auth: offering });
      const answers = [
        await outcomeOf(registry, 'app:1', 'crio@1.34'),
        await outcomeOf(registry, 'app:1', 'containerd@2.1/transfer'),
      ];
      await Promise.all([registry.close(), tokens.close()]);

      assert.deepEqual(answers, [crio, 'pullable']);
    });
  }

  const configs = [
    { name: 'a config that knows no diff id', diffIds: [], crio: 'pullable' },
    { name: 'a config that knows some of the diff ids', diffIds: [sha256(Buffer.from('one'))], crio: 'damaged' },
  ];
  for (const { name, diffIds, crio } of configs) {
    it(`is to take ${name} for ${crio}`, async () => {
      const repository = store.repository('odd');
      const { layers } = repository.addImage({ layers: [{ a: 'one' }, { b: 'two' }] });
      const text = JSON.stringify({
        os: 'linux',
        architecture: 'amd64',
        rootfs: { type: 'layers', diff_ids: diffIds },
      });
      const config = repository.addBlob(Buffer.from(text), OCI_CONFIG);
      repository.addManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }, OCI_MANIFEST, ['1']);
      const registry = await startScriptedRegistry({ store });
      const answers = [
        await outcomeOf(registry, 'odd:1', 'crio@1.34'),
        await outcomeOf(registry, 'odd:1', 'containerd@2.1/transfer'),
      ];
      const before133 = await outcomeOf(registry, 'odd:1', 'crio@1.32');
      await registry.close();

      assert.deepEqual(answers, [crio, 'damaged']);
      assert.equal(before133, 'pullable');
    });
  }

  it('is to ask no registry for a layer whose URL answers 404', async () => {
    const repository = store.repository('foreign');
    const { config, layers } = repository.addImage();
    const elsewhere = await startScriptedRegistry();
    const urls = [`${elsewhere.origin}/layer`];
    const document = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config,
      layers: layers.map((one) => ({ ...one, urls })),
    };
    repository.addManifest(document, OCI_MANIFEST, ['1']);
    const registry = await startScriptedRegistry({ store });
    const answers = [
      await outcomeOf(registry, 'foreign:1', 'crio@1.34'),
      await outcomeOf(registry, 'foreign:1', 'containerd@2.1/transfer'),
    ];
    await Promise.all([registry.close(), elsewhere.close()]);

    assert.deepEqual(answers, ['registry-error', 'pullable']);
  });

  it('is to leave it open whether another endpoint would have had the blobs that a mirror lacks', async () => {
    store.repository('app').addImage({ tags: ['1'] });
    const [mirror, upstream] = await Promise.all([startScriptedRegistry({ store }), startScriptedRegistry({ store })]);
    mirror.bend({ kind: 'blob' }, status(404, 'BLOB_UNKNOWN'));
    const [m, u] = [mirror, upstream].map(({ port }) => `reg.test:${port}`);
    const text = `[[registry]]\nlocation = "${u}"\ninsecure = true\n[[registry.mirror]]\nlocation = "${m}"\ninsecure = true\n`;
    const setup = {
      crio: { registriesConf: [{ name: 'registries.conf', text }], certsD: [], policyJson: undefined },
    };
    const byMirror = await predict(`${u}/app:1`, { transport, runtime: 'crio@1.34', setup });
    upstream.bend({ kind: 'blob' }, status(404, 'BLOB_UNKNOWN'));
    mirror.bend({ kind: 'manifest' }, status(404, 'MANIFEST_UNKNOWN'));
    const byUpstream = await predict(`${u}/app:1`, { transport, runtime: 'crio@1.34', setup });
    await Promise.all([mirror.close(), upstream.close()]);

    assert.deepEqual([byMirror.outcome.kind, byMirror.doubts], ['damaged', ['node-runtime']]);
    assert.deepEqual([byUpstream.outcome.kind, byUpstream.isConclusive], ['damaged', true]);
  });
});
