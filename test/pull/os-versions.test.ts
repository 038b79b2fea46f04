import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createImageStore, type StoredImage } from '../../webhook/demo/image-store.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createWire } from '../registry/rig.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { hostsFile, predict } from './rig.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const TRANSFER = 'containerd@2.2/transfer';
const LOCAL = 'containerd@2.2/local';

type Entry = { readonly os: string; readonly 'os.version'?: string; readonly 'os.features'?: readonly string[] };

/** Pull-parity F14: what tells entries of one platform apart. */
describe('builds of Windows and features of an operating system', () => {
  const store = createImageStore();
  let registry: ScriptedRegistry;
  let transport: Transport;
  before(async () => {
    registry = await startScriptedRegistry({ store });
    transport = createWire();
  });
  after(() => Promise.all([transport.close(), registry.close()]));

  let count = 0;
  async function ask(entries: readonly Entry[], node: string, runtime: string): Promise<Prediction> {
    count += 1;
    const repository = store.repository(`app${count}`);
    const manifests = entries.map((entry) => {
      const image: StoredImage = repository.addImage({ platform: { os: entry.os, architecture: 'amd64' } });
      const { mediaType, digest, size } = image;
      return { mediaType, digest, size, platform: { ...entry, architecture: 'amd64' } };
    });
    repository.addManifest({ schemaVersion: 2, mediaType: INDEX, manifests }, INDEX, ['1']);
    const host = `reg.test:${registry.port}`;
    const setup = {
      ...hostsFile(host, []),
      crio: {
        registriesConf: [{ name: 'registries.conf', text: `[[registry]]\nlocation = "${host}"\ninsecure = true\n` }],
        certsD: [],
        policyJson: undefined,
      },
    };
    return predict(`${host}/app${count}:1`, { transport, runtime, setup, insecure: [host], platforms: [node] });
  }
  const windows = (version: string): Entry => ({ os: 'windows', 'os.version': version, 'os.features': ['win32k'] });

  const builds: readonly (readonly [node: string, entries: readonly string[], pulls: boolean])[] = [
    ['10.0.17763', ['10.0.17763.5000'], true],
    ['10.0.17763', ['10.0.20348.1'], false],
    ['10.0.20348', ['10.0.17763.5000'], false],
    ['10.0.20348', ['10.0.17763.5000', '10.0.20348.2402'], true],
    ['10.0.26100', ['10.0.20348.2402'], true],
    ['10.0.20348', ['10.0.26100.1'], false],
  ];
  for (const [node, entries, pulls] of builds) {
    it(`${pulls ? 'pulls' : 'does not pull'} ${entries.join(' and ')} on a node of build ${node}, for certain`, async () => {
      const { outcome, isConclusive } = await ask(entries.map(windows), `windows/amd64:${node}`, TRANSFER);

      assert.deepEqual([outcome.kind, isConclusive], [pulls ? 'pullable' : 'platform-mismatch', true]);
    });
  }

  it('says nothing for certain where the build of the nodes is not known', async () => {
    const entries = [windows('10.0.17763.5000')];
    const found = await ask(entries, 'windows/amd64', TRANSFER);
    const missing = await ask([...entries, { os: 'linux' }], 'linux/arm64', TRANSFER);

    assert.deepEqual([found.outcome.kind, found.doubts], ['pullable', ['node-platforms']]);
    assert.deepEqual([missing.outcome.kind, missing.isConclusive], ['platform-mismatch', true]);
  });

  it('is certain of an entry without a build', async () => {
    const { outcome, isConclusive } = await ask([{ os: 'windows' }], 'windows/amd64', TRANSFER);

    assert.deepEqual([outcome.kind, isConclusive], ['pullable', true]);
  });

  const erofs: Entry = { os: 'linux', 'os.features': ['erofs'] };
  for (const runtime of [TRANSFER, LOCAL, 'docker@29/containerd']) {
    it(`passes over an entry for nodes with other features on ${runtime}, which older versions take`, async () => {
      const alone = await ask([erofs], 'linux/amd64', runtime);
      const beside = await ask([erofs, { os: 'linux' }], 'linux/amd64', runtime);

      assert.deepEqual([alone.outcome.kind, alone.doubts], ['platform-mismatch', ['node-runtime']]);
      assert.deepEqual([beside.outcome.kind, beside.doubts], ['pullable', ['node-runtime']]);
    });
  }

  it('pays no heed to features on CRI-O', async () => {
    const { outcome, isConclusive } = await ask([erofs], 'linux/amd64', 'crio@1.34');

    assert.deepEqual([outcome.kind, isConclusive], ['pullable', true]);
  });

  it('reads no manifest above 4 MiB on CRI-O, below an index either (pull-parity D13)', async () => {
    const host = `reg.test:${registry.port}`;
    const repository = store.repository('large');
    const { config, layers } = repository.addImage();
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const annotations = { note: 'x'.repeat(4 * 1024 * 1024) };
    const large = repository.addManifest({ schemaVersion: 2, mediaType, config, layers, annotations }, mediaType);
    repository.addIndex([{ ...large, platform: { os: 'linux', architecture: 'amd64' } }], { tags: ['1'] });
    const text = `[[registry]]\nlocation = "${host}"\ninsecure = true\n`;
    const setup = {
      ...hostsFile(host, []),
      crio: { registriesConf: [{ name: 'registries.conf', text }], certsD: [], policyJson: undefined },
    };
    const [crio, containerd] = await Promise.all(
      ['crio@1.34', TRANSFER].map((runtime) => predict(`${host}/large:1`, { transport, runtime, setup })),
    );

    assert.ok(crio?.outcome.kind === 'unsupported-manifest');
    assert.deepEqual([crio.outcome.reason, crio.isConclusive], ['too-large', true]);
    assert.equal(containerd?.outcome.kind, 'pullable');
  });
});
