import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { DEFAULT_ACTIONS } from '../../webhook/outcome/action.ts';
import { describe as wordsFor, describeFinding, verdictLine } from '../../webhook/outcome/message.ts';
import type { Finding } from '../../webhook/outcome/finding.ts';
import { OUTCOME_KINDS, type PullOutcome } from '../../webhook/outcome/outcome.ts';
import type { RuntimeFamily } from '../../webhook/outcome/runtime.ts';
import { SAMPLES } from './samples.ts';
import { anyText } from '../support/any-text.ts';

const PRINTABLE = /^[\x20-\x7e]*$/u;
/** Fields that decide which text is chosen; every other string may be anybody's. */
const CLOSED = new Set([
  'kind',
  'depth',
  'reason-code',
  'phase',
  'by',
  'method',
  'code',
  'part',
  'throughputFrom',
  'digest',
]);

const nasty = fc.oneof(
  anyText(300),
  fc.string({ maxLength: 40 }),
  fc.constantFrom(
    '\u0000\u001b[31m\r\nred',
    '\u{1f4a3}'.repeat(50),
    '\ud800',
    '',
    ' \t\n ',
    '"; rm -rf /',
    'x'.repeat(2000),
    '"'.repeat(300),
  ),
);

/** The sample with every free string in it replaced: the shape stays. */
function poisoned(value: unknown, text: string, path: readonly string[] = []): unknown {
  const name = path.at(-1) ?? '';
  if (typeof value === 'string') {
    const isChoice =
      CLOSED.has(name) || (name === 'reason' && isChosenByReason(path, value)) || path.join('.') === 'limit.name';
    return isChoice ? value : text;
  }
  if (Array.isArray(value)) return value.map((item) => poisoned(item, text, path));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, poisoned(item, text, [...path, key])]));
}

const REASON_CODES = new Set(['schema1', 'other-platform', 'no-credentials', 'blocked-address', 'forbidden']);
function isChosenByReason(path: readonly string[], value: string): boolean {
  return path.length === 1 && REASON_CODES.has(value);
}

const anyOutcome = fc
  .tuple(fc.constantFrom(...OUTCOME_KINDS), nasty)
  .map(([kind, text]) => poisoned(SAMPLES[kind], text) as PullOutcome);
const family = fc.constantFrom<RuntimeFamily>('containerd', 'docker', 'crio');

describe('texts made of strings that anybody wrote', () => {
  it('are one printable line, and as short as asked, with the cause whole from 240 characters on', () => {
    fc.assert(
      fc.property(
        anyOutcome,
        nasty,
        nasty,
        nasty,
        family,
        fc.integer({ min: 240, max: 600 }),
        (outcome, where, path, image, family, maxLength) => {
          const wording = { family, image };
          const text = verdictLine(
            { where, path, image, outcome, doubts: ['node-settings', 'node-runtime'], wording },
            { maxLength },
          );

          assert.match(text, PRINTABLE);
          assert.ok(text.length <= maxLength, `${text.length} > ${maxLength}: ${text}`);
          assert.ok(text.includes(wordsFor(outcome, wording).cause), text);
        },
      ),
      { numRuns: 800 },
    );
  });

  it('keep to any limit, however small', () => {
    fc.assert(
      fc.property(anyOutcome, nasty, fc.integer({ min: 0, max: 240 }), (outcome, image, maxLength) => {
        const wording = { family: 'containerd', image } as const;
        const text = verdictLine({ where: image, image, outcome, doubts: [], wording }, { maxLength });

        assert.ok(text.length <= maxLength && PRINTABLE.test(text), text);
      }),
      { numRuns: 300 },
    );
  });

  it('stay bounded without a limit, even for fields of a megabyte', () => {
    const megabyte = '\u{1f4a3}\n"'.repeat(250_000);
    for (const kind of OUTCOME_KINDS) {
      const outcome = poisoned(SAMPLES[kind], megabyte) as PullOutcome;
      const text = verdictLine({
        where: megabyte,
        path: megabyte,
        image: megabyte,
        outcome,
        doubts: [],
        wording: { family: 'containerd', image: megabyte },
      });

      assert.match(text, PRINTABLE);
      assert.ok(text.length < 4000, `${kind}: ${text.length}`);
    }
  });

  it('hold no part of an endpoint but scheme, host and port', () => {
    for (const kind of OUTCOME_KINDS) {
      const sample = SAMPLES[kind];
      if (!('evidence' in sample)) continue;
      const evidence = {
        ...sample.evidence,
        endpoint: 'https://bot:hunter2@reg.example:5000/hunter2?token=hunter2#hunter2',
        path: '/v2/team/app/manifests/1?token=hunter2',
      };
      const text = verdictLine({
        where: 'container "web"',
        image: 'reg.example:5000/team/app:1',
        outcome: { ...sample, evidence },
        doubts: [],
        wording: { family: 'containerd', image: 'reg.example:5000/team/app:1' },
      });

      assert.ok(!text.includes('hunter2') && !text.includes('bot:'), text);
      assert.ok(text.includes('reg.example:5000'), text);
    }
  });

  it('are as printable for findings', () => {
    const shapes: readonly Finding[] = [
      { kind: 'pull-secret-missing', secret: 'x' },
      { kind: 'pull-secret-unreadable', secret: 'x', reason: 'forbidden' },
      { kind: 'pull-secret-wrong-type', secret: 'x', type: 'x' },
      { kind: 'key-nearly-matches', secret: 'x', entry: 'x', image: 'x', reason: 'x' },
      { kind: 'node-settings-problem', file: 'x', reason: 'x' },
      {
        kind: 'endpoints-disagree',
        answers: [{ endpoint: 'x', role: 'mirror', content: 'x', has: false, answer: 'x' }],
      },
      { kind: 'mutable-tag', tag: 'x' },
    ];
    fc.assert(
      fc.property(fc.constantFrom(...shapes), nasty, (shape, text) => {
        const sentence = describeFinding(poisoned(shape, text) as Finding);

        assert.match(sentence, PRINTABLE);
        assert.ok(sentence.length < 600);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the samples', () => {
  it('cover every kind that has an action', () => {
    assert.deepEqual(Object.keys(SAMPLES).toSorted(), Object.keys(DEFAULT_ACTIONS).toSorted());
  });
});
