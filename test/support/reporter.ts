import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

type DataOf<T extends TestEvent['type']> = Extract<TestEvent, { readonly type: T }>['data'];

/**
 * Reports what somebody has to act on: failures in full, skipped tests with their reason, what the tests printed,
 * and the counts as node's own reporter prints them. Passes are silent. The last line is `N passed, N failed, N skipped`.
 */
export async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string, void> {
  // the suites around the test that is reported, outermost first
  const names: string[] = [];
  let counts: DataOf<'test:summary'>['counts'] | undefined;
  for await (const { type, data } of source) {
    switch (type) {
      case 'test:start':
        names.splice(data.nesting, Infinity, data.name);
        break;
      case 'test:pass':
        yield skipped(data, pathOf(names, data));
        break;
      case 'test:fail':
        yield failed(data, pathOf(names, data));
        break;
      case 'test:diagnostic':
        yield `ℹ ${data.message}\n`;
        break;
      case 'test:stdout':
      case 'test:stderr':
        yield data.message;
        break;
      case 'test:summary':
        // each file has a summary of its own; the one of the whole run names no file
        if (data.file === undefined) ({ counts } = data);
        break;
      case 'test:complete':
      case 'test:coverage':
      case 'test:dequeue':
      case 'test:enqueue':
      case 'test:interrupted':
      case 'test:plan':
      case 'test:watch:drained':
      case 'test:watch:restarted':
        break;
    }
  }
  if (counts === undefined) {
    yield 'the run ended before it was complete\n';
    return;
  }
  const { tests, passed, skipped: left, todo } = counts;
  // cancelled tests are among the failed: nobody knows that they would pass
  yield `${passed} passed, ${tests - passed - left - todo} failed, ${left} skipped\n`;
}

function pathOf(
  names: readonly string[],
  { nesting, name }: { readonly nesting: number; readonly name: string },
): string {
  return [...names.slice(0, nesting), name].join(' > ');
}

function skipped({ skip, todo }: DataOf<'test:pass'>, path: string): string {
  if (skip !== undefined && skip !== false) return `﹣ ${path} # ${typeof skip === 'string' ? skip : 'SKIP'}\n`;
  return todo !== undefined && todo !== false ? `﹣ ${path} # ${typeof todo === 'string' ? todo : 'TODO'}\n` : '';
}

function failed({ file, line, column, details, todo }: DataOf<'test:fail'>, path: string): string {
  const { error } = details;
  // a suite that fails only because a test in it did has nothing to add
  if ('failureType' in error && error.failureType === 'subtestsFailed') return '';
  if (todo !== undefined && todo !== false) return `⚠ ${path} # fails, as is known\n`;
  const place = file === undefined ? '' : `\n  at ${relative('.', file)}:${line ?? 1}:${column ?? 1}`;
  const cause: unknown = error.cause ?? error;
  const text = typeof cause === 'string' ? cause : inspect(cause, { depth: 10, maxStringLength: 20_000 });
  return `\n✖ ${path}${place}\n${text.replaceAll(/^/gmu, '  ')}\n\n`;
}

// oxlint-disable-next-line import/no-default-export -- node's --test-reporter takes a module's default export
export default report;
