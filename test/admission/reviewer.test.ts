import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ImageQuestion, PredictImage } from '../../webhook/admission/ports.ts';
import { createWeighing } from '../../webhook/engine/weigh-pulls.ts';
import { createMeter } from '../../webhook/pull/measure.ts';
import { SAMPLES } from '../outcome/samples.ts';
import { isForgotten } from '../support/collect-garbage.ts';
import {
  container,
  deployment,
  pod,
  podOf,
  policyOf,
  prediction,
  PULLABLE,
  respond,
  reviewOf,
  rig,
  TAG_MISSING,
  updateOf,
} from './builders.ts';

const never: PredictImage = () => new Promise(() => {});
const answers =
  (table: Readonly<Record<string, Awaited<ReturnType<PredictImage>>>>): PredictImage =>
  ({ image }) =>
    Promise.resolve(table[image] ?? PULLABLE);
const forMissing: PredictImage = answers({ 'gone:1': TAG_MISSING });

const withNever = (image: string): unknown =>
  reviewOf(pod({ containers: [container('a', image, { imagePullPolicy: 'Never' })] }));

describe('createReviewer', () => {
  it('admits what is pullable in silence, with audit annotations', async () => {
    const { review, facts } = rig();

    const response = await respond(review, reviewOf(podOf('app:1')));

    assert.deepEqual(response, {
      uid: 'uid-1',
      allowed: true,
      auditAnnotations: { verdict: 'allowed', 'policy-mode': 'enforce', outcomes: 'pullable:allow=1' },
    });
    assert.deepEqual(
      facts.map(({ verdict, requests }) => [verdict, requests]),
      [['allowed', 1]],
    );
  });

  it('refuses what is proven, naming the path, the container, the image and every other image refused', async () => {
    const { review, facts } = rig({
      predict: answers({ 'gone:1': TAG_MISSING, 'Bad:1': prediction(SAMPLES['invalid-reference']) }),
    });
    const spec = { containers: [container('a', 'gone:1'), container('b', 'app:1'), container('c', 'Bad:1')] };

    const response = await respond(review, reviewOf(deployment(spec)));

    assert.equal(response.allowed, false);
    assert.equal(response.status?.code, 403);
    assert.equal(response.status.reason, 'Forbidden');
    const [first, second, ...more] = response.status.message.split('; ');
    assert.match(first ?? '', /^container "a" \(spec\.template\.spec\.containers\[0\]\.image\), image gone:1: /u);
    assert.match(second ?? '', /^container "c" \(spec\.template\.spec\.containers\[2\]\.image\), image Bad:1: /u);
    assert.deepEqual(more, []);
    assert.match(response.status.message, /^[\x20-\x7e]+$/u);
    assert.equal(response.auditAnnotations?.['images'], 'gone:1=tag_not_found, Bad:1=invalid_reference');
    assert.deepEqual(
      facts[0]?.images.map(({ action }) => action),
      ['deny', 'allow', 'deny'],
    );
  });

  it('warns of what is not proven, without a path, in 240 characters', async () => {
    const unsure = { ...TAG_MISSING, isConclusive: false, doubts: ['node-credentials'] as const };
    const image = `reg.example:5000/${'team/'.repeat(40)}app:1`;
    const { review } = rig({ predict: () => Promise.resolve(unsure) });

    const response = await respond(review, reviewOf(podOf(image)));

    assert.equal(response.allowed, true);
    assert.equal(response.warnings?.length, 1);
    const [warning = ''] = response.warnings;
    assert.ok(warning.length <= 240 && warning.startsWith('container "c0", image reg.example:5000/'));
    assert.ok(warning.includes('...'));
  });

  it('says nothing in mode observe but to the audit log', async () => {
    const { review, facts } = rig({ predict: forMissing, policyText: 'mode: observe' });

    const response = await respond(review, reviewOf(podOf('gone:1')));

    assert.deepEqual(response, {
      uid: 'uid-1',
      allowed: true,
      auditAnnotations: {
        verdict: 'allowed',
        'policy-mode': 'observe',
        outcomes: 'tag_not_found:deny=1',
        images: 'gone:1=tag_not_found',
      },
    });
    assert.deepEqual([facts[0]?.mode, facts[0]?.images[0]?.intended], ['observe', 'deny']);
  });

  it('refuses nothing in mode warn', async () => {
    const { review } = rig({ predict: forMissing, policyText: 'mode: warn' });

    const response = await respond(review, reviewOf(podOf('gone:1')));

    assert.equal(response.allowed, true);
    assert.equal(response.warnings?.length, 1);
  });

  it('judges a dry run like any other', async () => {
    const { review, facts } = rig({ predict: forMissing });

    assert.equal((await respond(review, reviewOf(podOf('gone:1'), { dryRun: true }))).allowed, false);
    assert.equal(facts[0]?.isDryRun, true);
  });

  it('only warns of a Pod that a controller made', async () => {
    const { review } = rig({ predict: forMissing });
    const owned = pod(
      { containers: [container('a', 'gone:1', { imagePullPolicy: 'Always' })] },
      { ownerReferences: [{ controller: true }] },
    );

    const response = await respond(review, reviewOf(owned));

    assert.equal(response.allowed, true);
    assert.equal(response.warnings?.length, 1);
  });

  it('refuses an image that is absent only where the request introduces it', async () => {
    const { review } = rig({ predict: forMissing });
    const before = deployment({ containers: [container('a', 'gone:1')], serviceAccountName: 'x' });
    const after = deployment({ containers: [container('a', 'gone:1')], serviceAccountName: 'y' });

    assert.equal((await respond(review, updateOf(before, after))).allowed, true);
    assert.equal((await respond(review, reviewOf(after))).allowed, false);
    assert.equal(
      (await respond(rig({ predict: forMissing, presence: () => 'unknown' }).review, reviewOf(after))).allowed,
      true,
    );
  });

  it('asks one image once, however many containers use it, and says so once', async () => {
    const { review, asked } = rig({ predict: forMissing });

    const response = await respond(review, reviewOf(podOf(...Array.from({ length: 1000 }, () => 'gone:1'))));

    assert.deepEqual(asked, ['gone:1']);
    assert.match(response.status?.message ?? '', /^container "c0" and 999 more \(spec/u);
  });

  it('keeps the order of the input whatever the order of the answers', async () => {
    const { review } = rig({
      predict: async ({ image }) => {
        await new Promise((resolve) => setTimeout(resolve, image === 'a:1' ? 20 : 0));
        return TAG_MISSING;
      },
    });

    const { status } = await respond(review, reviewOf(podOf('a:1', 'b:1', 'c:1')));

    assert.deepEqual(
      [...(status?.message ?? '').matchAll(/image (?<image>\w:1)/gu)].map((match) => match.groups?.['image']),
      ['a:1', 'b:1', 'c:1'],
    );
  });

  it('asks for no more images and hosts than the policy allows, and says how many it left', async () => {
    const images = Array.from({ length: 5000 }, (_, at) => `reg${at % 40}.example/app:${at}`);
    const { review, asked, facts } = rig();

    const response = await respond(review, reviewOf(podOf(...images)));

    assert.equal(response.allowed, true);
    assert.equal(asked.length, 64);
    assert.equal(new Set(asked.map((image) => image.split('/')[0])).size, 16);
    assert.deepEqual(
      response.warnings?.map((warning) => warning.split(':')[0]),
      ['4936 images were not checked'],
    );
    assert.equal((facts[0]?.images.length ?? 0) + (facts[0]?.unlisted ?? 0), 5000);
  });

  it('passes on how long a pull of each image may take, by the rules of the policy', async () => {
    const limits = new Map<string, number | undefined>();
    const { review } = rig({
      policyText: `limits: { maxPullSeconds: 300 }
rules:
  - match: { images: ['ghcr.io/models/*'], kinds: [Pod] }
    set: { maxPullSeconds: 900 }`,
      predict: ({ image, maxPullSeconds }) => {
        limits.set(image, maxPullSeconds);
        return Promise.resolve(PULLABLE);
      },
    });

    await respond(review, reviewOf(podOf('ghcr.io/models/large:1', 'app:1')));

    assert.deepEqual(Object.fromEntries(limits), { 'ghcr.io/models/large:1': 900, 'app:1': 300 });
  });

  it('weighs the images of a Pod together, in the numbers and Pods of the workload', async () => {
    const policyText = `nodes:
  count: 50
  throughput: { hosts: { reg.example: { perNode: 20MB/s, total: 100MB/s } } }`;
    const { review } = rig({
      weigh: createWeighing({
        policy: policyOf(policyText),
        runtimes: [],
        meter: createMeter({ now: () => 0 }),
        nodes: undefined,
      }),
      // 200 MB at 20 MB/s are 10 seconds
      predict: () => Promise.resolve(prediction({ ...SAMPLES.pullable, compressedBytes: 200_000_000 })),
    });
    const images = ['reg.example/a:1', 'reg.example/b:1', 'other.example/c:1'];
    const spec = { containers: images.map((image, at) => container(`c${at}`, image)) };
    const warningsOf = async (replicas: number, progressDeadlineSeconds: number): Promise<readonly string[]> =>
      (await respond(review, reviewOf(deployment(spec, { replicas, progressDeadlineSeconds })))).warnings ?? [];

    assert.deepEqual(await warningsOf(1, 30), []);
    const [alone, ...others] = await warningsOf(1, 15);
    assert.equal(others.length, 0);
    assert.match(
      alone ?? '',
      /image reg\.example\/a:1: the pull is too slow: 191 MiB at 20 MB\/s is about 10 s, 20 s with 1 other image of the Pod, the Deployment is given up after 15 s/u,
    );
    const together = await warningsOf(50, 30);
    assert.equal(together.length, 2);
    assert.match(together[1] ?? '', /b:1: the pull is too slow: 191 MiB at 2 MB\/s is about 1\.7 min, 3\.3 min with/u);
  });

  it('leaves exempt namespaces, exempt images, placeholders and its own namespace without asking', async () => {
    const policyText = 'exempt: { namespaces: [team], images: [reg.example/base] }';
    const all = rig({ policyText, predict: forMissing });
    assert.deepEqual(await respond(all.review, reviewOf(podOf('gone:1'))), { uid: 'uid-1', allowed: true });

    const some = rig({ policyText, predict: forMissing });
    const mixed = await respond(
      some.review,
      reviewOf(podOf('reg.example/base/x:1', 'auto', 'app:1'), { namespace: 'other' }),
    );
    assert.equal(mixed.allowed, true);
    assert.deepEqual(some.asked, ['app:1']);
    assert.deepEqual(
      some.facts[0]?.images.map(({ outcome }) => outcome),
      ['pullable', 'not-checked', 'not-checked'],
    );

    const own = rig({ predict: forMissing });
    assert.deepEqual(await respond(own.review, reviewOf(podOf('gone:1'), { namespace: 'pullguard' })), {
      uid: 'uid-1',
      allowed: true,
    });
    assert.deepEqual([all.asked, own.asked, own.facts[0]?.verdict], [[], [], 'skipped']);
  });

  it('asks no registry for Never, but refuses a name that is none', async () => {
    const absent = rig();
    const present = rig({ presence: () => 'present' });
    const bad = rig({ predict: () => Promise.resolve(prediction(SAMPLES['invalid-reference'])) });

    assert.equal((await respond(absent.review, withNever('app:1'))).warnings?.length, 1);
    assert.equal((await respond(present.review, withNever('app:1'))).warnings, undefined);
    assert.equal((await respond(bad.review, withNever('App:1'))).allowed, false);
    assert.deepEqual([absent.asked, present.asked, bad.asked], [[], [], ['App:1']]);
  });

  it('ends when its time is over, with what it knows', async () => {
    const { review, facts } = rig({
      predict: (question, signal) =>
        question.image === 'gone:1' ? forMissing(question, signal) : never(question, signal),
    });
    const slow = Array.from({ length: 40 }, (_, at) => `slow:${at}`);

    const response = await respond(review, reviewOf(podOf('gone:1', ...slow)), 200);

    assert.equal(response.allowed, false);
    assert.match(response.status?.message ?? '', /gone:1/u);
    assert.deepEqual(
      response.warnings?.map((warning) => warning.split(':')[0]),
      ['40 images were not checked'],
    );
    assert.equal(facts[0]?.images.filter(({ outcome }) => outcome === 'not-checked').length, 40);
  });

  it('takes the last word of a prediction that listens to its signal', async () => {
    const { review } = rig({
      predict: (_question, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(TAG_MISSING));
        }),
    });

    assert.equal((await respond(review, reviewOf(podOf('gone:1')), 200)).allowed, false);
  });

  it('answers at once where nobody waits any more', async () => {
    const { review } = rig({ predict: never });

    const answer = await review(reviewOf(podOf('app:1')), { signal: AbortSignal.abort() });

    assert.equal(answer.kind === 'reviewed' && answer.body.response.allowed, true);
  });

  it('admits the image whose prediction throws, warns and reports it', async () => {
    const bug = new Error('a bug with a secret: hunter2');
    const { review, facts } = rig({
      predict: ({ image }) => (image === 'bug:1' ? Promise.reject(bug) : Promise.resolve(TAG_MISSING)),
    });

    const alone = await respond(review, reviewOf(podOf('bug:1')));
    const beside = await respond(review, reviewOf(podOf('bug:1', 'gone:1')));

    assert.deepEqual(alone.warnings, ['1 image was not checked: Pullguard failed inside; its log says why']);
    assert.deepEqual([alone.allowed, beside.allowed], [true, false]);
    assert.deepEqual(
      facts.map(({ errors }) => errors),
      [[bug], [bug]],
    );
  });

  const BROKEN: readonly (readonly [what: string, deps: Parameters<typeof rig>[0]])[] = [
    ['its policy', { policy: () => assert.fail('no policy') }],
    ['what it knows of nodes', { presence: () => assert.fail('no nodes'), predict: forMissing }],
    ['its runtime family', { family: () => assert.fail('no family') }],
  ];
  for (const [what, deps] of BROKEN) {
    it(`admits with a warning where ${what} throws`, async () => {
      const { review, facts } = rig(deps);

      const response = await respond(review, reviewOf(podOf('gone:1')));

      assert.equal(response.allowed, true);
      assert.equal(response.uid, 'uid-1');
      assert.match(response.warnings?.[0] ?? '', /failed inside/u);
      assert.deepEqual(
        facts.map(({ verdict, errors }) => [verdict, errors.length]),
        [['error', 1]],
      );
    });
  }

  it('keeps its answer where the report of it throws', async () => {
    const { review } = rig({ predict: forMissing, onReviewed: () => assert.fail('no log') });

    assert.equal((await respond(review, reviewOf(podOf('gone:1')))).allowed, false);
  });

  it('warns of findings once, however many images have them', async () => {
    const findings = [{ kind: 'pull-secret-missing', secret: 'ci' }] as const;
    const { review } = rig({ predict: () => Promise.resolve({ ...PULLABLE, findings }) });

    const response = await respond(review, reviewOf(podOf('a:1', 'b:1')));

    assert.equal(response.allowed, true);
    assert.equal(response.warnings?.length, 1);
    assert.match(response.warnings[0] ?? '', /"ci" does not exist/u);
  });

  it('refuses for a finding where the policy says so', async () => {
    const findings = [{ kind: 'pull-secret-missing', secret: 'ci' }] as const;
    const { review } = rig({
      predict: () => Promise.resolve({ ...PULLABLE, findings }),
      policyText: 'findings: { pull-secret-missing: deny }',
    });

    const response = await respond(review, reviewOf(podOf('a:1')));

    assert.match(response.status?.message ?? '', /^container "c0" \(spec\.containers\[0\]\.image\): Pull secret "ci"/u);
  });

  it('warns once of containers that are none', async () => {
    const { review } = rig();

    const response = await respond(
      review,
      reviewOf(pod({ containers: [null, 3, {}, { image: 42 }, container('a', 'app:1')] })),
    );

    assert.equal(response.allowed, true);
    assert.deepEqual(response.warnings, ['3 entries among the containers were not checked: they are no containers']);
    assert.deepEqual((await respond(review, reviewOf(pod({ containers: [7] })))).warnings, [
      '1 entry among the containers was not checked: it is no container',
    ]);
  });

  it('holds nothing of the objects while it waits', async () => {
    const waiting = Promise.withResolvers<void>();
    const { review } = rig({ predict: () => waiting.promise.then(() => PULLABLE) });
    const begin = () => {
      const object = podOf('app:1');
      const answer = review(updateOf(podOf('app:0'), object), { signal: new AbortController().signal });
      return { answer, object: new WeakRef(object) };
    };
    const { answer, object } = begin();

    assert.ok(await isForgotten(object));
    waiting.resolve();
    assert.equal((await answer).kind, 'reviewed');
  });

  it('takes names and images of megabytes as far as they can be one', async () => {
    const long = 'x'.repeat(1024 * 1024);
    const questions: ImageQuestion[] = [];
    const { review, asked, facts } = rig({
      predict: (question) => {
        questions.push(question);
        return Promise.resolve(PULLABLE);
      },
    });
    const spec = { serviceAccountName: long, imagePullSecrets: [{ name: long }, { name: long }, { name: 'b' }] };
    const containers = [container(long, long), container('b', `${long}:1`), container('c', 'app:1')];

    await respond(review, reviewOf(pod({ ...spec, containers }), { name: long }));

    assert.deepEqual(asked, [long.slice(0, 4096), 'app:1']);
    const [question] = questions;
    assert.deepEqual(question?.pod.imagePullSecrets, [long.slice(0, 254), 'b']);
    assert.equal(question?.pod.serviceAccount, long.slice(0, 254));
    assert.equal(facts[0]?.name, long.slice(0, 254));
  });

  it('cuts an image of a megabyte wherever it names it', async () => {
    const { review } = rig({ predict: () => Promise.resolve(prediction(SAMPLES['invalid-reference'])) });

    const response = await respond(review, reviewOf(podOf('A'.repeat(1024 * 1024))));

    assert.equal(response.allowed, false);
    assert.ok(JSON.stringify(response).length < 4000);
  });

  it('says no more than 16 KiB of a thousand refused images', async () => {
    const images = Array.from({ length: 500 }, (_, at) => `${'team/'.repeat(30)}gone:${at}`);
    const { review } = rig({ predict: () => Promise.resolve(TAG_MISSING), policyText: 'limits: { maxImages: 500 }' });

    const { status } = await respond(review, reviewOf(podOf(...images)));

    assert.ok((status?.message.length ?? 0) < 17_000);
    assert.match(status?.message ?? '', /; and \d+ more$/u);
  });

  it('finds no review where there is no uid', async () => {
    const { review, facts } = rig();

    const answer = await review({ kind: 'AdmissionReview' }, { signal: new AbortController().signal });

    assert.equal(answer.kind, 'no-review');
    assert.deepEqual(facts, []);
  });
});
