import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import { openPage, paragraph, type PageStream } from '../../webhook/demo/page.ts';
import { summaryTable, type Row } from '../../webhook/demo/summary-table.ts';

const ESCAPE = '\u001b[31m';
const quiet = { write: () => undefined };

describe('the page', () => {
  const cases: readonly {
    readonly name: string;
    readonly stream: Omit<PageStream, 'write'>;
    readonly environment: Readonly<Record<string, string>>;
    readonly width: number;
    readonly hasColor: boolean;
  }[] = [
    {
      name: 'takes the terminal as it is',
      stream: { isTTY: true, columns: 80 },
      environment: {},
      width: 80,
      hasColor: true,
    },
    {
      name: 'goes down to 40 columns',
      stream: { isTTY: true, columns: 20 },
      environment: {},
      width: 40,
      hasColor: true,
    },
    { name: 'goes up to 120', stream: { isTTY: true, columns: 300 }, environment: {}, width: 120, hasColor: true },
    { name: 'has no colours in a pipe', stream: {}, environment: {}, width: 100, hasColor: false },
    { name: 'believes COLUMNS', stream: {}, environment: { COLUMNS: '57' }, width: 57, hasColor: false },
    {
      name: 'passes over COLUMNS that is no number',
      stream: {},
      environment: { COLUMNS: 'x' },
      width: 100,
      hasColor: false,
    },
    {
      name: 'honours NO_COLOR',
      stream: { isTTY: true, columns: 80 },
      environment: { NO_COLOR: '1' },
      width: 80,
      hasColor: false,
    },
    {
      name: 'has no colours on a dumb terminal',
      stream: { isTTY: true, columns: 80 },
      environment: { TERM: 'dumb' },
      width: 80,
      hasColor: false,
    },
  ];
  for (const { name, stream, environment, width, hasColor } of cases) {
    it(name, () => {
      const page = openPage({ ...stream, ...quiet }, environment);

      assert.equal(page.width, width);
      assert.equal(page.paint('bad', 'x').startsWith(ESCAPE), hasColor);
    });
  }
});

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '/', ':', '@', '-'), minLength: 1, maxLength: 90 });
const sentence = fc.array(word, { minLength: 1, maxLength: 30 }).map((words) => words.join(' '));
const pages = fc.integer({ min: 40, max: 120 }).map((columns) => openPage({ isTTY: true, columns, ...quiet }, {}));

describe('a paragraph', () => {
  it('keeps to the page and loses nothing, however long its words are', () => {
    fc.assert(
      fc.property(pages, sentence, fc.integer({ min: 0, max: 6 }), fc.nat(400), (page, text, indent, length) => {
        const lines = paragraph(page, text, indent, { length, style: 'bad' }).map(stripVTControlCharacters);

        assert.ok(lines.every((line) => line.length <= page.width && line.startsWith(' '.repeat(indent))));
        assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
      }),
      { numRuns: 300 },
    );
  });

  it('paints its start wherever that is broken, and no more', () => {
    fc.assert(
      fc.property(pages, sentence, fc.nat(200), (page, text, length) => {
        const lines = paragraph(page, text, 2, { length, style: 'bad' });

        // oxlint-disable-next-line no-control-regex
        const painted = lines.flatMap((line) => [...line.matchAll(/\u001B\[31m(?<part>[^\u001B]*)/gu)]);
        const start = painted.map((match) => match.groups?.['part'] ?? '').join('');
        assert.equal(start.replaceAll(' ', ''), text.slice(0, length).replaceAll(' ', ''));
      }),
      { numRuns: 300 },
    );
  });
});

const countLetters = (text: string): number => text.replace(/[^abc]/gu, '').length;

describe('the summary table', () => {
  const row = fc.record<Row>({
    object: word,
    image: word,
    cause: word,
    action: fc.constantFrom('allow', 'warn', 'deny'),
    requests: fc.nat(99),
    millis: fc.nat(9999),
  });

  it('keeps to the page and loses nothing', () => {
    fc.assert(
      fc.property(pages, fc.array(row, { minLength: 1, maxLength: 6 }), (page, rows) => {
        const lines = summaryTable(page, rows).map(stripVTControlCharacters);

        assert.ok(lines.every((line) => line.length <= page.width));
        const shown = page.width >= 90 ? lines.slice(1).join('') : lines.join('');
        const wanted = rows.map(({ object, image, cause, action }) => `${object}${image}${cause}${action}`).join('');
        assert.ok(countLetters(shown) >= countLetters(wanted));
      }),
      { numRuns: 200 },
    );
  });

  it('breaks the fewest cells where not all have room', () => {
    const page = openPage({ isTTY: false, ...quiet }, { COLUMNS: '90' });
    const rows: readonly Row[] = ['short', 'x'.repeat(60)].map((image) => ({
      object: 'Pod/a',
      image,
      cause: 'pullable',
      action: 'allow',
      requests: 1,
      millis: 12,
    }));

    const [, short = '', ...others] = summaryTable(page, rows);

    assert.match(short, /^Pod\/a +short +pullable +allow +1 +12$/u);
    assert.deepEqual(
      others.map((line) => line.replace(/[^x]/gu, '').length),
      [48, 12],
    );
  });
});
