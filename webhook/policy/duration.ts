import { err, ok, type Result } from '../image/result.ts';
import { quote } from './quote.ts';

const PART = /(?<number>\d{1,9}(?:\.\d{1,9})?)(?<unit>ms|s|m|h)/gu;
const SHAPE = /^(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h)){1,4}$/u;
const MILLIS: Readonly<Record<string, number>> = Object.freeze({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 });

/** Reads a Go duration (`time.ParseDuration`) of hours to milliseconds, `3500ms` or `1m30s`, as whole milliseconds. */
export function parseDuration(text: string): Result<number> {
  if (!SHAPE.test(text)) return err(`${quote(text)} is no duration: expected for example 3500ms, 2s or 1m30s`);
  let total = 0;
  for (const { groups } of text.matchAll(PART))
    total += Number(groups?.['number']) * (MILLIS[groups?.['unit'] ?? ''] ?? 0);
  return ok(Math.round(total));
}

/** `3500ms`, `2s`: the shortest spelling in one unit. */
export function formatDuration(millis: number): string {
  return millis % 1000 === 0 ? `${millis / 1000}s` : `${millis}ms`;
}
