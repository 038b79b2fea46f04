import { shortenEnd, toPrintable } from '../outcome/printable.ts';

/**
 * kubectl shows warnings whole, and the API server keeps 4,096 characters for all webhooks together: eight of 240 are
 * 1,920, below the 2,000 that one webhook allows itself (design, rule 10).
 */
export const MAX_WARNING_LENGTH = 240;
export const MAX_WARNINGS = 8;

/** The warnings that go out: printable, distinct, in their order; where some are left out the last one counts them. */
export function boundWarnings(lines: readonly string[]): readonly string[] {
  const distinct = new Set(lines.map((line) => shortenEnd(toPrintable(line), MAX_WARNING_LENGTH)));
  distinct.delete('');
  const warnings = [...distinct];
  if (warnings.length <= MAX_WARNINGS) return warnings;
  const shown = warnings.slice(0, MAX_WARNINGS - 1);
  return [...shown, `+${warnings.length - shown.length} more warnings about image pulls`];
}
