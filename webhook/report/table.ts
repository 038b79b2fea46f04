import { describe, describeDoubts, describeFinding, toPrintable } from '../outcome/message.ts';
import { createPaint, type Paint, type Style } from './paint.ts';
import type { CheckResult } from './result.ts';
import { summaryLine, verdictOf, type Verdict } from './summary.ts';
import { hang, wrap, wrapHard } from './wrap.ts';

export type TableOptions = {
  /** Columns of the terminal; fewer than 40 count as 40. */
  readonly width: number;
  readonly color: boolean;
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

/** A table of all images, a paragraph for each problem, a line that sums up. Ends in a line break. */
export function formatTable(results: readonly CheckResult[], options: TableOptions): string {
  const width = Math.max(LEAST_WIDTH, Math.floor(options.width));
  const paint = createPaint(options.color);
  const overview = width >= COLUMNS_FROM ? columns(results, width, paint) : stack(results, width, paint);
  const paragraphs = results.filter(isProblem).map((result) => paragraph(result, width, paint));
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

function paragraph(result: CheckResult, width: number, paint: Paint): readonly string[] {
  const { outcome, doubts, findings } = result.prediction;
  const { cause, evidence, remedy } = describe(outcome, result.wording);
  const labelled: readonly (readonly [label: string, text: string])[] = [
    ['where', [placeOf(result), toPrintable(result.path), sourceOf(result)].filter((part) => part !== '').join(', ')],
    ['cause', cause],
    ['evidence', outcome.kind === 'pullable' ? '' : evidence],
    ['doubt', describeDoubts(doubts)],
    ['remedy', remedy],
    ...findings.map((finding) => ['also', describeFinding(finding)] as const),
  ];
  const body = labelled
    .filter(([, text]) => text !== '')
    .flatMap(([label, text]) => hang(`${GAP}${GAP}${label.padEnd(8)}${GAP}`, text, width));
  return [`${markOf(result, paint)}${GAP}${paint('strong', toPrintable(result.image))}`, ...body];
}

/** What needs more than a row: refusals, warnings, findings, and what the user could still settle. */
function isProblem(result: CheckResult): boolean {
  const { outcome, findings } = result.prediction;
  return result.action !== 'allow' || findings.length > 0 || describe(outcome, result.wording).remedy !== '';
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
