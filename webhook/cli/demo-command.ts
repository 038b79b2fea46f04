import type { Command } from 'commander';
import type { Streams } from '../check/streams.ts';

/** Adds `pullguard demo`; `end` is told its exit code. */
export function addDemoCommand(program: Command, streams: Streams, end: (exitCode: number) => void): Command {
  return program
    .command('demo')
    .summary('see every cause on this machine, in seconds')
    .description(
      'Starts registries that go wrong in every way on this machine, asks the real webhook about them, and prints what kubectl apply would print. Wants no cluster and no network.',
    )
    .option('--keep', 'leave all of it running, with commands to try, until Ctrl-C')
    .option('--print', 'print the manifest and the policy instead')
    .addHelpText(
      'after',
      '\nExit codes: 0 every verdict is the expected one, 1 one is not, 130 ended by Ctrl-C before that.',
    )
    .action(async (flags: Readonly<Record<string, unknown>>) => {
      const { demoCommand } = await import('../demo/command.ts');
      end(await demoCommand(flags, streams, streams.interruption?.() ?? new AbortController().signal));
    });
}
