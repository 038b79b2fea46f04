import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { beyondBounds, type JsonBounds } from '../../webhook/image/json-bounds.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** As JSON.parse sees it: every key, every entry but the first of its list, every list and object. */
function marksOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  const colons = Array.isArray(value) ? 0 : members.length;
  const commas = Math.max(0, members.length - 1);
  return members.reduce((sum: number, member) => sum + marksOf(member), 1 + colons + commas);
}

describe('beyondBounds', () => {
  const bounds: JsonBounds = { depth: 3, marks: 10 };
  const CASES: readonly (readonly [text: string, beyond: keyof JsonBounds | undefined])[] = [
    ['', undefined],
    ['[[[1]]]', undefined],
    ['[[[[1]]]]', 'depth'],
    ['{"a":[{"b":[]}]}', 'depth'],
    ['[[],[],[]]', undefined],
    ['[1,1,1,1,1,1,1,1,1,1]', undefined],
    ['[1,1,1,1,1,1,1,1,1,1,1]', 'marks'],
    ['[{},{},{},{},{},{}]', 'marks'],
    ['["[[[[,,,,,,,,,,"]', undefined],
    [`["${'a'.repeat(200)}[[[[,,,,,,,,,,"]`, undefined],
    [`["${'a'.repeat(200)}\\"[[[[,,,,,,,,,,"]`, undefined],
    [`["${'a'.repeat(200)}\\\\",[[[]]]]`, 'depth'],
    [`["${'\\\\'.repeat(500)}",[[[]]]]`, 'depth'],
    [`["${'\\"'.repeat(500)}"]`, undefined],
    [`["${'a'.repeat(62)}\\"[[[[","${'a'.repeat(63)}\\"[[[[","${'a'.repeat(64)}\\"[[[["]`, undefined],
    ['["never closed [[[[[[', undefined],
    [`["${'a'.repeat(100)} never closed \\`, undefined],
  ];
  for (const [text, beyond] of CASES) {
    it(`finds ${beyond ?? 'nothing'} beyond in ${text.slice(0, 40)} (${text.length} bytes)`, () => {
      assert.equal(beyondBounds(bytes(text), bounds), beyond);
    });
  }

  it('counts the marks of any JSON, whatever stands in its strings', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('\\', '"', '[', ',', 'a'), maxLength: 200 }));
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof({ maxDepth: 5 }, fc.integer(), text, fc.array(tie('json')), fc.dictionary(text, tie('json'))),
    }));
    fc.assert(
      fc.property(json, (value) => {
        const marks = marksOf(value);
        const written = bytes(JSON.stringify(value));

        assert.equal(beyondBounds(written, { depth: 100, marks }), undefined);
        if (marks > 0) assert.equal(beyondBounds(written, { depth: 100, marks: marks - 1 }), 'marks');
      }),
      { numRuns: 500 },
    );
  });
});
