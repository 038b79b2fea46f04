import { assertNever } from '../image/result.ts';
import { formatExplain } from '../report/explain.ts';
import { formatJson } from '../report/json.ts';
import { formatJunit } from '../report/junit.ts';
import type { CheckResult } from '../report/result.ts';
import { formatSarif } from '../report/sarif.ts';
import { formatTable } from '../report/table.ts';
import { version } from '../version.ts';
import type { RunOptions } from './flags.ts';
import type { Streams } from './streams.ts';

export type Report = {
  /** For standard output. */
  readonly text: string;
  /** For standard error: the courses, where they would not fit the format. */
  readonly beside: string;
};

/** Where there is no terminal to ask, a width that logs show well. */
const PIPE_WIDTH = 100;
const TERMINAL_WIDTH = 80;

/** The results as the user wants them; in colour on a terminal, unless NO_COLOR or TERM=dumb speak against it. */
export function formatReport(
  results: readonly CheckResult[],
  { output, explains }: Pick<RunOptions, 'output' | 'explains'>,
  streams: Pick<Streams, 'stdout' | 'stderr' | 'environment'>,
): Report {
  const text = formatAs(output, results, layoutOf(streams.stdout, streams.environment));
  if (!explains) return { text, beside: '' };
  const isTable = output === 'table';
  const courses = formatExplain(results, layoutOf(isTable ? streams.stdout : streams.stderr, streams.environment));
  return isTable ? { text: `${courses}\n${text}`, beside: '' } : { text, beside: courses };
}

type Layout = { readonly width: number; readonly color: boolean };

function layoutOf(stream: Streams['stdout'], environment: Streams['environment']): Layout {
  if (stream.isTTY !== true) return { width: PIPE_WIDTH, color: false };
  const color = (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
  return { width: stream.columns ?? TERMINAL_WIDTH, color };
}

function formatAs(output: RunOptions['output'], results: readonly CheckResult[], layout: Layout): string {
  switch (output) {
    case 'table':
      return formatTable(results, { ...layout, shows: 'all' });
    case 'json':
      return formatJson(results);
    case 'sarif':
      return formatSarif(results, { version: version() });
    case 'junit':
      return formatJunit(results);
    default:
      return assertNever(output);
  }
}
