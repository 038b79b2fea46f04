import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GatheringLimits } from '../../webhook/check/gathering.ts';
import { readLiveObjects, type LiveObjects } from '../../webhook/check/live-objects.ts';
import { startFakeApi, type FakeApi } from '../kube/fake-api.ts';

const LIMITS: GatheringLimits = { objects: 100, images: 100, characters: 100_000 };

describe('reading what a cluster runs', () => {
  let fake: FakeApi;
  before(async () => {
    fake = await startFakeApi();
    for (const namespace of ['a', 'b']) {
      for (let at = 0; at < 10; at += 1) {
        const containers = [
          { name: 'app', image: `reg.test/app:${at}` },
          { name: 'log', image: 'reg.test/log:1' },
        ];
        fake.put(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
          metadata: { name: `web-${at}`, namespace },
          spec: { template: { spec: { containers } } },
        });
      }
      fake.put(`/api/v1/namespaces/${namespace}/pods`, {
        metadata: { name: 'one', namespace },
        spec: {
          containers: [{ name: 'app', image: 'app' }],
          initContainers: [{ name: 'init', image: 'init:1' }],
          ephemeralContainers: [{ name: 'debug', image: 'debug:1' }],
        },
        status: {
          containerStatuses: [{ name: 'app', imageID: '' }],
          initContainerStatuses: [{ name: 'init', imageID: 'docker.io/library/init@sha256:0' }],
          ephemeralContainerStatuses: [{ name: 'debug', imageID: 'docker.io/library/debug@sha256:0' }],
        },
      });
    }
  });
  after(() => fake.close());
  const read = (limits: Partial<GatheringLimits>, namespaces?: readonly string[]): Promise<LiveObjects> =>
    readLiveObjects(fake.connect(), { namespaces, onRead: () => undefined, limits: { ...LIMITS, ...limits } });

  it('keeps all of it where there is room, and knows what Pods were started with', async () => {
    const { workloads, pods, notices, extent } = await read({});

    assert.deepEqual([workloads.length, notices, extent, pods.areAll], [22, [], 'whole', true]);
    assert.deepEqual([...pods.started].toSorted(), ['docker.io/library/debug:1', 'docker.io/library/init:1']);
  });

  const limits: readonly (readonly [limit: Partial<GatheringLimits>, says: string, most: number])[] = [
    [{ objects: 7 }, 'only the first 7 objects are judged', 7],
    [{ images: 12 }, 'only the first 12 images are judged', 6],
    [{ characters: 3_000 }, 'only the first 3000 characters of what names images are judged', 8],
  ];
  for (const [limit, says, most] of limits) {
    it(`says that ${says}, and asks for no more`, async () => {
      const before = fake.requests.length;

      const { workloads, pods, notices } = await read(limit);

      assert.deepEqual(notices, [`${says}: scan namespace by namespace with -n`]);
      assert.ok(workloads.length > 0 && workloads.length <= most, String(workloads.length));
      assert.equal(pods.areAll, false);
      // CronJobs, of which there are none, and Deployments
      assert.equal(fake.requests.length - before, 2);
    });
  }

  it('counts over all namespaces together', async () => {
    const { workloads, notices } = await read({ objects: 15 }, ['a', 'b']);

    assert.deepEqual([workloads.length, notices.length], [15, 1]);
  });
});
