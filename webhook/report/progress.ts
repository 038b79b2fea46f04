import { shortenEnd, toPrintable } from '../outcome/printable.ts';

/** What of `process.stderr` is needed. */
export type ProgressStream = {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
};

export type Progress = {
  /** Rewrites the line: `checked 2 of 7: reg.example/app:1`. */
  update(done: number, total: number, current: string): void;
  /** Adds a remark to the line until the next one: `checked 2 of 7, 120 MiB of layers read: reg.example/app:1`. */
  note(text: string): void;
  /** Wipes the line; before anything else is printed. */
  clear(): void;
};

const WIPE = '\r\u001b[2K';
const USUAL_COLUMNS = 80;

/** One line that is written over on a terminal; nothing at all elsewhere. */
export function createProgress(stream: ProgressStream): Progress {
  if (stream.isTTY !== true) return { update: () => undefined, note: () => undefined, clear: () => undefined };
  let isShown = false;
  let checked: { readonly count: string; readonly current: string } | undefined;
  let remark: string | undefined;
  const show = (): void => {
    // in the last column many terminals would already wrap
    const room = (stream.columns ?? USUAL_COLUMNS) - 1;
    const head = [checked?.count, remark].filter((part) => part !== undefined).join(', ');
    stream.write(`${WIPE}${shortenEnd(checked === undefined ? head : `${head}: ${checked.current}`, room)}`);
    isShown = true;
  };
  return {
    update(done, total, current) {
      checked = { count: `checked ${done} of ${total}`, current: toPrintable(current) };
      show();
    },
    note(text) {
      remark = toPrintable(text);
      show();
    },
    clear() {
      if (isShown) stream.write(WIPE);
      isShown = false;
    },
  };
}
