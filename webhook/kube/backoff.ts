export type BackoffOptions = { readonly firstMs: number; readonly maxMs: number };

export const DEFAULT_BACKOFF: BackoffOptions = Object.freeze({
  /** An API server that restarts is back within seconds. */
  firstMs: 500,
  /** Long enough for a missing right to cost nothing, short enough to notice when it is given. */
  maxMs: 30_000,
});

/** The pause after the nth failure in a row (from 1): doubled each time, and spread so that replicas do not march in step. */
export function backoffMs(failures: number, options: BackoffOptions, random: () => number): number {
  const whole = Math.min(options.maxMs, options.firstMs * 2 ** Math.min(failures - 1, 20));
  return whole * (0.5 + random() / 2);
}
