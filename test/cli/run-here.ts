import { Readable } from 'node:stream';
import type { Streams } from '../../webhook/check/streams.ts';
import { runProgram } from '../../webhook/cli/program.ts';

export type Run = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type Surroundings = {
  readonly stdin?: string;
  readonly environment?: Streams['environment'];
  /** Columns of the terminal that both streams are; without it they are pipes. */
  readonly terminal?: number;
};

/** The whole command line in this process: what it prints, and the code that it would end with. */
export async function runHere(args: readonly string[], around: Surroundings = {}): Promise<Run> {
  const { stdin = '', environment = {}, terminal } = around;
  const written = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr'): Streams['stdout'] => ({
    ...(terminal === undefined ? {} : { isTTY: true, columns: terminal }),
    write: (text) => {
      written[name] += text;
    },
  });
  const code = await runProgram(args, {
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    stdin: Readable.from([Buffer.from(stdin)]),
    environment,
  });
  return { code, ...written };
}
