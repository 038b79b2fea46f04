import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PodCount } from '../../webhook/admission/pod-count.ts';
import { burstOn, nodesAtOnce, paceOf } from '../../webhook/engine/pace.ts';
import type { NodeDeclaration } from '../../webhook/policy/policy.ts';
import { createMeter } from '../../webhook/pull/measure.ts';

const MB = 1_000_000;

describe('the throughput of one node', () => {
  const THROUGHPUT: NodeDeclaration['throughput'] = {
    bytesPerSecond: 20 * MB,
    hosts: {
      'node.test': { perNode: 50 * MB, total: undefined },
      'total.test': { perNode: undefined, total: 200 * MB },
      'both.test': { perNode: 40 * MB, total: 200 * MB },
    },
  };
  const ROWS: readonly (readonly [host: string, nodes: number, perNode: number, shared: boolean])[] = [
    ['any.test', 1, 20, false],
    ['any.test', 100, 20, false],
    ['node.test', 100, 50, false],
    ['total.test', 1, 20, false],
    ['total.test', 10, 20, false],
    ['total.test', 20, 10, true],
    ['both.test', 5, 40, false],
    ['both.test', 8, 25, true],
    ['constructor', 1, 20, false],
  ];
  for (const [host, nodes, perNode, isShared] of ROWS) {
    it(`is ${perNode} MB/s from ${host} while ${nodes} pull`, () => {
      const pace = paceOf(host, nodes, THROUGHPUT, createMeter({ now: () => 0 }));

      assert.equal(pace.bytesPerSecond, perNode * MB);
      assert.deepEqual(pace.shared, isShared ? { nodes, bytesPerSecond: 200 * MB } : undefined);
      assert.equal(pace.throughputFrom, 'declared');
    });
  }

  it('is not known where nobody says or measured it', () => {
    const pace = paceOf('any.test', 3, { bytesPerSecond: undefined, hosts: {} }, createMeter({ now: () => 0 }));

    assert.deepEqual([pace.bytesPerSecond, pace.throughputFrom], [undefined, 'measured']);
  });
});

describe('nodes that pull at the same time', () => {
  const ROWS: readonly (readonly [pods: PodCount, nodes: number | undefined, together: number])[] = [
    [1, 10, 1],
    [4, 10, 4],
    [40, 10, 10],
    ['one-a-node', 10, 10],
    [40, undefined, 1],
    ['one-a-node', undefined, 1],
  ];
  for (const [pods, nodes, together] of ROWS) {
    it(`are ${together} for ${pods} Pods on ${nodes ?? 'an unknown number of'} nodes`, () => {
      assert.equal(nodesAtOnce(pods, nodes), together);
    });
  }
});

describe('pulls that a kubelet refuses at first', () => {
  const ROWS: readonly (readonly [
    pods: PodCount,
    nodes: number | undefined,
    parallelImagePulls: number,
    registryBurst: number | undefined,
    pulls: number | undefined,
  ])[] = [
    [60, 3, Infinity, 10, 20],
    [60, 3, 15, 10, 15],
    [60, 3, 5, 10, undefined],
    [60, 3, 1, 10, undefined],
    [30, 3, Infinity, 10, undefined],
    [60, undefined, Infinity, 10, undefined],
    [60, 3, Infinity, undefined, undefined],
    ['one-a-node', 3, Infinity, 0, undefined],
  ];
  for (const [pods, nodes, parallelImagePulls, registryBurst, pulls] of ROWS) {
    it(`are told of ${pulls ?? 'none'}: ${pods} Pods, ${nodes} nodes, ${parallelImagePulls} at a time, burst ${registryBurst}`, () => {
      assert.deepEqual(
        burstOn(pods, nodes, { parallelImagePulls, registryBurst }),
        pulls === undefined ? undefined : { pulls, allowed: registryBurst },
      );
    });
  }
});
