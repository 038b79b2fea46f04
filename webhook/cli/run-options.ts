import type { Command } from 'commander';
import { appended } from './repeatable.ts';

/** Adds what says how images are judged and what is printed. */
export function addRunOptions(command: Command): Command {
  return command
    .optionsGroup('How to check, and what to print:')
    .option('--fail-on <action>', 'exit with 1 on this or worse: deny or warn (default: deny)')
    .option('--timeout <duration>', 'for each image (default: 30s, with --verify content 10m)')
    .option('--add-host <name:ip>', 'an address for a name, as docker run has it; repeatable', appended)
    .option(
      '--verify <depth>',
      'headers: every part is there; content: read and unpack every layer too, keeping none (default: headers)',
    )
    .option('--similar-tags', 'list the tags of a repository that lacks the one asked for, and name those like it')
    .option('--explain', 'print the course of each check too; on standard error unless the output is a table')
    .option('-o, --output <format>', 'table, json, sarif or junit (default: table)');
}
