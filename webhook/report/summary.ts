import type { CheckResult } from './result.ts';

/** How a person would sort a result: `skipped` was not looked at, `allowed` is let through whatever was found. */
export type Verdict = 'pullable' | 'denied' | 'warned' | 'skipped' | 'allowed';

export function verdictOf(result: CheckResult): Verdict {
  if (result.action === 'deny') return 'denied';
  if (result.action === 'warn') return 'warned';
  const { kind } = result.prediction.outcome;
  if (kind === 'pullable') return 'pullable';
  return kind === 'not-checked' ? 'skipped' : 'allowed';
}

const COUNTED = Object.freeze([
  ['pullable', 'pullable'],
  ['denied', 'denied'],
  ['warned', 'warned'],
  ['skipped', 'not checked'],
  ['allowed', 'allowed by the policy'],
] as const satisfies readonly (readonly [Verdict, string])[]);

/** `3 images: 1 pullable, 1 denied, 1 warned`. */
export function summaryLine(results: readonly CheckResult[]): string {
  if (results.length === 0) return 'no images';
  const parts = COUNTED.flatMap(([verdict, name]) => {
    const amount = results.filter((result) => verdictOf(result) === verdict).length;
    return amount === 0 ? [] : [`${amount} ${name}`];
  });
  return `${results.length} ${results.length === 1 ? 'image' : 'images'}: ${parts.join(', ')}`;
}
