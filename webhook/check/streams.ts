import type { LogFile } from '../telemetry/log-file.ts';

export type Output = {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
};

/** What a command has of its process. */
export type Streams = {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: AsyncIterable<unknown>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes Ctrl-C over from the moment it is called: for a command that has something to tidy up. */
  readonly interruption?: () => AbortSignal;
  /** Takes the lines of a server's log; standard error, one write a line, where there is none. */
  readonly openLog?: () => Promise<LogFile>;
};
