import type { Command, CommanderError } from 'commander';
import { toPrintable } from '../outcome/printable.ts';

/** A command line that cannot be read; `message` is one line that names the remedy. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Lets commander throw instead of ending the process, and says its mistakes in our words. */
export function speakAsOurselves(command: Command): Command {
  return command.exitOverride((error) => {
    if (error.exitCode === 0) throw error;
    throw new UsageError(`${describe(error, command)} (see ${nameOf(command)} --help)`, { cause: error });
  });
}

function describe({ code, message }: CommanderError, command: Command): string {
  const groups = SHAPE.exec(message)?.groups;
  const first = toPrintable(groups?.['first'] ?? '');
  const near = groups?.['near'];
  const suggestion = near === undefined ? '' : `, did you mean ${near}?`;
  const quoted = /'(?<text>.*)'/u.exec(first)?.groups?.['text']?.trim() ?? '';
  // `help` with a word that is no command
  if (code === 'commander.help') return 'there is no such command';
  if (code === 'commander.unknownOption') return `unknown option ${quoted}${suggestion}`;
  if (code === 'commander.unknownCommand') return `unknown command ${quoted}${suggestion}`;
  if (code === 'commander.optionMissingArgument') {
    const [flag = '', value = ''] = (quoted.split(', ').at(-1) ?? '').split(' ');
    return `${flag} needs a value: ${flag} ${value}`;
  }
  if (code === 'commander.excessArguments') return `${nameOf(command)} takes no arguments, only options`;
  return first;
}

/** Commander's messages: a sentence, and on a line of its own what may have been meant. */
const SHAPE = /^(?:error: )?(?<first>.*?)(?:\n\(Did you mean (?:one of )?(?<near>.+)\?\))?$/su;

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}
