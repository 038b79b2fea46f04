import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { formatPlatform, spellPlatform } from '../../webhook/image/platform.ts';
import { watchNodes, type NodeWatch } from '../../webhook/kube/nodes.ts';
import { startFakeApi, type FakeApi } from './fake-api.ts';
import { until } from './until.ts';

const NODES = '/api/v1/nodes';
const APP = 'docker.io/library/app:1';

type NodeOptions = {
  readonly images?: readonly (readonly string[])[];
  readonly unschedulable?: boolean;
  readonly architecture?: string;
  readonly runtime?: string;
  readonly kubelet?: string;
  readonly windows?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
};

describe('watching Nodes', () => {
  let fake: FakeApi;
  let watch: NodeWatch;
  let failures: string[] = [];
  before(async () => {
    fake = await startFakeApi();
  });
  after(() => fake.close());
  afterEach(async () => {
    await watch.close();
    fake.failWith(() => undefined);
    for (const name of ['a', 'b', 'c']) fake.remove(NODES, name);
    failures = [];
  });
  const put = (
    name: string,
    {
      images = [],
      unschedulable,
      architecture = 'amd64',
      runtime = 'containerd://2.1.9',
      kubelet = 'v1.35.0',
      windows,
      labels = {},
      taints = [],
    }: NodeOptions = {},
  ): void =>
    fake.put(NODES, {
      metadata: { name, labels },
      spec: {
        taints,
        podCIDR: '10.88.0.0/24',
        podCIDRs: ['10.88.0.0/24', 'fd00::/64'],
        ...(unschedulable === true && { unschedulable }),
      },
      status: {
        addresses: [
          { type: 'InternalIP', address: `10.90.0.${name.charCodeAt(0)}` },
          { type: 'Hostname', address: name },
        ],
        nodeInfo: {
          operatingSystem: windows === undefined ? 'linux' : 'windows',
          kernelVersion: windows ?? '6.1.0-13-amd64',
          architecture,
          containerRuntimeVersion: runtime,
          kubeletVersion: kubelet,
        },
        images: images.map((names) => ({ names, sizeBytes: 1 })),
      },
    });
  const onFailure = (reason: string): void => void failures.push(reason);
  const start = async (): Promise<void> => {
    watch = watchNodes({ api: fake.connect(), onFailure, backoff: { firstMs: 5, maxMs: 20 } });
    await until(() => watch.state() === 'current', 'an open watch');
  };
  const full = Array.from({ length: 50 }, (_, index) => [`docker.io/library/other:${index}`]);

  const cases: readonly {
    readonly name: string;
    readonly nodes: Readonly<Record<string, NodeOptions>>;
    readonly is: string;
  }[] = [
    { name: 'one Node lists it', nodes: { a: { images: [[APP]] }, b: {} }, is: 'present' },
    {
      name: 'one Node lists it and another list is full',
      nodes: { a: { images: full }, b: { images: [[APP]] } },
      is: 'present',
    },
    { name: 'every list is whole and lacks it', nodes: { a: { images: full.slice(1) }, b: {} }, is: 'absent' },
    { name: 'a list is full', nodes: { a: { images: full }, b: {} }, is: 'unknown' },
    {
      name: 'an image has as many names as are reported',
      nodes: { a: { images: [['a', 'b', 'c', 'd', 'e']] } },
      is: 'unknown',
    },
    {
      name: 'only a cordoned Node lists it',
      nodes: { a: { images: [[APP]], unschedulable: true }, b: {} },
      is: 'absent',
    },
    { name: 'no Node is schedulable', nodes: { a: { unschedulable: true } }, is: 'unknown' },
    { name: 'there is no Node', nodes: {}, is: 'unknown' },
  ];
  for (const { name, nodes, is } of cases) {
    it(`calls an image ${is} where ${name}`, async () => {
      for (const [node, options] of Object.entries(nodes)) put(node, options);
      await start();

      assert.equal(watch.presence([APP, 'docker.io/library/app@sha256:00']), is);
    });
  }
  it('follows what Nodes pull and whether they are there', async () => {
    put('a');
    await start();
    const before = watch.presence([APP]);

    put('a', { images: [[APP]] });
    await until(() => watch.presence([APP]) === 'present', 'the image');
    fake.remove(NODES, 'a');
    await until(() => watch.nodes().length === 0, 'the removal');

    assert.equal(before, 'absent');
    assert.equal(watch.presence([APP]), 'unknown');
  });
  it('tells all Nodes with what the scheduler looks at, while it is known that these are all', async () => {
    put('a', {
      images: [[APP]],
      labels: { pool: 'gpu' },
      taints: [{ key: 'pool', value: 'gpu', effect: 'NoSchedule' }],
    });
    put('b', { unschedulable: true, taints: [{ key: 'x', effect: 'NoExecute' }] });
    await start();
    const known = watch.stock();

    fake.failWith(() => 500);
    fake.reset();
    await until(() => watch.state() === 'stale', 'the failure');

    assert.deepEqual(
      known?.map(({ name, isSchedulable, labels, taints, images }) => [
        name,
        isSchedulable,
        labels.get('pool'),
        taints,
        images.has(APP),
      ]),
      [
        ['a', true, 'gpu', [{ key: 'pool', value: 'gpu', effect: 'NoSchedule' }], true],
        ['b', false, undefined, [{ key: 'x', value: '', effect: 'NoExecute' }], false],
      ],
    );
    assert.equal(watch.stock(), undefined);
  });
  it('proves no absence by a watch that broke, until it is open again', async () => {
    put('a');
    await start();

    fake.failWith(() => 500);
    fake.reset();
    await until(() => watch.state() === 'stale', 'the failure');
    const broken = watch.presence([APP]);
    fake.failWith(() => undefined);
    await until(() => watch.state() === 'current', 'the repair');

    assert.deepEqual([broken, watch.presence([APP])], ['unknown', 'absent']);
  });
  it('knows nothing, and says so, without the right to read Nodes', async () => {
    put('a', { images: [[APP]] });
    fake.failWith(({ path }) => (path === NODES ? 403 : undefined));

    watch = watchNodes({ api: fake.connect(), onFailure, backoff: { firstMs: 5, maxMs: 20 } });
    await until(() => failures.length > 1, 'two refusals');

    assert.equal(failures[0], 'Nodes: the API server refuses it to our ServiceAccount (403)');
    assert.deepEqual(
      [watch.state(), watch.presence([APP]), watch.platforms(), watch.nodes()],
      ['unknown', 'unknown', [], []],
    );
  });
  it('gives the kubelets that hold an image, and the builds of Windows', async () => {
    put('a', { images: [[APP]], kubelet: 'v1.34.2', windows: '10.0.20348.2402' });
    put('b', { images: [[APP]], kubelet: 'v1.35.1', windows: '10.0.20348.2700' });
    put('c', { kubelet: 'v1.36.0', windows: '10.0.17763.5000' });
    await start();

    assert.deepEqual(watch.kubeletsWith([APP]), ['v1.34.2', 'v1.35.1']);
    assert.deepEqual(watch.kubeletsWith(['docker.io/library/other:1']), []);
    assert.deepEqual(watch.platforms().map(spellPlatform), ['windows/amd64:10.0.17763', 'windows/amd64:10.0.20348']);
  });
  it('gives the distinct platforms, runtimes and addresses', async () => {
    put('a', { architecture: 'arm64', runtime: 'cri-o://1.34.0' });
    put('b');
    put('c', { architecture: 'riscv64', unschedulable: true });
    await start();

    assert.deepEqual(watch.platforms().map(formatPlatform), ['linux/amd64', 'linux/arm64']);
    assert.deepEqual(watch.runtimes(), ['containerd://2.1.9', 'cri-o://1.34.0']);
    assert.deepEqual(watch.addresses(), {
      podCidrs: ['10.88.0.0/24', 'fd00::/64'],
      internalIps: ['10.90.0.97', '10.90.0.98', '10.90.0.99'],
    });
  });
  it('reads a large cluster page by page', async () => {
    const names = Array.from({ length: 1_201 }, (_, index) => `node-${index}`);
    for (const name of names) put(name);
    await start();
    const pages = fake.requests.filter(({ query }) => query.has('limit')).slice(-3);
    for (const name of names) fake.remove(NODES, name);

    assert.deepEqual(
      pages.map(({ query }) => query.get('continue')),
      [null, '500', '1000'],
    );
    assert.equal(watch.presence([APP]), 'absent');
  });
});
