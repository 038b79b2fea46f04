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
  /** Wipes the line; before anything else is printed. */
  clear(): void;
};

const WIPE = '\r\u001b[2K';
const USUAL_COLUMNS = 80;

/** One line that is written over on a terminal; nothing at all elsewhere. */
export function createProgress(stream: ProgressStream): Progress {
  if (stream.isTTY !== true) return { update: () => undefined, clear: () => undefined };
  let isShown = false;
  return {
    update(done, total, current) {
      // in the last column many terminals would already wrap
      const room = (stream.columns ?? USUAL_COLUMNS) - 1;
      const text = shortenEnd(`checked ${done} of ${total}: ${toPrintable(current)}`, room);
      stream.write(`${WIPE}${text}`);
      isShown = true;
    },
    clear() {
      if (isShown) stream.write(WIPE);
      isShown = false;
    },
  };
}
