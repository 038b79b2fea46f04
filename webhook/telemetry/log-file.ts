import { pino } from 'pino';

/** Where the lines of a log go. */
export type LogFile = {
  write(line: string): void;
  /** Resolves when everything is written, or when that takes too long. Nothing may be written afterwards. */
  readonly close: () => Promise<void>;
};

/** What may wait to be written: a reader that stands still costs lines, never memory or answers. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
const CLOSE_MS = 1_000;

/**
 * Writes to a file descriptor beside the work: Node's own stream for standard error blocks for each line, and for as
 * long as nobody reads the pipe. What comes together in one turn of the event loop is one write, as each wakes a thread.
 */
export function openLogFile(descriptor: number): LogFile {
  const file = pino.destination({ dest: descriptor, sync: false, maxLength: MAX_WAITING_BYTES });
  // whoever read the log has gone, and there is nowhere left to say so
  file.on('error', () => undefined);
  let waiting = '';
  const flush = (): void => {
    const lines = waiting;
    waiting = '';
    if (lines !== '') file.write(lines);
  };
  return {
    write: (line) => {
      if (waiting === '') setImmediate(flush);
      waiting += line;
    },
    close: () => {
      flush();
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, CLOSE_MS);
      file.once('finish', () => {
        clearTimeout(timer);
        resolve();
      });
      file.end();
      return promise;
    },
  };
}
