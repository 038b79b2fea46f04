import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBudget, retryAfterSeconds, type Budget } from '../../webhook/registry/budget.ts';

const START = Date.parse('2026-11-22T12:00:00Z');

function rig(requestsPerMinute = 3): { budget: Budget; pass: (ms: number) => void } {
  let elapsed = 0;
  const budget = createBudget({
    requestsPerMinute: () => requestsPerMinute,
    now: () => elapsed,
    wallNow: () => START + elapsed,
  });
  return {
    budget,
    pass: (ms) => {
      elapsed += ms;
    },
  };
}
const header = (headers: Readonly<Record<string, string>>) => (name: string) => headers[name];

describe('the request budget', () => {
  it('spends by the minute and by the registry', () => {
    const { budget, pass } = rig(2);
    budget.noteRequest('a.test');
    assert.ok(budget.mayLookInside('a.test'));
    budget.noteRequest('a.test');
    assert.ok(!budget.mayLookInside('a.test'));
    assert.ok(budget.mayLookInside('b.test'));

    pass(59_999);
    assert.ok(!budget.mayLookInside('a.test'));
    pass(1);
    assert.ok(budget.mayLookInside('a.test'));
  });

  const rests: readonly (readonly [string | undefined, number])[] = [
    [undefined, 10_000],
    ['5', 5_000],
    ['0', 0],
    ['86400', 60_000],
    ['-1', 10_000],
    ['soon', 10_000],
    ['1e9', 10_000],
    ['Sun, 22 Nov 2026 12:00:30 GMT', 30_000],
    ['Sun, 22 Nov 2026 11:00:00 GMT', 0],
    ['Sun, 22 Nov 2099 12:00:00 GMT', 60_000],
  ];
  for (const [retryAfter, restMs] of rests) {
    it(`leaves a registry alone for ${restMs} ms after 429 with Retry-After ${retryAfter ?? 'absent'}`, () => {
      const { budget, pass } = rig();
      budget.noteAnswer('a.test', 429, header(retryAfter === undefined ? {} : { 'retry-after': retryAfter }));

      assert.equal(budget.restMs('a.test'), restMs);
      assert.equal(budget.restMs('b.test'), 0);
      pass(restMs);
      assert.equal(budget.restMs('a.test'), 0);
    });
  }

  it('keeps the longest rest that it was asked for, beyond the minute', () => {
    const { budget, pass } = rig();
    pass(50_000);
    budget.noteAnswer('a.test', 429, header({ 'retry-after': '60' }));
    budget.noteAnswer('a.test', 429, header({ 'retry-after': '1' }));
    pass(20_000);

    assert.equal(budget.restMs('a.test'), 40_000);
  });

  it('leaves the nodes half of what the registry grants', () => {
    const cases: readonly (readonly [Readonly<Record<string, string>>, boolean])[] = [
      [{ 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '50;w=21600' }, true],
      [{ 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '49;w=21600' }, false],
      [{ 'ratelimit-limit': '100', 'ratelimit-remaining': '0' }, false],
      [{ 'ratelimit-remaining': '0' }, true],
      [{ 'ratelimit-limit': 'x', 'ratelimit-remaining': 'y' }, true],
    ];
    for (const [headers, expected] of cases) {
      const { budget, pass } = rig();
      budget.noteAnswer('a.test', 200, header(headers));
      assert.equal(budget.mayLookInside('a.test'), expected, JSON.stringify(headers));
      pass(60_000);
      assert.ok(budget.mayLookInside('a.test'));
    }
  });

  it('remembers a bounded number of registries', () => {
    const { budget } = rig(1);
    budget.noteRequest('first.test');
    for (let at = 0; at < 2_000; at += 1) budget.noteRequest(`${at}.test`);

    assert.ok(!budget.mayLookInside('1999.test'));
    assert.ok(budget.mayLookInside('first.test')); // forgotten
  });

  it('reads no Retry-After from what only looks like a date', () => {
    assert.deepEqual(
      ['Tuesday', '2026-11-22', '12', 'Sun, nonsense', '9'.repeat(70)].map((text) => retryAfterSeconds(text, START)),
      [undefined, undefined, 12, undefined, undefined],
    );
  });
});
