import { parseReference } from '../image/reference.ts';
import { RESTS_ON_PRESENCE, type Doubt } from '../outcome/certainty.ts';
import type { Prediction } from '../outcome/prediction.ts';
import type { ImagePresence, PullPolicy } from './ports.ts';

/** What decides whether a node may already hold an image. */
export type Standing = {
  readonly image: string;
  readonly pullPolicy: PullPolicy;
  /** Not in `oldObject`. */
  readonly isNew: boolean;
  readonly hasControllingOwner: boolean;
};

/**
 * With `IfNotPresent`, what rests on absence is no proof while a node may hold the image: it ran before, a node lists
 * it or may list it, or its owner's other Pods brought it there (design, rule 3).
 */
export function weighPresence(prediction: Prediction, standing: Standing, presence: ImagePresence): Prediction {
  if (standing.pullPolicy !== 'IfNotPresent' || !RESTS_ON_PRESENCE[prediction.outcome.kind]) return prediction;
  const answer = presence(standing.image);
  if (standing.isNew && !standing.hasControllingOwner && answer === 'absent') return prediction;
  const doubts = new Set<Doubt>([...prediction.doubts, DOUBT[answer]]);
  return { ...prediction, isConclusive: false, doubts: [...doubts] };
}

const DOUBT = Object.freeze({
  present: 'image-is-present',
  // even where the kubelet asks again, its records may say that this Pod need not: no proof either
  guarded: 'pull-records-unknown',
  // it ran before, or its owner brought it there
  absent: 'image-may-be-present',
  unknown: 'image-may-be-present',
} as const satisfies Record<ReturnType<ImagePresence>, Doubt>);
/** The kubelet looks at the name before it looks at the policy: what is no image name fails with `Never` too. */
export function asksNodesAlone({ pullPolicy, image }: Pick<Standing, 'pullPolicy' | 'image'>): boolean {
  return pullPolicy === 'Never' && parseReference(image).ok;
}

/**
 * `imagePullPolicy: Never` asks no registry: only the nodes decide (pull-parity B2). `undefined` where a node holds the
 * image and lets any Pod use it, as there is nothing to say then. A kubelet that would ask the registry again refuses
 * with the same words as for an absent image (B5).
 */
export function predictNever(image: string, presence: ImagePresence): Prediction | undefined {
  const answer = presence(image);
  if (answer === 'present') return undefined;
  const isConclusive = answer === 'absent';
  const isGuarded = answer === 'guarded';
  return {
    outcome: { kind: 'never-pull-absent', lackingNodes: undefined, ...(isGuarded ? { isGuarded } : {}) },
    isConclusive,
    doubts: isConclusive ? [] : [isGuarded ? 'pull-records-unknown' : 'image-may-be-present'],
    findings: [],
    requests: 0,
    millis: 0,
    course: [],
  };
}
