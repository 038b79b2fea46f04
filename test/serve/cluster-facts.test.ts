import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { apiEndpoints, clusterAddresses } from '../../webhook/cluster-addresses.ts';
import { createLiveEngine } from '../../webhook/engine/live-engine.ts';
import { runtimesReported, withReportedRuntimes } from '../../webhook/engine/node-runtimes.ts';
import { readPolicy } from '../../webhook/policy/load.ts';
import type { Policy } from '../../webhook/policy/policy.ts';
import { createGuard } from '../../webhook/registry/guard.ts';
import { knownNodes } from '../engine/known-nodes.ts';

function policyOf(text: string): Policy {
  const policy = readPolicy(text, 'policy.yaml');
  assert.ok(policy.ok);
  return policy.value;
}

const noName = async (): Promise<readonly string[]> => Promise.reject(new Error('no such name'));

describe("the cluster's own addresses", () => {
  it('are where the API server is reached, under the address in use and the one that Pods are told', async () => {
    const environment = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };

    assert.deepEqual(await apiEndpoints('https://192.0.2.7:6443', environment, noName), [
      '192.0.2.7:6443',
      '10.96.0.1:443',
    ]);
    assert.deepEqual(await apiEndpoints('https://[fd00::1]', {}, noName), ['[fd00::1]:443']);
    assert.deepEqual(await apiEndpoints('https://api.test', {}, async () => ['192.0.2.7', '192.0.2.8']), [
      '192.0.2.7:443',
      '192.0.2.8:443',
    ]);
    assert.deepEqual(await apiEndpoints('https://api.test', {}, noName), []);
    assert.deepEqual(await apiEndpoints(undefined, {}, noName), []);
  });

  it('make a guard that refuses Pods, the API server and kubelets, but no registry on a Node', () => {
    const nodes = {
      addresses: () => ({ podCidrs: ['10.244.0.0/24', 'fd01::/64'], internalIps: ['172.16.0.1', 'fd00::1'] }),
    };

    const { ranges, endpoints } = clusterAddresses(nodes, ['172.16.9.9:443']);
    const guard = createGuard({ allow: [], blockedRanges: ranges, blockedEndpoints: endpoints });
    const isLetThrough = ([address, port]: readonly [string, number]): boolean =>
      guard({ host: 'reg.test', port, address });

    const own = [
      ['10.244.0.9', 5000],
      ['fd01::9', 5000],
      ['172.16.9.9', 443],
      ['172.16.0.1', 6443],
      ['fd00::1', 10250],
    ] as const;
    const others = [
      ['10.244.1.9', 5000],
      ['172.16.9.9', 5000],
      ['172.16.0.1', 30500],
      ['fd00::1', 443],
    ] as const;
    assert.deepEqual([own.filter(isLetThrough), others.filter(isLetThrough)], [[], others]);
  });
});

describe('the runtimes that Nodes report', () => {
  const cases: readonly (readonly [reported: readonly string[], runtimes: readonly string[] | undefined])[] = [
    [['containerd://2.1.9', 'containerd://2.1.4'], ['containerd@2.1']],
    [
      ['containerd://1.7.12-k3s1', 'docker://28.5.2', 'cri-o://1.34.0'],
      ['containerd@1.7', 'crio@1.34', 'docker@28.5'],
    ],
    [['containerd://v2.0.5'], ['containerd@2.0']],
    [[], undefined],
    [['containerd://2.1.9', 'containerd://Unknown'], undefined],
    [['frakti://1.0.0'], undefined],
    [['containerd://2.1.9', ''], undefined],
  ];
  for (const [reported, runtimes] of cases) {
    it(`are ${runtimes?.join(' and ') ?? 'anything'} for ${JSON.stringify(reported)}`, () => {
      assert.deepEqual(runtimesReported(reported), runtimes);
    });
  }

  it('count where the policy names none', () => {
    const declared = withReportedRuntimes(policyOf('nodes: { runtime: crio@1.34 }'), ['containerd://2.1.9']);
    const open = withReportedRuntimes(policyOf(''), ['containerd://2.1.9']);

    assert.deepEqual(declared.nodes.runtimes, ['crio@1.34']);
    assert.deepEqual(open.nodes.runtimes, ['containerd@2.1']);
  });

  it('are those of the engine, under every policy that leaves them open', async () => {
    const engine = createLiveEngine(
      {
        secrets: { secret: async () => ({ kind: 'missing' }), serviceAccount: async () => ({ kind: 'missing' }) },
        resolve: async () => [],
        clusterAddresses: undefined,
        nodes: knownNodes({ runtimes: () => ['cri-o://1.34.0'] }),
      },
      policyOf(''),
      {},
    );
    const families = [engine.family()];
    for (const text of ['nodes: { runtime: docker }', 'mode: warn']) {
      engine.use(policyOf(text), {});
      families.push(engine.family());
    }
    await engine.close();

    assert.deepEqual(families, ['crio', 'docker', 'crio']);
  });
});
