import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog, logReview, type Log, type LogLevel } from '../../webhook/telemetry/log.ts';
import { factsOf } from './facts.ts';

function record(level?: LogLevel): { readonly log: Log; readonly lines: () => readonly Record<string, unknown>[] } {
  const written: string[] = [];
  const stream = { write: (line: string): void => void written.push(line) };
  const log = level === undefined ? createLog(stream) : createLog(stream, level);
  return { log, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('createLog', () => {
  it('writes one JSON object a line, with the level by name and the time in ISO 8601', () => {
    const { log, lines } = record();

    log.warn('policy refused', { mistakes: 2 });

    const [{ time, ...rest } = {}, ...more] = lines();
    assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/u);
    assert.deepEqual(rest, { level: 'warn', mistakes: 2, msg: 'policy refused' });
    assert.deepEqual(more, []);
  });

  it('keeps back what is below its level', () => {
    const { log, lines } = record('error');

    log.info('reviewed');
    log.error('failed', { err: new Error('outer', { cause: new Error('inner') }) });

    assert.deepEqual(
      lines().map(({ msg }) => msg),
      ['failed'],
    );
    assert.match(JSON.stringify(lines()), /outer: inner/u);
  });
});

describe('logReview', () => {
  it('says in one line how a review ended', () => {
    const { log, lines } = record();

    logReview(log, factsOf({ isDryRun: true }));

    const [{ time, ...line } = {}] = lines();
    assert.equal(typeof time, 'string');
    assert.deepEqual(line, {
      level: 'info',
      uid: 'uid-1',
      operation: 'CREATE',
      namespace: 'team',
      kind: 'Pod',
      name: 'web',
      isDryRun: true,
      verdict: 'denied',
      mode: 'enforce',
      outcomes: { pullable: 1, tag_not_found: 1 },
      images: ['gone:1'],
      requests: 3,
      tookMs: 41,
      msg: 'reviewed',
    });
  });

  it('stays small whatever the request wrote', () => {
    const { log, lines } = record();
    const long = 'x'.repeat(1024 * 1024);
    const image = {
      image: `${long}\r\n\u202e`,
      outcome: 'invalid-reference',
      isConclusive: true,
      action: 'deny',
      intended: 'deny',
    } as const;

    logReview(
      log,
      factsOf({
        uid: long,
        operation: long,
        namespace: long,
        kind: long,
        name: long,
        images: Array.from({ length: 2000 }, () => image),
      }),
    );

    const [line] = lines();
    assert.ok(JSON.stringify(line).length < 4000);
    assert.deepEqual(line?.['outcomes'], { invalid_reference: 2000 });
  });

  it('adds a line for each thing that was thrown', () => {
    const { log, lines } = record();

    logReview(
      log,
      factsOf({ name: '', verdict: 'error', images: [], errors: [new Error('a bug'), 'no error at all'] }),
    );

    assert.deepEqual(
      lines().map(({ level, msg }) => [level, msg]),
      [
        ['info', 'reviewed'],
        ['error', 'review failed inside'],
        ['error', 'review failed inside'],
      ],
    );
    assert.equal('name' in (lines()[0] ?? {}), false);
  });
});
