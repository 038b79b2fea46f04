import { runDemo } from './demo.ts';
import { openPage, type PageStream } from './page.ts';

export type DemoStreams = {
  readonly stdout: PageStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/** `pullguard demo [--keep | --print]`. Returns the exit code. */
export function demoCommand(
  flags: Readonly<Record<string, unknown>>,
  { stdout, environment }: DemoStreams,
  signal: AbortSignal,
): Promise<number> {
  const mode = flags['print'] === true ? 'print' : flags['keep'] === true ? 'keep' : 'run';
  return runDemo({ page: openPage(stdout, environment), mode, signal });
}
