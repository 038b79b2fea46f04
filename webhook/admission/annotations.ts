import type { Action } from '../outcome/action.ts';
import { METRIC_LABEL } from '../outcome/metric-label.ts';
import { field, shortenEnd } from '../outcome/printable.ts';
import type { Mode } from '../policy/policy.ts';
import type { ReviewVerdict } from './facts.ts';
import type { Judged } from './judged.ts';

/** Audit events are cut as a whole at 100 KiB; these few words must not be what fills one. */
const MAX_VALUE_LENGTH = 1000;
const MAX_IMAGE_LENGTH = 160;

/**
 * The audit annotations: `verdict`, `policy-mode`, `outcomes` (how many of each, with what mode `enforce` would do) and
 * `images` (those that it would not let pass in silence). They say all that mode `observe` has to say.
 */
export function annotate(
  judged: readonly Judged[],
  { verdict, mode, beyond }: { readonly verdict: ReviewVerdict; readonly mode: Mode; readonly beyond: number },
): Readonly<Record<string, string>> {
  const labels = judged.map(
    ({ prediction, verdict }) => `${METRIC_LABEL[prediction.outcome.kind]}:${verdict.intended}`,
  );
  const all = [...labels, ...(beyond === 0 ? [] : [`unlisted:${beyond}`])];
  const notable = judged
    .filter(({ verdict }) => intendedOf(verdict) !== 'allow')
    .map(
      ({ question, prediction }) =>
        `${field(question.image, MAX_IMAGE_LENGTH)}=${METRIC_LABEL[prediction.outcome.kind]}`,
    );
  const modes = new Set(judged.length === 0 ? [mode] : judged.map(({ verdict }) => verdict.mode));
  return {
    verdict,
    'policy-mode': [...modes].toSorted().join(','),
    outcomes: bounded(counted(all)),
    ...(notable.length === 0 ? {} : { images: bounded(notable) }),
  };
}

function intendedOf({ intended, findings }: Judged['verdict']): Action {
  const actions = [intended, ...findings.map((one) => one.intended)];
  if (actions.includes('deny')) return 'deny';
  return actions.includes('warn') ? 'warn' : 'allow';
}

function counted(labels: readonly string[]): readonly string[] {
  return [...Map.groupBy(labels, (label) => label)].map(([label, { length }]) => `${label}=${length}`);
}

function bounded(items: readonly string[]): string {
  return shortenEnd(items.join(', '), MAX_VALUE_LENGTH);
}
