import type { ExceededLimit, PullOutcome } from '../outcome/outcome.ts';
import type { Prediction } from '../outcome/prediction.ts';

/** What is known of how fast nodes pull, and what ends a pull that takes too long (design, cause 5). */
export type Pace = {
  readonly bytesPerSecond: number | undefined;
  readonly throughputFrom: 'declared' | 'measured';
  readonly limits: readonly ExceededLimit[];
};

/**
 * A pull that would succeed, but not before the first of the limits ends it, is `pull-too-slow`; anything else stays.
 * The estimate is for this image alone, as if nothing else were pulled: images that a node pulls before it, one after
 * the other with `serializeImagePulls`, only make it later.
 */
export function weighPace(prediction: Prediction, pace: Pace): Prediction {
  const { outcome } = prediction;
  const { bytesPerSecond } = pace;
  if (outcome.kind !== 'pullable' || outcome.compressedBytes === undefined || bytesPerSecond === undefined)
    return prediction;
  const estimatedSeconds = outcome.compressedBytes / bytesPerSecond;
  const [limit] = pace.limits.filter((one) => estimatedSeconds > one.seconds).toSorted((a, b) => a.seconds - b.seconds);
  if (limit === undefined) return prediction;
  const slow: PullOutcome = {
    kind: 'pull-too-slow',
    digest: outcome.digest,
    compressedBytes: outcome.compressedBytes,
    bytesPerSecond,
    throughputFrom: pace.throughputFrom,
    estimatedSeconds,
    limit,
  };
  return { ...prediction, outcome: slow, isConclusive: false };
}
