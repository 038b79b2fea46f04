const DURATION = /^(?<sign>[+-]?)(?<parts>(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$/u;
const PART = /(?<amount>\d+(?:\.\d*)?|\.\d+)(?<unit>ns|us|\u00b5s|\u03bcs|ms|s|m|h)/gu;

const UNIT_MS: Readonly<Record<string, number>> = Object.freeze({
  ns: 1e-6,
  us: 1e-3,
  '\u00b5s': 1e-3,
  '\u03bcs': 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
});

/** Go keeps durations in 63 bits of nanoseconds: about 292 years. */
const MAX_MS = (2 ** 63 - 1) / 1e6;

/** Reads `1m30s`, `1.5h`, `300ms` or `0` as Go's time.ParseDuration does, in milliseconds; may be negative. */
export function parseGoDuration(text: string): number | undefined {
  if (/^[+-]?0$/u.test(text)) return 0;
  const groups = DURATION.exec(text)?.groups;
  if (groups === undefined) return undefined;
  let total = 0;
  for (const part of (groups['parts'] ?? '').matchAll(PART)) {
    total += Number(part.groups?.['amount']) * (UNIT_MS[part.groups?.['unit'] ?? ''] ?? 0);
  }
  if (total > MAX_MS) return undefined;
  return groups['sign'] === '-' ? -total : total;
}
