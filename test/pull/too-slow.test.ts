import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeCause } from '../../webhook/outcome/cause.ts';
import { describeRemedy } from '../../webhook/outcome/remedy.ts';
import { describeEvidence } from '../../webhook/outcome/evidence.ts';
import type { ExceededLimit, PullOutcome } from '../../webhook/outcome/outcome.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import { weighStart, type Pace, type Start, type TimedPull } from '../../webhook/pull/too-slow.ts';
import { SAMPLES } from '../outcome/samples.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const JOB: ExceededLimit = { name: 'activeDeadlineSeconds', seconds: 120, of: 'Job' };
const ROLLOUT: ExceededLimit = { name: 'progressDeadlineSeconds', seconds: 600 };
const CONTAINERD: ExceededLimit = { name: 'image_pull_progress_timeout', seconds: 300 };
const WORDING = { family: 'containerd', image: 'reg.test/app:1' } as const;
const DECLARED: Pace = {
  bytesPerSecond: 20_000_000,
  throughputFrom: 'declared',
  shared: undefined,
  silentSeconds: undefined,
};

const found = (compressedBytes: number | undefined): Prediction => ({
  outcome: { ...SAMPLES.pullable, compressedBytes },
  isConclusive: true,
  doubts: [],
  findings: [],
  requests: 4,
  millis: 1,
  course: [],
});

type Pull = {
  readonly image?: string;
  readonly bytes?: number | undefined;
  readonly pace?: Partial<Pace>;
  readonly isHeld?: boolean;
  readonly max?: number;
};

const pullOf = ({ image = 'reg.test/app:1', pace = {}, isHeld = false, max, ...rest }: Pull): TimedPull => ({
  image,
  prediction: found('bytes' in rest ? rest.bytes : 4.1 * GIB),
  pace: { ...DECLARED, ...pace },
  isHeld,
  maxPullSeconds: max,
});

const weigh = (pulls: readonly Pull[], start: Partial<Start> = {}): readonly Prediction[] =>
  weighStart(pulls.map(pullOf), {
    deadline: undefined,
    stalls: { silent: undefined, creeping: undefined },
    heldLayers: new Set(),
    burst: undefined,
    ...start,
  });
const one = (pull: Pull, start: Partial<Start> = {}): PullOutcome => {
  const [prediction] = weigh([pull], start);
  assert.ok(prediction !== undefined);
  assert.equal(prediction.isConclusive, prediction.outcome.kind === 'pullable');
  return prediction.outcome;
};

type Row = readonly [name: string, outcome: () => PullOutcome, cause: string, remedy: string, evidence?: string];

const ROWS: readonly Row[] = [
  [
    'a Job',
    () => one({}, { deadline: JOB }),
    'the pull is too slow: 4.1 GiB at 20 MB/s is about 3.7 min, the Job ends after 2 min',
    "Raise the Job's activeDeadlineSeconds above 3.7 min, make the image smaller, or pull it onto the nodes beforehand",
  ],
  [
    'a Pod',
    () => one({}, { deadline: { ...JOB, of: 'Pod' } }),
    'the pull is too slow: 4.1 GiB at 20 MB/s is about 3.7 min, the Pod ends after 2 min',
    "Raise the Pod's activeDeadlineSeconds above 3.7 min, make the image smaller, or pull it onto the nodes beforehand",
  ],
  [
    'a Deployment',
    () => one({ pace: { bytesPerSecond: 5_000_000 } }, { deadline: ROLLOUT }),
    'the pull is too slow: 4.1 GiB at 5 MB/s is about 15 min, the Deployment is given up after 10 min',
    "Raise the Deployment's progressDeadlineSeconds above 15 min, make the image smaller, or pull it onto the nodes beforehand",
  ],
  [
    'the patience of a policy',
    () => one({ max: 60 }),
    'the pull is too slow: 4.1 GiB at 20 MB/s is about 3.7 min, the policy allows 60 s',
    'Raise limits.maxPullSeconds in the policy above 3.7 min, make the image smaller, or pull it onto the nodes beforehand',
  ],
  [
    'nodes that share a registry',
    () =>
      one(
        { pace: { bytesPerSecond: 5_000_000, shared: { nodes: 40, bytesPerSecond: 200_000_000 } } },
        { deadline: ROLLOUT, burst: { pulls: 20, allowed: 10 } },
      ),
    'the pull is too slow: 4.1 GiB at 5 MB/s is about 15 min, the Deployment is given up after 10 min',
    "Raise the Deployment's progressDeadlineSeconds above 15 min, start fewer Pods at a time, make the image smaller, or pull it onto the nodes beforehand",
    'sha256:0123456789ab, 5 MB/s by policy nodes.throughput, 200 MB/s in all for 40 nodes at once, 20 pulls at once on a node where registryBurst lets 10 start',
  ],
  [
    'a registry that sends nothing',
    () =>
      one(
        { pace: { bytesPerSecond: undefined, throughputFrom: 'measured', silentSeconds: 1 } },
        { stalls: { silent: CONTAINERD, creeping: undefined } },
      ),
    'the pull is too slow: the registry began to send a layer and no byte came for 1 s, containerd gives up after 5 min without progress',
    "Look at the registry and at proxies before it; if it is only slow to begin, raise containerd's image_pull_progress_timeout on the nodes",
  ],
  [
    'a registry that sends too little to be seen',
    () =>
      one(
        { pace: { bytesPerSecond: 2_000 } },
        {
          stalls: {
            silent: undefined,
            creeping: {
              limit: { name: 'image-pull-progress-deadline', seconds: 60 },
              stepBytes: 512 * 1024,
              fromBytes: 50 * MIB,
            },
          },
        },
      ),
    'the pull is too slow: 512 KiB at 2 kB/s is about 4.4 min, cri-dockerd gives up after 60 s without progress',
    "Raise cri-dockerd's --image-pull-progress-deadline on the nodes above 4.4 min, make the image smaller, or pull it onto the nodes beforehand",
  ],
];

describe('a pull that will not end in time is told with its numbers, and what to change', () => {
  for (const [name, outcome, cause, remedy, evidence] of ROWS) {
    it(`for ${name}`, () => {
      const slow = outcome();

      assert.equal(describeCause(slow, WORDING), cause);
      assert.equal(describeRemedy(slow, WORDING), remedy);
      if (evidence !== undefined) assert.equal(describeEvidence(slow), evidence);
    });
  }
});

describe('the images of one Pod', () => {
  const three = [
    { image: 'a', bytes: GIB },
    { image: 'b', bytes: 2 * GIB },
    { image: 'c', bytes: GIB },
  ];

  it('are judged by their sum, which the longest of them tells', () => {
    const outcomes = weigh(three, { deadline: JOB }).map(({ outcome }) => outcome);

    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['pullable', 'pull-too-slow', 'pullable'],
    );
    const [, slow] = outcomes;
    assert.ok(slow !== undefined);
    assert.equal(
      describeCause(slow, WORDING),
      'the pull is too slow: 2 GiB at 20 MB/s is about 1.8 min, 3.6 min with 2 other images of the Pod, the Job ends after 2 min',
    );
    assert.match(describeRemedy(slow, WORDING), /activeDeadlineSeconds above 3\.6 min, make the images smaller/u);
  });

  it('each tell it where each alone takes too long', () => {
    const big = three.map((pull) => ({ ...pull, bytes: 4 * GIB }));

    assert.deepEqual(
      weigh([...big, { image: 'd', bytes: MIB }], { deadline: JOB }).map(({ outcome }) => outcome.kind),
      ['pull-too-slow', 'pull-too-slow', 'pull-too-slow', 'pullable'],
    );
  });

  it('are no sum for the limit that the policy sets for one', () => {
    const patient = three.map((pull) => ({ ...pull, max: 110 }));

    assert.deepEqual(
      weigh(patient).map(({ outcome }) => outcome.kind),
      ['pullable', 'pullable', 'pullable'],
    );
  });

  it('count only where a node still has to fetch them', () => {
    const [first, second, third] = three.map((pull, at) => ({ ...pull, isHeld: at === 1 }));
    assert.ok(first !== undefined && second !== undefined && third !== undefined);

    const outcomes = weigh([first, second, third], { deadline: { ...JOB, seconds: 100 } }).map(
      ({ outcome }) => outcome,
    );

    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['pull-too-slow', 'pullable', 'pullable'],
    );
    assert.ok(outcomes[0]?.kind === 'pull-too-slow');
    assert.equal(outcomes[0].inAll?.otherImages, 1);
  });

  it('that are the same say the same', () => {
    const twins = weigh([{ image: 'a' }, { image: 'a' }], { deadline: JOB });

    assert.deepEqual(twins[0]?.outcome, twins[1]?.outcome);
    assert.ok(twins[0]?.outcome.kind === 'pull-too-slow' && twins[0].outcome.inAll === undefined);
  });
});

describe('of several limits', () => {
  it('the one that ends the pull first is named', () => {
    const outcome = one({ pace: { bytesPerSecond: 5_000_000 }, max: 60 }, { deadline: ROLLOUT });

    assert.ok(outcome.kind === 'pull-too-slow');
    assert.deepEqual(outcome.limit, { name: 'maxPullSeconds', seconds: 60 });
  });

  it('only those that are exceeded are', () => {
    const outcome = one({ max: 60 }, { deadline: ROLLOUT });

    assert.ok(outcome.kind === 'pull-too-slow');
    assert.equal(outcome.limit.name, 'maxPullSeconds');
    assert.equal(one({}, { deadline: ROLLOUT }).kind, 'pullable');
  });
});

describe('nothing is foretold', () => {
  const NEVER: readonly (readonly [name: string, pull: Pull, start?: Partial<Start>])[] = [
    ['without a size', { bytes: undefined }, { deadline: JOB }],
    ['without a throughput', { pace: { bytesPerSecond: undefined } }, { deadline: JOB }],
    ['without a limit', { pace: { bytesPerSecond: 1 } }],
    [
      'of silence where no runtime minds it',
      { pace: { bytesPerSecond: undefined, silentSeconds: 1 } },
      { deadline: JOB },
    ],
    ['where every node has the image', { isHeld: true, max: 1 }, { deadline: JOB }],
  ];
  for (const [name, pull, start = {}] of NEVER) {
    it(name, () => {
      assert.equal(one(pull, start).kind, 'pullable');
    });
  }

  it('that would take the place of another outcome', () => {
    for (const outcome of Object.values(SAMPLES)) {
      if (outcome.kind === 'pullable') continue;
      const prediction = { ...found(1), outcome };
      const pull = { ...pullOf({ max: 0 }), prediction };

      const [answer] = weighStart([pull], {
        deadline: JOB,
        stalls: { silent: CONTAINERD, creeping: undefined },
        heldLayers: new Set(),
        burst: undefined,
      });

      assert.equal(answer, prediction);
    }
  });
});
