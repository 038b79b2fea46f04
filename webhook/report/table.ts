import { describe, describeDoubts, describeFinding, toPrintable } from '../outcome/message.ts';
import { createPaint, type Paint, type Style } from './paint.ts';
import { isProblem } from './problem.ts';
import type { CheckResult } from './result.ts';
import { summaryLine, verdictOf, type Verdict } from './summary.ts';
import { hang, wrap, wrapHard } from './wrap.ts';

export type TableOptions = {
  /** Columns of the terminal; fewer than 40 count as 40. */
  readonly width: number;
  readonly color: boolean;
  /** Which results get a row. The closing line counts all. */
  readonly shows: 'all' | 'problems';
};

const MARK = Object.freeze({
  pullable: ['ok', 'good'],
  denied: ['DENY', 'bad'],
  warned: ['warn', 'caution'],
  skipped: ['skip', 'faint'],
  allowed: ['note', 'faint'],
} as const satisfies Record<Verdict, readonly [mark: string, style: Style]>);
const MARK_WIDTH = 4;
const GAP = '  ';
/** From here on three columns beside the mark are readable. */
const COLUMNS_FROM = 90;
const LEAST_WIDTH = 40;

/** How many objects a paragraph names that have the same problem. */
const MAX_PLACES = 5;

/**
 * A table of the images, a paragraph for each problem, told once however many objects have it, and a line that sums up.
 * Ends in a line break.
 */
export function formatTable(results: readonly CheckResult[], options: TableOptions): string {
  const width = Math.max(LEAST_WIDTH, Math.floor(options.width));
  const paint = createPaint(options.color);
  const problems = results.filter(isProblem);
  const rows = options.shows === 'all' ? results : problems;
  const overview = width >= COLUMNS_FROM ? columns(rows, width, paint) : stack(rows, width, paint);
  const paragraphs = [
    ...Map.groupBy(problems, (result) => JSON.stringify([headOf(result), textsOf(result)])).values(),
  ].map((alike) => paragraph(alike, width, paint));
  const summary = wrap(summaryLine(results), width).map((line) => paint('strong', line));
  return [overview, ...paragraphs, summary]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function columns(results: readonly CheckResult[], width: number, paint: Paint): readonly string[] {
  if (results.length === 0) return [];
  const rows = results.map((result) => [toPrintable(result.image), placeOf(result), causeOf(result)] as const);
  const room = width - MARK_WIDTH - 3 * GAP.length;
  const natural = (at: 0 | 1): number => Math.max(6, ...rows.map((row) => row[at].length));
  const imageWidth = Math.min(natural(0), Math.floor(room * 0.38));
  const placeWidth = Math.min(natural(1), Math.floor(room * 0.3));
  const widths = [imageWidth, placeWidth, room - imageWidth - placeWidth] as const;
  const head = ['', 'IMAGE', 'OBJECT', 'RESULT']
    .map((name, at) => name.padEnd([MARK_WIDTH, ...widths][at] ?? 0))
    .join(GAP);
  const body = results.flatMap((result, at) => {
    const cells = (rows[at] ?? []).map((cell, column) => wrapHard(cell, widths[column] ?? 1));
    const height = Math.max(...cells.map((cell) => cell.length));
    return Array.from({ length: height }, (_, line) => {
      const texts = cells.map((cell, column) => (cell[line] ?? '').padEnd(widths[column] ?? 0));
      return `${line === 0 ? markOf(result, paint) : ' '.repeat(MARK_WIDTH)}${GAP}${texts.join(GAP)}`.trimEnd();
    });
  });
  return [paint('faint', head.trimEnd()), ...body];
}

/** On a narrow terminal the cells stand below each other. */
function stack(results: readonly CheckResult[], width: number, paint: Paint): readonly string[] {
  const indent = ' '.repeat(MARK_WIDTH) + GAP;
  return results.flatMap((result) => {
    const cells = [toPrintable(result.image), placeOf(result), causeOf(result)].filter((cell) => cell !== '');
    const lines = cells.flatMap((cell) => wrapHard(cell, width - indent.length));
    return lines.map((line, at) => (at === 0 ? `${markOf(result, paint)}${GAP}${line}` : `${indent}${line}`));
  });
}

type Labelled = readonly [label: string, text: string];

/** Of results that differ in their place alone. */
function paragraph(alike: readonly CheckResult[], width: number, paint: Paint): readonly string[] {
  const [first] = alike;
  if (first === undefined) return [];
  const body = [...placesOf(alike), ...textsOf(first)]
    .filter(([, text]) => text !== '')
    .flatMap(([label, text]) => hang(`${GAP}${GAP}${label.padEnd(8)}${GAP}`, text, width));
  return [`${markOf(first, paint)}${GAP}${paint('strong', toPrintable(first.image))}`, ...body];
}

function headOf(result: CheckResult): string {
  return `${verdictOf(result)} ${result.image}`;
}

function placesOf(alike: readonly CheckResult[]): readonly Labelled[] {
  const places = alike.map((result) =>
    [placeOf(result), toPrintable(result.path), sourceOf(result)].filter((part) => part !== '').join(', '),
  );
  const shown = places.slice(0, MAX_PLACES).map((place, at): Labelled => [at === 0 ? 'where' : '', place]);
  const rest = places.length - shown.length;
  return rest === 0 ? shown : [...shown, ['', `and ${rest} more`]];
}

function textsOf({ prediction: { outcome, doubts, findings }, wording }: CheckResult): readonly Labelled[] {
  const { cause, evidence, remedy } = describe(outcome, wording);
  return [
    ['cause', cause],
    ['evidence', outcome.kind === 'pullable' ? '' : evidence],
    ['doubt', describeDoubts(doubts)],
    ['remedy', remedy],
    ...findings.map((finding) => ['also', describeFinding(finding)] as const),
  ];
}

function markOf(result: CheckResult, paint: Paint): string {
  const [mark, style] = MARK[verdictOf(result)];
  return `${paint(style, mark)}${' '.repeat(MARK_WIDTH - mark.length)}`;
}

function causeOf(result: CheckResult): string {
  const { outcome } = result.prediction;
  const { cause, evidence } = describe(outcome, result.wording);
  return outcome.kind === 'pullable' ? `${cause}: ${evidence}` : cause;
}

/** `Pod/ns/name container "web"`; nothing for an image that no object names. */
function placeOf(result: CheckResult): string {
  return toPrintable(result.object === result.image ? result.where : `${result.object} ${result.where}`);
}

function sourceOf(result: CheckResult): string {
  if (result.file === undefined) return '';
  return toPrintable(`${result.file}${result.line === undefined ? '' : `:${result.line}`}`);
}
