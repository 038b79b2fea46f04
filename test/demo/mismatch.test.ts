import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Verdict } from '../../webhook/demo/chapters.ts';
import { mismatches } from '../../webhook/demo/mismatch.ts';
import type { Applied, Judged } from '../../webhook/demo/stage.ts';

const DENIED: Verdict = { outcome: 'damaged', isProven: true, action: 'deny' };
const judged = (change: Partial<Judged> = {}): Judged => ({
  image: 'reg.test:1/app:1',
  outcome: 'damaged',
  isConclusive: true,
  action: 'deny',
  intended: 'deny',
  requests: 3,
  millis: 8,
  ...change,
});
const applied = (change: Partial<Applied> = {}): Applied => ({
  admission: { isAllowed: false, message: 'no', warnings: [] },
  images: [judged()],
  errors: [],
  ...change,
});
const mismatch = (expected: readonly Verdict[], got: Applied): readonly string[] =>
  mismatches({ object: 'Pod/a', story: '', expected }, got);

describe('a review of the demo', () => {
  it('is right when outcome, proof and action are the expected ones', () => {
    assert.deepEqual(mismatch([DENIED], applied()), []);
  });

  const cases: readonly (readonly [name: string, expected: readonly Verdict[], got: Applied, said: RegExp])[] = [
    ['the outcome', [{ ...DENIED, outcome: 'tag-not-found' }], applied(), /expected tag-not-found .*got damaged/u],
    ['the proof', [{ ...DENIED, isProven: false }], applied(), /\(not proven, deny\).*\(proven, deny\)/u],
    ['the action', [{ ...DENIED, action: 'warn' }], applied(), /\(proven, warn\).*\(proven, deny\)/u],
    ['an image too few', [DENIED, DENIED], applied(), /for image 2, got no verdict/u],
    ['an image too many', [], applied(), /expected no verdict for reg\.test:1\/app:1/u],
    [
      'an answer that is not the decision',
      [DENIED],
      applied({ admission: { isAllowed: true, message: '', warnings: [] } }),
      /decided to refuse it and answered otherwise/u,
    ],
    ['an error inside', [DENIED], applied({ errors: [new Error('boom')] }), /failed inside: Error: boom/u],
  ];
  for (const [name, expected, got, said] of cases) {
    it(`is wrong for ${name}`, () => {
      const [first = '', ...others] = mismatch(expected, got);

      assert.match(first, said);
      assert.deepEqual(others, []);
    });
  }
});
