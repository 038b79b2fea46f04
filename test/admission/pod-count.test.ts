import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changesOf } from '../../webhook/admission/changes.ts';
import { readPodCounts, type PodCounts } from '../../webhook/admission/pod-count.ts';
import { readWorkload } from '../../webhook/admission/images.ts';
import { decodeReview } from '../../webhook/admission/review.ts';
import { container, deployment, updateOf } from './builders.ts';

const rolling = (rollingUpdate: object): object => ({ strategy: { type: 'RollingUpdate', rollingUpdate } });

const ROWS: readonly (readonly [kind: string, spec: object, counts: PodCounts])[] = [
  ['Pod', { containers: [] }, { created: 1, updated: 1 }],
  ['Deployment', {}, { created: 1, updated: 1 }],
  ['Deployment', { replicas: 10 }, { created: 10, updated: 5 }],
  ['Deployment', { replicas: 0 }, { created: 1, updated: 1 }],
  ['Deployment', { replicas: 10, ...rolling({ maxSurge: 1, maxUnavailable: 0 }) }, { created: 10, updated: 1 }],
  ['Deployment', { replicas: 10, ...rolling({ maxSurge: '100%', maxUnavailable: 0 }) }, { created: 10, updated: 10 }],
  ['Deployment', { replicas: 3, ...rolling({ maxSurge: 50, maxUnavailable: '50%' }) }, { created: 3, updated: 3 }],
  ['Deployment', { replicas: 10, ...rolling({ maxSurge: 0, maxUnavailable: 0 }) }, { created: 10, updated: 1 }],
  ['Deployment', { replicas: 10, ...rolling({ maxSurge: 'many', maxUnavailable: -1 }) }, { created: 10, updated: 1 }],
  ['Deployment', { replicas: 10, strategy: { type: 'Recreate' } }, { created: 10, updated: 10 }],
  ['Deployment', { replicas: '10' }, { created: 1, updated: 1 }],
  ['ReplicaSet', { replicas: 4 }, { created: 4, updated: 1 }],
  ['StatefulSet', { replicas: 4 }, { created: 1, updated: 1 }],
  ['StatefulSet', { replicas: 4, podManagementPolicy: 'Parallel' }, { created: 4, updated: 1 }],
  ['DaemonSet', {}, { created: 'one-a-node', updated: 1 }],
  ['DaemonSet', { updateStrategy: { rollingUpdate: { maxUnavailable: 3 } } }, { created: 'one-a-node', updated: 3 }],
  [
    'DaemonSet',
    { updateStrategy: { rollingUpdate: { maxUnavailable: '10%' } } },
    { created: 'one-a-node', updated: 1 },
  ],
  ['DaemonSet', { updateStrategy: { type: 'OnDelete' } }, { created: 'one-a-node', updated: 1 }],
  ['Job', {}, { created: 1, updated: 1 }],
  ['Job', { parallelism: 8, completions: 3 }, { created: 3, updated: 1 }],
  ['Job', { parallelism: 8 }, { created: 8, updated: 1 }],
  ['Job', { parallelism: 0 }, { created: 1, updated: 1 }],
];

describe('Pods that start at one time', () => {
  for (const [kind, spec, counts] of ROWS) {
    it(`are ${counts.created}, or ${counts.updated} in a step, of a ${kind} with ${JSON.stringify(spec)}`, () => {
      assert.deepEqual(readPodCounts(kind, spec), counts);
    });
  }

  it('are those of one Job of a CronJob', () => {
    const object = {
      kind: 'CronJob',
      spec: { jobTemplate: { spec: { parallelism: 6, template: { spec: { containers: [] } } } } },
    };

    assert.equal(readWorkload(object)?.pod.podsAtOnce, 6);
  });

  it('are all of them in a creation, one step of them in an update', () => {
    const before = deployment({ containers: [container('a', 'reg.test/app:1')] }, { replicas: 20 });
    const after = deployment({ containers: [container('a', 'reg.test/app:2')] }, { replicas: 20 });
    const review = decodeReview(updateOf(before, after));
    assert.ok(review.ok);

    assert.equal(readWorkload(after)?.pod.podsAtOnce, 20);
    assert.equal(changesOf(review.value)?.workload.pod.podsAtOnce, 10);
  });
});
