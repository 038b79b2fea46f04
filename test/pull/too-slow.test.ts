import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeCause } from '../../webhook/outcome/cause.ts';
import type { ExceededLimit } from '../../webhook/outcome/outcome.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import { weighPace } from '../../webhook/pull/too-slow.ts';
import { SAMPLES } from '../outcome/samples.ts';

const GIB = 1024 ** 3;
const JOB: ExceededLimit = { name: 'activeDeadlineSeconds', seconds: 120 };
const ROLLOUT: ExceededLimit = { name: 'progressDeadlineSeconds', seconds: 600 };
const OWN: ExceededLimit = { name: 'maxPullSeconds', seconds: 60 };

const found = (compressedBytes: number | undefined): Prediction => ({
  outcome: { ...SAMPLES.pullable, compressedBytes },
  isConclusive: true,
  doubts: [],
  findings: [],
  requests: 4,
  millis: 1,
  course: [],
});

const weigh = (
  bytes: number | undefined,
  bytesPerSecond: number | undefined,
  limits: readonly ExceededLimit[],
): Prediction => weighPace(found(bytes), { bytesPerSecond, throughputFrom: 'declared', limits });

describe('a pull that will not end in time', () => {
  it('is told with its numbers', () => {
    const { outcome, isConclusive } = weigh(4.1 * GIB, 20_000_000, [JOB]);

    assert.equal(isConclusive, false);
    assert.equal(
      describeCause(outcome, { family: 'containerd', image: 'reg.test/app:1' }),
      'the pull is too slow: 4.1 GiB at 20 MB/s is about 3.7 min, the Pod or Job ends after 2 min',
    );
  });

  it('names the limit that ends it first', () => {
    const { outcome } = weigh(4 * GIB, 5_000_000, [ROLLOUT, JOB, OWN]);

    assert.ok(outcome.kind === 'pull-too-slow');
    assert.deepEqual(outcome.limit, OWN);
  });

  it('names only limits that are exceeded', () => {
    const { outcome } = weigh(4 * GIB, 20_000_000, [OWN, ROLLOUT].toReversed());

    assert.ok(outcome.kind === 'pull-too-slow');
    assert.deepEqual(outcome.limit, OWN);
    assert.equal(weigh(4 * GIB, 20_000_000, [ROLLOUT]).outcome.kind, 'pullable');
  });

  for (const [name, bytes, rate, limits] of [
    ['without a size', undefined, 1, [JOB]],
    ['without a throughput', 4 * GIB, undefined, [JOB]],
    ['without a limit', 4 * GIB, 1, []],
  ] as const) {
    it(`is not foretold ${name}`, () => {
      assert.equal(weigh(bytes, rate, limits).outcome.kind, 'pullable');
    });
  }

  it('takes the place of no other outcome', () => {
    for (const outcome of Object.values(SAMPLES)) {
      if (outcome.kind === 'pullable') continue;
      const prediction = { ...found(1), outcome };

      assert.equal(weighPace(prediction, { bytesPerSecond: 1, throughputFrom: 'measured', limits: [OWN] }), prediction);
    }
  });
});
