import { createPaint, type Paint, type Style } from '../report/paint.ts';
import { wrapHard } from '../report/wrap.ts';

/** Where the demo prints, and how. */
export type Page = {
  /** Columns that a line may have. */
  readonly width: number;
  readonly paint: Paint;
  /** Prints lines; each is broken to the width already. */
  readonly print: (lines: readonly string[]) => void;
};

/** What of `process.stdout` is needed. */
export type PageStream = {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
};

const LEAST_WIDTH = 40;
/** Lines longer than this are hard to read, whatever the terminal has room for. */
const MOST_WIDTH = 120;
const PIPE_WIDTH = 100;

/** COLUMNS, else the terminal's own width; colours only on a terminal, and not where NO_COLOR is set (no-color.org). */
export function openPage(stream: PageStream, environment: Readonly<Record<string, string | undefined>>): Page {
  const asked = Number(environment['COLUMNS'] ?? '');
  const known = stream.isTTY === true ? (stream.columns ?? 80) : PIPE_WIDTH;
  const columns = Number.isSafeInteger(asked) && asked > 0 ? asked : known;
  const hasColor = stream.isTTY === true && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
  return {
    width: Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, columns)),
    paint: createPaint(hasColor),
    print: (lines) => {
      stream.write(lines.map((line) => `${line}\n`).join(''));
    },
  };
}

/** A text whose first `length` characters are painted. */
export type Start = { readonly length: number; readonly style: Style };

/** Breaks a text to the page, `indent` blanks before each line, and paints its start wherever that was broken. */
export function paragraph(
  page: Page,
  text: string,
  indent = 0,
  start: Start = { length: 0, style: 'faint' },
): string[] {
  const margin = ' '.repeat(indent);
  let at = 0;
  return flow(text, page.width - indent).map((line) => {
    // a blank at which a line was broken is in neither line
    if (text[at] === ' ') at += 1;
    const painted = Math.max(0, Math.min(line.length, start.length - at));
    at += line.length;
    return `${margin}${page.paint(start.style, line.slice(0, painted))}${line.slice(painted)}`;
  });
}

/** Lines of at most `width` characters; where a long word is broken, what is left of it stands before the next words. */
function flow(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').filter((part) => part !== '')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (joined.length <= width) line = joined;
    else {
      const pieces = wrapHard(word, width);
      lines.push(...(line === '' ? [] : [line]), ...pieces.slice(0, -1));
      line = pieces.at(-1) ?? '';
    }
  }
  return line === '' ? lines : [...lines, line];
}
