import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { verdictLine } from '../../webhook/outcome/message.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { memoryTree } from '../../webhook/node/file-tree.ts';
import { createImageStore } from '../../webhook/demo/image-store.ts';
import { createWire } from '../registry/rig.ts';
import { startScriptedRegistry } from '../support/scripted-registry.ts';
import { login, predict, type PullOptions } from './rig.ts';

const CRIO = 'crio@1.34';
const MAIN = '/etc/containers/registries.conf';

const crio = (text: string, policyJson?: string) => ({
  crio: {
    registriesConf: [{ name: MAIN, text }],
    certsD: [],
    policyJson: policyJson === undefined ? undefined : { name: '/etc/containers/policy.json', text: policyJson },
  },
});

const enforcing = ({ crio: files }: ReturnType<typeof crio>) => ({
  crio: { ...files, shortNameMode: 'enforcing' as const },
});

const said = ({ outcome, doubts }: Prediction, image: string): string =>
  verdictLine({ where: 'container "web"', image, outcome, doubts, wording: { family: 'crio', image } });

describe('what the settings of the nodes refuse', () => {
  let transport: Transport;
  before(() => {
    transport = createWire();
  });
  after(() => transport.close());
  const ask = (image: string, options: Omit<PullOptions, 'transport' | 'runtime'>): Promise<Prediction> =>
    predict(image, { transport, runtime: CRIO, ...options });

  const blocked = crio('[[registry]]\nlocation = "reg.test"\nblocked = true\n');

  it('is proven where the settings are complete, whatever logins there are', async () => {
    const options = { setup: blocked, mayHaveCredentials: true, credentials: [login('a', 'b'), login('c', 'd')] };
    const prediction = await ask('reg.test/app:1', options);

    assert.deepEqual(
      [prediction.outcome.kind, prediction.isConclusive, prediction.doubts, prediction.requests],
      ['access-denied', true, [], 0],
    );
    assert.equal(
      said(prediction, 'reg.test/app:1'),
      'container "web", image reg.test/app:1: the nodes\' registries.conf blocks reg.test (/etc/containers/registries.conf:3 says so, and no registry is asked). Name another registry, or take blocked = true out of /etc/containers/registries.conf:3 on the nodes (and in its copy: policy nodes.crio, check --registries-conf)',
    );
  });

  it('is not proven where nodes may have other settings', async () => {
    const prediction = await ask('reg.test/app:1', { setup: blocked, settings: 'partial' });

    assert.deepEqual([prediction.isConclusive, prediction.doubts], [false, ['node-settings']]);
  });

  it('is not proven where crio.conf decides and was not declared', async () => {
    const setup = crio('unqualified-search-registries = ["a.test", "b.test"]');
    const [assumed, known] = await Promise.all([ask('app:1', { setup }), ask('app:1', { setup: enforcing(setup) })]);

    assert.deepEqual([assumed.outcome.kind, assumed.doubts], ['access-denied', ['short-name-mode']]);
    assert.deepEqual([known.outcome.kind, known.isConclusive], ['access-denied', true]);
  });

  it('is not proven where another runtime may be in use', async () => {
    const store = createImageStore();
    store.repository('app').addImage({ tags: ['1'] });
    const registry = await startScriptedRegistry({ store });
    const host = `reg.test:${registry.port}`;
    const setup = {
      ...crio(`[[registry]]\nlocation = "${host}"\nblocked = true\n`),
      certsD: memoryTree('certs.d', { [`${host}/hosts.toml`]: `server = "http://${host}"` }),
    };
    const runtime = `${CRIO}+containerd@2.1/transfer`;
    const prediction = await predict(`${host}/app:1`, { transport, runtime, setup }).finally(registry.close);

    assert.deepEqual(
      [prediction.outcome.kind, prediction.isConclusive, prediction.doubts],
      ['access-denied', false, ['node-runtime']],
    );
  });

  const texts: readonly (readonly [image: string, setup: ReturnType<typeof crio>, text: RegExp])[] = [
    [
      'reg.test/app:1',
      crio('', '{"default": [{"type": "reject"}]}'),
      /policy\.json rejects every image that it does not list \(\/etc\/containers\/policy\.json:1 says so/u,
    ],
    [
      'app:1',
      crio(''),
      /know no registry for the short name "app:1" .*Write the registry \(docker\.io\/library\/app\)/u,
    ],
    [
      'app:1',
      enforcing(crio('unqualified-search-registries = ["a.test", "b.test"]')),
      /several registries for the short name "app:1" and must not choose \(\/etc\/containers\/registries\.conf:1 says/u,
    ],
  ];
  for (const [image, setup, text] of texts) {
    it(`is told as ${text.source.slice(0, 60)}`, async () => {
      const prediction = await ask(image, { setup });

      assert.deepEqual([prediction.outcome.kind, prediction.isConclusive], ['access-denied', true]);
      assert.match(said(prediction, image), text);
    });
  }

  for (const name of [MAIN, 'registries.toml']) {
    it(`is not a mistake in a file, whatever its name: nobody is refused for that (${name})`, async () => {
      const { crio: files } = crio('');
      const setup = { crio: { ...files, registriesConf: [{ name, text: '[[registry]' }] } };
      const prediction = await ask('reg.test/app:1', { setup });

      assert.deepEqual([prediction.outcome.kind, prediction.isConclusive], ['not-checked', false]);
    });
  }

  it('is an authority that hosts.toml names and nodes lack, whatever the name of its file', async () => {
    const text = 'server = "https://reg.test:1"\nca = "authorities"\n';
    const setup = { certsD: memoryTree('certs.d', { 'reg.test:1/hosts.toml': text }) };
    const { outcome, isConclusive } = await predict('reg.test:1/app:1', { transport, setup });

    assert.deepEqual([outcome.kind, isConclusive], ['tls-other', true]);
  });
});

describe('a daemon.json that dockerd does not start with', () => {
  for (const text of ['{ "insecure-registries": [', '{ "registry-mirrors": ["mirror"] }']) {
    it(`is not what nodes have, and proves nothing: ${text}`, async () => {
      const registry = await startScriptedRegistry();
      const transport = createWire();
      const setup = { docker: { daemonJson: { name: 'daemon.json', text }, certsD: undefined } };
      const image = `reg.test:${registry.port}/app:1`;
      const prediction = await predict(image, { transport, runtime: 'docker@28.5/graph', setup }).finally(() =>
        Promise.all([transport.close(), registry.close()]),
      );

      assert.deepEqual([prediction.outcome.kind, prediction.doubts], ['http-not-declared', ['settings-unusable']]);
    });
  }
});

describe('a name that dockerd may resolve into an insecure range', () => {
  const daemon = (insecure: readonly string[]) => ({
    docker: {
      daemonJson: { name: 'daemon.json', text: JSON.stringify({ 'insecure-registries': insecure }) },
      certsD: undefined,
    },
  });
  for (const runtime of ['docker@28.5/graph', 'docker@29/containerd']) {
    it(`proves nothing by TLS on ${runtime}, and a name without a range does`, async () => {
      const store = createImageStore();
      store.repository('app').addImage({ tags: ['1'] });
      const registry = await startScriptedRegistry({ store });
      const transport = createWire();
      const image = `reg.test:${registry.port}/app:1`;
      const [ranged, bare] = await Promise.all([
        predict(image, { transport, runtime, setup: daemon(['10.0.0.0/8']) }),
        predict(image, { transport, runtime, setup: daemon(['other.test']) }),
      ]).finally(() => Promise.all([transport.close(), registry.close()]));

      assert.deepEqual([ranged.outcome.kind, ranged.doubts], ['http-not-declared', ['insecure-range']]);
      assert.deepEqual([bare.outcome.kind, bare.isConclusive], ['http-not-declared', true]);
    });
  }
});
