import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import type { CourseStep } from '../../webhook/outcome/prediction.ts';
import { formatCourse, formatExplain } from '../../webhook/report/explain.ts';
import { SAMPLES } from '../outcome/samples.ts';
import { anyResults, result, WARNED } from './results.ts';

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
    const text = formatExplain(
      [
        result(SAMPLES['tag-not-found'], {
          action: 'deny',
          decidedBy: ['actions.tag-not-found.proven says deny', 'mode is enforce'],
          prediction: { course: COURSE },
        }),
      ],
      {
        width: 100,
        color: false,
      },
    );

    assert.equal(
      text,
      `reg.example:5000/team/app:1  Deployment/shop/web container "web"
|- containerd 2.1 asks https://reg.example:5000
|  |- HEAD answered 401
|  \`- asked for a token
|     \`- GET answered 200
|- HEAD answered 404
\`- denied (tag-not-found): tag "1" does not exist in the registry; 3 requests, 41 ms
   |- rule tag-not-found: The tag does not exist. The registry has the repository but not the tag.
   |  Push the tag, or name one that exists.
   |- proven: every endpoint and login ended so, and the nodes hold no other login that could change
   |  it
   \`- policy: actions.tag-not-found.proven says deny; mode is enforce
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

  it('puts the command of a request below it on one line, and last what its variables stand for', () => {
    const command = `curl -sSI -u "$USERNAME:$PASSWORD" ${'https://reg.example/'.padEnd(80, 'x')}`;
    const course = [{ text: 'HEAD answered 200', command, steps: [] }];

    const text = formatExplain([result(SAMPLES.pullable, { prediction: { course } })], { width: 40, color: false });

    assert.ok(text.includes(`|- HEAD answered 200\n|    ${command}\n`), text);
    assert.match(text, /\nSet before:\n {2}USERNAME: [^\n]+\n {2}PASSWORD: [^\n]+\n$/u);
  });

  for (const [option, isFile] of [
    ['--cacert /etc/containerd/certs.d/reg.example/ca.crt', true],
    ['--cacert <(cat /etc/a.crt "$POLICY_CA")', true],
    ['--cacert "$POLICY_CA"', false],
    ['-k', false],
  ] as const) {
    it(`${isFile ? 'says' : 'need not say'} where the files of ${option} are`, () => {
      const command = `curl -sSI ${option} https://reg.example/v2/`;
      const course = [{ text: 'HEAD answered 200', command, steps: [] }];

      const text = formatExplain([result(SAMPLES.pullable, { prediction: { course } })], { width: 80, color: false });

      assert.equal(text.includes('\nA certificate file that this machine does not have stands in the policy'), isFile);
    });
  }

  it('names the doubt where there is no proof, and the rule of each finding', () => {
    const text = formatExplain([WARNED], { width: 400, color: false });

    assert.match(text, /- not certain, because nodes may hold credentials of their own/u);
    assert.match(text, /- also pull-secret-missing: Pull secret "ci"/u);
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
