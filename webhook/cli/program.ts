import { Command, CommanderError } from 'commander';
import type { Streams } from '../check/streams.ts';
import { toPrintable } from '../outcome/printable.ts';
import { version } from '../version.ts';
import { addCheckCommand } from './check-command.ts';
import { addDemoCommand } from './demo-command.ts';
import { addScanCommand } from './scan-command.ts';
import { addServeCommand } from './serve-command.ts';
import { speakAsOurselves, UsageError } from './usage-error.ts';

const START = `
Start here:
  pullguard check nginx:1.27             could a node pull this image?
  pullguard check -f deploy/             every image of your manifests
  pullguard scan                         every image that your cluster runs
  pullguard check --help                 private registries, node settings, reports for CI`;

/**
 * Reads a command line, without `node` and the program's name, runs what it asks for, and returns the exit code: 2 for
 * whatever cannot be read. Never rejects.
 */
export async function runProgram(args: readonly string[], streams: Streams): Promise<number> {
  let exitCode = 0;
  const program = createProgram(streams, (code) => {
    exitCode = code;
  });
  if (args.length === 0) {
    program.outputHelp();
    return 0;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // --help and --version
    if (error instanceof CommanderError) return error.exitCode;
    streams.stderr.write(`pullguard: ${error instanceof UsageError ? error.message : describe(error)}\n`);
    return 2;
  }
}

function createProgram(streams: Streams, end: (exitCode: number) => void): Command {
  const program = new Command('pullguard')
    .description('Finds out whether Kubernetes nodes can pull an image, before they try.')
    .usage('<command> [options]')
    .version(version())
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      // runProgram says it, once and in our words
      writeErr: () => undefined,
      getOutHelpWidth: () => (streams.stdout.isTTY === true ? (streams.stdout.columns ?? HELP_WIDTH) : HELP_WIDTH),
      getOutHasColors: () => false,
    })
    .showSuggestionAfterError()
    .addHelpText('after', START);
  for (const command of [addCheckCommand, addScanCommand, addServeCommand, addDemoCommand].map((add) =>
    add(program, streams, end),
  )) {
    speakAsOurselves(command);
  }
  return speakAsOurselves(program);
}

/** Where there is no terminal to ask. */
const HELP_WIDTH = 100;

/** The first line of whatever was thrown: a user has no use for a stack. */
function describe(error: unknown): string {
  return toPrintable((error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '');
}
