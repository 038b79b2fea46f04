import type { ExceededLimit, OutcomeOf, PullOutcome } from '../outcome/outcome.ts';
import type { Prediction } from '../outcome/prediction.ts';
import { estimateStart, type Load, type Share } from './pod-start.ts';
import { leastRate, type StallLimits } from './stall-limit.ts';

type TooSlow = OutcomeOf<'pull-too-slow'>;

/** How fast one node pulls from an image's host, and how that is known. */
export type Pace = {
  readonly bytesPerSecond: number | undefined;
  readonly throughputFrom: TooSlow['throughputFrom'];
  /** Where it is a part of what the host gives in all. */
  readonly shared: TooSlow['shared'];
  /** A short read got no byte for so long. */
  readonly silentSeconds: number | undefined;
};

/** One image of a Pod with its prediction. */
export type TimedPull = {
  readonly image: string;
  readonly prediction: Prediction;
  readonly pace: Pace;
  /** Every node has the image already. */
  readonly isHeld: boolean;
  /** The operator's limit for this image alone. */
  readonly maxPullSeconds: number | undefined;
};

/** What ends the start of a Pod, and what its nodes have. */
export type Start = {
  /** The object's own limit, for all of the Pod's pulls. */
  readonly deadline: ExceededLimit | undefined;
  readonly stalls: StallLimits;
  /** Digests of layers that every node has. */
  readonly heldLayers: ReadonlySet<string>;
  readonly burst: TooSlow['burst'];
};

/**
 * A pull that would succeed, but not before a limit ends it, is `pull-too-slow`, with the limit that ends it first;
 * anything else stays (design, cause 5). The pulls are those of one Pod in the kubelet's order, see `estimateStart`;
 * answers have the same order. Where only the Pod's images together exceed its deadline, the one that takes longest
 * says so. An estimate is never proof.
 */
export function weighStart(pulls: readonly TimedPull[], start: Start): readonly Prediction[] {
  const estimate = estimateStart(pulls.map(loadOf), start.heldLayers);
  const { shares, seconds } = estimate;
  const others =
    new Set(pulls.filter((_pull, at) => (shares[at]?.seconds ?? 0) > 0).map(({ image }) => image)).size - 1;
  const inAll = others > 0 ? { otherImages: others, estimatedSeconds: seconds } : undefined;
  const blamed = blamedFor(start.deadline, pulls, estimate);
  return pulls.map((pull, at) => {
    const { outcome } = pull.prediction;
    const share = shares[at];
    if (outcome.kind !== 'pullable' || share === undefined || share.bytes === 0) return pull.prediction;
    const facts = factsOf(outcome, pull.pace, share);
    const found = [
      ...(start.deadline === undefined || !blamed.has(pull.image)
        ? []
        : [{ limit: start.deadline, ...(inAll === undefined ? {} : { inAll }) }]),
      ...ownLimit(pull, share),
      ...stallOf(pull, share, start.stalls),
    ];
    const [first] = found.toSorted((a, b) => a.limit.seconds - b.limit.seconds);
    if (first === undefined) return pull.prediction;
    const burst = start.burst === undefined ? {} : { burst: start.burst };
    const slow: PullOutcome = { ...facts, ...burst, ...first };
    return { ...pull.prediction, outcome: slow, isConclusive: false };
  });
}

function loadOf({ image, prediction: { outcome }, pace, isHeld }: TimedPull): Load {
  const isSized = outcome.kind === 'pullable' && outcome.compressedBytes !== undefined;
  return {
    image,
    bytes: isSized ? (outcome.compressedBytes ?? 0) : 0,
    layers: isSized ? (outcome.largeLayers ?? []) : [],
    bytesPerSecond: pace.bytesPerSecond,
    isHeld,
  };
}

/** The images that exceed the deadline alone, or else the longest of those that exceed it together. */
function blamedFor(
  deadline: ExceededLimit | undefined,
  pulls: readonly TimedPull[],
  { shares, seconds }: ReturnType<typeof estimateStart>,
): ReadonlySet<string> {
  if (deadline === undefined || seconds <= deadline.seconds) return new Set();
  const timed = pulls.map(({ image }, at) => ({ image, seconds: shares[at]?.seconds ?? 0 }));
  const alone = timed.filter((one) => one.seconds > deadline.seconds);
  const longest = timed.toSorted((a, b) => b.seconds - a.seconds).slice(0, 1);
  return new Set((alone.length > 0 ? alone : longest).map(({ image }) => image));
}

type Facts = Omit<TooSlow, 'limit'>;

function factsOf(outcome: OutcomeOf<'pullable'>, pace: Pace, { bytes, heldBytes, seconds }: Share): Facts {
  const { bytesPerSecond = 0, throughputFrom, shared } = pace;
  return {
    kind: 'pull-too-slow',
    digest: outcome.digest,
    compressedBytes: bytes,
    bytesPerSecond,
    throughputFrom,
    estimatedSeconds: bytesPerSecond === 0 ? Infinity : seconds,
    ...(shared === undefined ? {} : { shared }),
    ...(heldBytes === 0 ? {} : { heldBytes }),
  };
}

type Exceeded = Pick<TooSlow, 'limit' | 'inAll' | 'stall'>;

function ownLimit({ maxPullSeconds }: TimedPull, { seconds }: Share): readonly Exceeded[] {
  if (maxPullSeconds === undefined || seconds <= maxPullSeconds) return [];
  return [{ limit: { name: 'maxPullSeconds', seconds: maxPullSeconds } }];
}

function stallOf({ pace }: TimedPull, { bytes }: Share, { silent, creeping }: StallLimits): readonly Exceeded[] {
  const { bytesPerSecond, silentSeconds } = pace;
  if (bytesPerSecond === undefined) {
    return silent === undefined || silentSeconds === undefined ? [] : [{ limit: silent, stall: { silentSeconds } }];
  }
  if (creeping === undefined || bytes < creeping.fromBytes || bytesPerSecond >= leastRate(creeping)) return [];
  return [{ limit: creeping.limit, stall: { stepBytes: creeping.stepBytes } }];
}
