import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import type { CourseStep } from '../../webhook/outcome/prediction.ts';
import { formatCourse, formatExplain } from '../../webhook/report/explain.ts';
import { SAMPLES } from '../outcome/samples.ts';
import { anyResults, result } from './results.ts';

const step = (text: string, ...steps: readonly CourseStep[]): CourseStep => ({ text, steps });
const COURSE = [
  step(
    'containerd 2.1 asks https://reg.example:5000',
    step('HEAD answered 401'),
    step('asked for a token', step('GET answered 200')),
  ),
  step('HEAD answered 404'),
];

describe('the course of a prediction', () => {
  it('is a tree in ASCII that ends in the outcome', () => {
    const text = formatExplain([result(SAMPLES['tag-not-found'], { action: 'deny', prediction: { course: COURSE } })], {
      width: 100,
      color: false,
    });

    assert.equal(
      text,
      `reg.example:5000/team/app:1  Deployment/shop/web container "web"
|- containerd 2.1 asks https://reg.example:5000
|  |- HEAD answered 401
|  \`- asked for a token
|     \`- GET answered 200
|- HEAD answered 404
\`- denied (tag-not-found): tag "1" does not exist in the registry; 3 requests, 41 ms
`,
    );
  });

  it('draws the same tree with lines where there are colours', () => {
    const text = stripVTControlCharacters(formatCourse(COURSE, { width: 100, color: true }).join('\n'));

    assert.equal(
      text,
      `├─ containerd 2.1 asks https://reg.example:5000
│  ├─ HEAD answered 401
│  └─ asked for a token
│     └─ GET answered 200
└─ HEAD answered 404`,
    );
  });

  it('wraps long steps without breaking the branches', () => {
    const lines = formatCourse(
      [step('one two three four five six seven', step('below')), step('last one of them all, long too')],
      {
        width: 26,
        color: false,
      },
    );

    assert.deepEqual(lines, [
      '|- one two three four',
      '|  |  five six seven',
      '|  `- below',
      '`- last one of them all,',
      '   long too',
    ]);
  });

  it('stops at a depth that nobody could read', () => {
    const deep = Array.from({ length: 50 }).reduce<CourseStep>((below) => step('again', below), step('end'));
    const lines = formatCourse([deep], { width: 80, color: false });

    assert.equal(lines.length, 13);
    assert.match(lines.at(-1) ?? '', /`- \.\.\.$/u);
  });

  it('is printable ASCII for any texts when there are no colours', () => {
    fc.assert(
      fc.property(anyResults, (results) => {
        assert.match(formatExplain(results, { width: 60, color: false }), /^[\x20-\x7e\n]*$/u);
      }),
      { numRuns: 150 },
    );
  });
});
