const UNIT_MS: Readonly<Record<string, number>> = Object.freeze({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 });
const DURATION = /^(?<amount>\d{1,9}(?:\.\d{1,9})?)(?<unit>ms|s|m|h)$/u;

/**
 * The API server's own deadline in a request's URL: `/validate?timeout=5s`, one number and one unit of a Go duration.
 * Milliseconds; `undefined` where there is none or it makes no sense, as nothing depends on the caller being right.
 */
export function timeoutMsOf(url: string): number | undefined {
  const query = url.indexOf('?');
  if (query < 0) return undefined;
  const groups = DURATION.exec(new URLSearchParams(url.slice(query + 1)).get('timeout') ?? '')?.groups;
  const timeoutMs = Number(groups?.['amount']) * (UNIT_MS[groups?.['unit'] ?? ''] ?? 0);
  return timeoutMs > 0 ? timeoutMs : undefined;
}
