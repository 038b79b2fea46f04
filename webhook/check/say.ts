import { toPrintable } from '../outcome/printable.ts';
import type { Streams } from './streams.ts';

/** Lines beside the report, for whoever started the command. */
export function say({ stderr }: Pick<Streams, 'stderr'>, lines: readonly string[]): void {
  stderr.write(lines.map((line) => `pullguard: ${toPrintable(line)}\n`).join(''));
}

/** The same for a command that cannot begin. Returns its exit code. */
export function refuse(streams: Pick<Streams, 'stderr'>, mistakes: readonly string[]): number {
  say(streams, mistakes);
  return 2;
}
