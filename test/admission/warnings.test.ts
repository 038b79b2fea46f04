import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { boundWarnings } from '../../webhook/admission/warnings.ts';
import { anyText } from '../support/any-text.ts';

describe('boundWarnings', () => {
  it('keeps order and drops duplicates and empty lines', () => {
    assert.deepEqual(boundWarnings(['b', 'a', '', 'b', ' \n']), ['b', 'a']);
  });

  it('says how many it left out', () => {
    const lines = Array.from({ length: 20 }, (_, at) => `warning ${at}`);

    const bounded = boundWarnings(lines);

    assert.equal(bounded.length, 8);
    assert.deepEqual(bounded.slice(0, 7), lines.slice(0, 7));
    assert.match(bounded[7] ?? '', /^\+13 more/u);
  });

  it('never says more than the API server passes on, nor a character that it drops', () => {
    fc.assert(
      fc.property(fc.array(anyText(400), { maxLength: 30 }), (lines) => {
        const bounded = boundWarnings(lines);

        assert.ok(bounded.length <= 8);
        assert.ok(bounded.every((line) => line.length <= 240 && /^[\x20-\x7e]+$/u.test(line)));
        assert.ok(bounded.join('').length <= 2000);
        assert.equal(new Set(bounded).size, bounded.length);
      }),
      { numRuns: 100 },
    );
  });
});
