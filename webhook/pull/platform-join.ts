import type { OutcomeOf } from '../outcome/outcome.ts';
import { ended, furthest, isSuccess, joinFailures, uniqueDoubts, withDoubts, type Attempt } from './attempt.ts';

/**
 * One answer for all platforms that a Pod may land on. An image for some of them but not all is never proven to fail
 * (design, rule 2); the largest of them is what a pull may take.
 */
export function joinPlatforms(attempts: readonly Attempt[]): Attempt {
  const failures = attempts.filter((one) => !isSuccess(one.outcome));
  const [first, ...rest] = failures;
  if (first === undefined) return joinSuccesses(attempts);
  const joined = joinFailures(furthest([first, ...rest]), failures);
  const isPartial = failures.length < attempts.length;
  const named =
    joined.outcome.kind === 'platform-mismatch'
      ? { ...joined, outcome: widen(joined.outcome, failures, isPartial) }
      : joined;
  return isPartial ? withDoubts(named, 'node-platforms') : named;
}

function widen(
  outcome: OutcomeOf<'platform-mismatch'>,
  failures: readonly Attempt[],
  isPartial: boolean,
): OutcomeOf<'platform-mismatch'> {
  const wanted = failures.flatMap((one) => (one.outcome.kind === 'platform-mismatch' ? one.outcome.wanted : []));
  return { ...outcome, wanted, isPartial };
}

function joinSuccesses(attempts: readonly Attempt[]): Attempt {
  const oddOne = attempts.find((one) => one.outcome.kind === 'will-not-run');
  if (oddOne !== undefined) return oddOne;
  const found = attempts.map((one) => one.outcome).filter((outcome) => outcome.kind === 'pullable');
  const [first] = found;
  if (first === undefined) return ended({ kind: 'not-checked', reason: 'internal', detail: 'no platform is known' });
  const [largest = first] = found.toSorted((a, b) => (b.compressedBytes ?? 0) - (a.compressedBytes ?? 0));
  const { compressedBytes, largeLayers } = largest;
  const outcome = {
    ...first,
    platforms: found.flatMap(({ platforms }) => platforms),
    compressedBytes,
    ...(largeLayers === undefined ? {} : { largeLayers }),
  };
  return ended(outcome, uniqueDoubts(attempts.flatMap((one) => one.doubts)));
}
