import type { Action } from '../outcome/action.ts';
import type { Style } from '../report/paint.ts';
import { wrapHard } from '../report/wrap.ts';
import type { Page } from './page.ts';

/** One image of one object. */
export type Row = {
  readonly object: string;
  readonly image: string;
  readonly cause: string;
  readonly action: Action;
  readonly requests: number;
  readonly millis: number;
};

const STYLE = Object.freeze({ allow: 'good', warn: 'caution', deny: 'bad' } as const satisfies Record<Action, Style>);
const HEAD = ['OBJECT', 'IMAGE', 'CAUSE', 'ACTION', 'REQUESTS', 'MS'] as const;
const ACTION_WIDTH = 6;
const REQUESTS_WIDTH = 8;
const MILLIS_WIDTH = 4;
const GAP = '  ';
/** Below this three columns of names would be slivers, and stand below each other instead. */
const COLUMNS_FROM = 90;

/** A row for each image; on a narrow page a few lines for each. */
export function summaryTable(page: Page, rows: readonly Row[]): readonly string[] {
  return page.width >= COLUMNS_FROM ? columns(page, rows) : stack(page, rows);
}

function columns(page: Page, rows: readonly Row[]): readonly string[] {
  const names = rows.map(({ object, image, cause }) => [object, image, cause] as const);
  const room = page.width - ACTION_WIDTH - REQUESTS_WIDTH - MILLIS_WIDTH - 5 * GAP.length;
  const widths = share(room, names);
  const head = [...widths, ACTION_WIDTH, REQUESTS_WIDTH, MILLIS_WIDTH].map((width, at) => {
    const name = HEAD[at] ?? '';
    return at > 3 ? name.padStart(width) : name.padEnd(width);
  });
  const body = rows.flatMap((row, index) => {
    const cells = (names[index] ?? []).map((cell, at) => wrapHard(cell, widths[at] ?? 1));
    return Array.from({ length: Math.max(...cells.map((cell) => cell.length)) }, (_, line) => {
      const texts = cells.map((cell, at) => (cell[line] ?? '').padEnd(widths[at] ?? 0));
      if (line > 0) return texts.join(GAP).trimEnd();
      const action = `${page.paint(STYLE[row.action], row.action)}${' '.repeat(ACTION_WIDTH - row.action.length)}`;
      const counts = [String(row.requests).padStart(REQUESTS_WIDTH), String(row.millis).padStart(MILLIS_WIDTH)];
      return [...texts, action, ...counts].join(GAP);
    });
  });
  return [page.paint('faint', head.join(GAP)), ...body];
}

/**
 * The widths that fit into the room with the fewest cells broken. A width that no cell has breaks as many as the next
 * smaller one that some cell has, so only those are tried; the room that is left goes to whoever is broken still.
 */
function share(room: number, rows: readonly (readonly string[])[]): readonly number[] {
  const lengths = [0, 1, 2].map((at) => [HEAD[at]?.length ?? 0, ...rows.map((row) => row[at]?.length ?? 0)]);
  const [objects, images, causes] = lengths.map((all) => [...new Set(all)]);
  const brokenBy = (widths: readonly number[]): number =>
    rows.reduce((sum, row) => sum + row.filter((cell, at) => cell.length > (widths[at] ?? 0)).length, 0);
  let best = { widths: [0, 0, 0], broken: Infinity };
  for (const object of objects ?? []) {
    for (const image of images ?? []) {
      for (const cause of causes ?? []) {
        const widths = [object, image, cause];
        const broken = object + image + cause <= room ? brokenBy(widths) : Infinity;
        if (broken < best.broken) best = { widths, broken };
      }
    }
  }
  let left = room - best.widths.reduce((sum, width) => sum + width, 0);
  return best.widths.map((width, at) => {
    const more = Math.min(left, Math.max(...(lengths[at] ?? [])) - width);
    left -= more;
    return width + more;
  });
}

function stack(page: Page, rows: readonly Row[]): readonly string[] {
  const indent = ' '.repeat(ACTION_WIDTH);
  return rows.flatMap((row) => {
    const asked = `${row.requests} ${row.requests === 1 ? 'request' : 'requests'}`;
    const texts = [`${row.object}: ${row.cause}`, `${row.image}, ${asked}, ${row.millis} ms`];
    const lines = texts.flatMap((text) => wrapHard(text, page.width - ACTION_WIDTH));
    const mark = `${page.paint(STYLE[row.action], row.action)}${' '.repeat(ACTION_WIDTH - row.action.length)}`;
    return lines.map((line, at) => `${at === 0 ? mark : indent}${line}`);
  });
}
