import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { PredictImage } from '../../webhook/admission/ports.ts';
import { MODES } from '../../webhook/policy/policy.ts';
import { OUTCOME_KINDS, type OutcomeKind } from '../../webhook/outcome/outcome.ts';
import { SAMPLES } from '../outcome/samples.ts';
import { container, deployment, pod, podOf, prediction, respond, reviewOf, rig, updateOf } from './builders.ts';
import { anyText } from '../support/any-text.ts';

type Behaviour = 'reject' | 'throw' | 'hang' | { readonly kind: OutcomeKind; readonly isConclusive: boolean };

const behaviours: fc.Arbitrary<Behaviour> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom<Behaviour>('reject', 'throw', 'hang') },
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom(...OUTCOME_KINDS), isConclusive: fc.boolean() }) },
);

/** Behaves per image as `table` says, by the number in the image's name. */
function behave(table: readonly Behaviour[]): PredictImage {
  return ({ image }) => {
    const behaviour = table[Number(/\d+/u.exec(image)?.[0] ?? 0) % table.length] ?? 'reject';
    if (behaviour === 'throw') throw new Error('thrown at once');
    if (behaviour === 'reject') return Promise.reject(new Error('rejected'));
    if (behaviour === 'hang') return new Promise(() => {});
    return Promise.resolve(prediction(SAMPLES[behaviour.kind], { isConclusive: behaviour.isConclusive }));
  };
}

const images = fc.array(
  fc.oneof(
    fc.nat(9).map((at) => `app${at}:1`),
    anyText(30),
    fc.constant(''),
  ),
  { maxLength: 6 },
);
const objects = fc.oneof(
  images.map((list) => podOf(...list)),
  images.map((list) =>
    deployment({ initContainers: list.map((image) => container('i', image, { imagePullPolicy: 'Always' })) }),
  ),
  images.map((list) =>
    pod(
      { volumes: list.map((reference) => ({ name: 'v', image: { reference } })) },
      { ownerReferences: [{ controller: true }] },
    ),
  ),
  fc.object({ maxDepth: 3 }).map((spec) => pod(spec)),
);
const reviews = fc.oneof(
  fc.tuple(objects, fc.uuid()).map(([object, uid]) => reviewOf(object, { uid })),
  fc
    .tuple(objects, objects, fc.uuid(), fc.constantFrom('', 'status', 'ephemeralcontainers'))
    .map(([before, after, uid, subResource]) => updateOf(before, after, { uid, subResource })),
  fc
    .tuple(fc.jsonValue(), fc.uuid(), fc.constantFrom('CREATE', 'UPDATE', 'DELETE', 'x'))
    .map(([object, uid, operation]) => reviewOf(null, { object, uid, operation })),
);

describe('every review that has a uid', () => {
  it('gets one answer with that uid, a boolean, no patch and texts that the API server passes on', async () => {
    await fc.assert(
      fc.asyncProperty(
        reviews,
        fc.array(behaviours, { minLength: 1, maxLength: 10 }),
        fc.constantFrom(...MODES),
        async (body, table, mode) => {
          const { review, facts } = rig({
            predict: behave(table),
            policyText: `{ mode: ${mode}, limits: { review: 100ms } }`,
          });

          const response = await respond(review, body, 20);

          const { uid } = body['request'] as { readonly uid: string };
          assert.equal(response.uid, uid);
          assert.equal(typeof response.allowed, 'boolean');
          assert.equal(response.allowed, response.status === undefined);
          assert.deepEqual(
            Object.keys(response).filter(
              (key) => !['uid', 'allowed', 'status', 'warnings', 'auditAnnotations'].includes(key),
            ),
            [],
          );
          const texts = [
            ...(response.warnings ?? []),
            ...Object.values(response.auditAnnotations ?? {}),
            response.status?.message ?? 'none',
          ];
          for (const text of texts) assert.match(text, /^[\x20-\x7e]+$/u);
          assert.equal(facts.length, 1);
          if (mode !== 'enforce') assert.equal(response.allowed, true);
          if (mode === 'observe')
            assert.deepEqual(response.warnings?.filter((one) => !one.includes('failed inside')) ?? [], []);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is refused or not whatever the order of its containers', async () => {
    const settled = fc.array(fc.record({ kind: fc.constantFrom(...OUTCOME_KINDS), isConclusive: fc.boolean() }), {
      minLength: 1,
      maxLength: 8,
    });
    const shuffled = fc.tuple(settled, fc.infiniteStream(fc.nat(1000)));
    await fc.assert(
      fc.asyncProperty(shuffled, async ([table, order]) => {
        const list = table.map((_, at) => `app${at}:1`);
        const keys = new Map(list.map((image) => [image, Number(order.next().value)]));
        const other = list.toSorted((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
        const { review } = rig({ predict: behave(table) });

        const first = await respond(review, reviewOf(podOf(...list)));
        const second = await respond(review, reviewOf(podOf(...other, ...other)));

        assert.equal(first.allowed, second.allowed);
        assert.equal(first.warnings?.length, second.warnings?.length);
      }),
      { numRuns: 200 },
    );
  });

  it('is never refused because something fails that did not fail before', async () => {
    const settled = fc.array(fc.record({ kind: fc.constantFrom(...OUTCOME_KINDS), isConclusive: fc.boolean() }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(settled, fc.nat(5), fc.constantFrom<Behaviour>('reject', 'throw'), async (table, at, fault) => {
        const body = reviewOf(podOf(...table.map((_, index) => `app${index}:1`)));
        const faulty = table.map((behaviour, index) => (index === at ? fault : behaviour));

        const sound = await respond(rig({ predict: behave(table) }).review, body);
        const broken = await respond(rig({ predict: behave(faulty) }).review, body);

        assert.ok(broken.allowed || !sound.allowed);
      }),
      { numRuns: 200 },
    );
  });
});
