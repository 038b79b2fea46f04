import { assertNever } from '../image/result.ts';
import { formatExplain } from '../report/explain.ts';
import { formatJson } from '../report/json.ts';
import { formatJunit } from '../report/junit.ts';
import type { CheckResult } from '../report/result.ts';
import { formatSarif } from '../report/sarif.ts';
import { isProblem } from '../report/problem.ts';
import { formatTable, type TableOptions } from '../report/table.ts';
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

/** Which results a person reads; the outputs for machines have all. */
export type Shown = 'all' | 'problems';

/** The results as the user wants them; in colour on a terminal, unless NO_COLOR or TERM=dumb speak against it. */
export function formatReport(
  results: readonly CheckResult[],
  { output, explains, shows }: Pick<RunOptions, 'output' | 'explains'> & { readonly shows: Shown },
  streams: Pick<Streams, 'stdout' | 'stderr' | 'environment'>,
): Report {
  const text = formatAs(output, results, { ...layoutOf(streams.stdout, streams.environment), shows });
  if (!explains) return { text, beside: '' };
  const isTable = output === 'table';
  const explained = shows === 'all' ? results : results.filter((result) => isProblem(result));
  const courses = formatExplain(explained, layoutOf(isTable ? streams.stdout : streams.stderr, streams.environment));
  return isTable ? { text: `${courses}\n${text}`, beside: '' } : { text, beside: courses };
}

type Layout = { readonly width: number; readonly color: boolean };

function layoutOf(stream: Streams['stdout'], environment: Streams['environment']): Layout {
  if (stream.isTTY !== true) return { width: PIPE_WIDTH, color: false };
  const color = (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
  return { width: stream.columns ?? TERMINAL_WIDTH, color };
}

function formatAs(output: RunOptions['output'], results: readonly CheckResult[], layout: TableOptions): string {
  switch (output) {
    case 'table':
      return formatTable(results, layout);
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
