import { describe, describeDoubts, describeFinding, toPrintable } from '../outcome/message.ts';
import { capitalized } from '../outcome/printable.ts';
import { messageOf } from './json.ts';
import type { CheckResult } from './result.ts';
import { verdictOf } from './summary.ts';

/** JUnit XML as CI systems read it: a suite for each object, a case for each image. Ends in a line break. */
export function formatJunit(results: readonly CheckResult[]): string {
  const suites = Map.groupBy(results, (result) => result.object);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'pullguard', ...totals(results) })}>`,
    ...[...suites].flatMap(([object, cases]) => [
      `  <testsuite${attributes({ name: object, ...totals(cases) })}>`,
      ...cases.flatMap(testCase),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

function totals(results: readonly CheckResult[]): Attributes {
  const count = (verdict: string): number => results.filter((result) => verdictOf(result) === verdict).length;
  const millis = results.reduce((sum, result) => sum + result.prediction.millis, 0);
  return {
    tests: results.length,
    failures: count('denied'),
    errors: 0,
    skipped: count('skipped'),
    time: seconds(millis),
  };
}

function testCase(result: CheckResult): readonly string[] {
  const name = [result.where, result.image].filter((part) => part !== '').join(' ');
  const open = `    <testcase${attributes({
    name,
    classname: result.object,
    file: result.file,
    line: result.file === undefined ? undefined : result.line,
    time: seconds(result.prediction.millis),
  })}`;
  const inner = contents(result);
  return inner.length === 0 ? [`${open}/>`] : [`${open}>`, ...inner.map((line) => `      ${line}`), '    </testcase>'];
}

function contents(result: CheckResult): readonly string[] {
  const { outcome, doubts, findings } = result.prediction;
  const notes = findings.map((finding) => describeFinding(finding));
  const { cause, evidence, remedy } = describe(outcome, result.wording);
  switch (verdictOf(result)) {
    case 'denied': {
      const text = [evidence, describeDoubts(doubts), remedy, ...notes].filter((part) => part !== '').map(capitalized);
      return [`<failure${attributes({ type: outcome.kind, message: cause })}>${escapeXml(text.join('\n'))}</failure>`];
    }
    case 'skipped':
      return [`<skipped${attributes({ message: cause })}/>`, ...systemOut(notes)];
    case 'warned':
      return systemOut([`WARNING: ${messageOf(result)}`, ...notes]);
    case 'allowed':
      return systemOut([messageOf(result), ...notes]);
    case 'pullable':
    default:
      return systemOut(notes);
  }
}

function systemOut(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`<system-out>${escapeXml(lines.join('\n'))}</system-out>`];
}

function attributes(values: Attributes): string {
  return Object.entries(values)
    .flatMap(([key, value]) => (value === undefined ? [] : [` ${key}="${escapeXml(toPrintable(String(value)))}"`]))
    .join('');
}

/** The texts are printable ASCII already: XML knows no way to write most control characters. */
function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');
}

function seconds(millis: number): string {
  return (millis / 1000).toFixed(3);
}
