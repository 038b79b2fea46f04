import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reviewBudgetMs, startDeadline } from '../../webhook/admission/deadline.ts';

describe('reviewBudgetMs', () => {
  const CASES: readonly (readonly [reviewMs: number, timeoutMs: number | undefined, budgetMs: number])[] = [
    [3500, undefined, 3500],
    [3500, 5000, 3500],
    [10_000, 5000, 3750],
    [10_000, 4000, 3000],
    [10_000, 2000, 1000],
    [10_000, 1000, 500],
    [10_000, 30_000, 10_000],
    [29_000, 30_000, 22_500],
  ];
  for (const [reviewMs, timeoutMs, budgetMs] of CASES) {
    it(`is ${budgetMs} ms of ${reviewMs} where the API server gives ${timeoutMs ?? 'no'} ms`, () => {
      assert.equal(reviewBudgetMs(reviewMs, timeoutMs), budgetMs);
    });
  }
});

describe('startDeadline', () => {
  it('ends by itself, after it stopped the asking', async () => {
    const deadline = startDeadline(20, new AbortController().signal);

    assert.equal(deadline.signal.aborted, false);
    await deadline.ended;
    assert.equal(deadline.signal.aborted, true);
  });

  it('ends when nobody waits any more', async () => {
    const caller = new AbortController();
    const deadline = startDeadline(60_000, caller.signal);

    caller.abort();
    await deadline.ended;
    assert.equal(deadline.signal.aborted, true);
    deadline.end();
  });

  it('has ended at once where nobody ever waited', async () => {
    const deadline = startDeadline(60_000, AbortSignal.abort());

    await deadline.ended;
    assert.equal(deadline.signal.aborted, true);
    deadline.end();
  });
});
