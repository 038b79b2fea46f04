import type { PodPull, WeighPulls } from '../admission/ports.ts';
import { mayRunOn, type NodeShape } from '../admission/placement.ts';
import { pullTurn } from '../admission/pod-images.ts';
import { parseReference } from '../image/reference.ts';
import type { Runtime } from '../outcome/runtime.ts';
import type { Policy } from '../policy/policy.ts';
import type { Meter } from '../pull/measure.ts';
import { stallLimitsOf } from '../pull/stall-limit.ts';
import { weighStart, type Pace, type Start, type TimedPull } from '../pull/too-slow.ts';
import { createKnownLayers } from './known-layers.ts';
import { burstOn, nodesAtOnce, paceOf } from './pace.ts';

/** What is known of the nodes. */
export type NodeStock = {
  /** All of them; `undefined` where they cannot be read. */
  readonly stock: () => readonly StockedNode[] | undefined;
};

/** A node with the names of the images that it lists, as `canonicalName` writes them. */
export type StockedNode = NodeShape & { readonly images: ReadonlySet<string> };

export type WeighingOptions = {
  readonly policy: Policy;
  readonly runtimes: readonly Runtime[];
  readonly meter: Meter;
  readonly nodes: NodeStock | undefined;
};

const NO_IMAGES: ReadonlySet<string> = new Set();

/** Names of images that every one of these nodes lists. */
function commonImages([first, ...rest]: readonly StockedNode[]): ReadonlySet<string> {
  return new Set([...(first?.images ?? [])].filter((name) => rest.every(({ images }) => images.has(name))));
}

/** Says of a Pod's pulls which will not end in time, by the policy, by measurements and by what nodes have. */
export function createWeighing({ policy, runtimes, meter, nodes }: WeighingOptions): WeighPulls {
  const { nodes: declared } = policy;
  const stalls = stallLimitsOf(runtimes, declared.stallSeconds);
  const known = createKnownLayers();
  return (pulls, pod) => {
    // only what nodes list asks for it
    if (nodes !== undefined) for (const { prediction } of pulls) known.learn(prediction.outcome);
    const paceAmong = (count: number, { image }: PodPull): Pace =>
      paceOf(hostOf(image), count, declared.throughput, meter);
    // the usual review, from memory: nothing to say, and it should cost nothing
    if (!pulls.some((pull) => isKnown(paceAmong(1, pull)))) return pulls.map(({ prediction }) => prediction);
    const candidates = (nodes?.stock() ?? []).filter((node) => mayRunOn(pod.placement, node));
    // where none will do, one is still to come
    const count = declared.count ?? (candidates.length === 0 ? undefined : candidates.length);
    const { podsAtOnce = 1 } = pod;
    const together = nodesAtOnce(podsAtOnce, count);
    const paced = pulls.map((pull, at) => ({ pull, pace: paceAmong(together, pull), at }));
    const inTurn = paced.toSorted((a, b) => pullTurn(a.pull.path) - pullTurn(b.pull.path));
    const start: Start = {
      deadline: pod.deadline,
      stalls,
      heldLayers: new Set(),
      burst: burstOn(podsAtOnce, count, declared),
    };
    const weighWith = (
      common: ReadonlySet<string>,
    ): readonly { readonly at: number; readonly prediction: PodPull['prediction'] }[] => {
      const timed = inTurn.map(({ pull, pace }): TimedPull => ({
        image: pull.image,
        prediction: pull.prediction,
        pace,
        isHeld: isHeld(pull, common),
        maxPullSeconds: pull.maxPullSeconds,
      }));
      const weighed = weighStart(timed, { ...start, heldLayers: known.of(common) });
      return inTurn.map(({ pull, at }, turn) => ({ at, prediction: weighed[turn] ?? pull.prediction }));
    };
    let answers = weighWith(NO_IMAGES);
    // what nodes have only makes it faster, and is looked up only where that matters
    const isAnySlow = answers.some(({ prediction }) => prediction.outcome.kind === 'pull-too-slow');
    if (isAnySlow && candidates.length > 0) answers = weighWith(commonImages(candidates));
    return answers.toSorted((a, b) => a.at - b.at).map(({ prediction }) => prediction);
  };
}

function isKnown({ bytesPerSecond, silentSeconds }: Pace): boolean {
  return bytesPerSecond !== undefined || silentSeconds !== undefined;
}

function hostOf(image: string): string {
  const reference = parseReference(image);
  return reference.ok ? reference.value.host : '';
}

/** By digest nothing is fetched again; by name the kubelet does not even ask, unless it always does. */
function isHeld({ image, pullPolicy, prediction: { outcome } }: PodPull, common: ReadonlySet<string>): boolean {
  if (common.size === 0) return false;
  const reference = parseReference(image);
  if (!reference.ok) return false;
  const { host, path, tag, digest } = reference.value;
  const name = `${host}/${path}`;
  if (outcome.kind === 'pullable' && common.has(`${name}@${outcome.digest}`)) return true;
  return pullPolicy === 'IfNotPresent' && common.has(digest === undefined ? `${name}:${tag}` : `${name}@${digest}`);
}
