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
  const isIntroduced = standing.isNew && !standing.hasControllingOwner && presence(standing.image) === 'absent';
  if (isIntroduced) return prediction;
  const doubts = new Set<Doubt>([...prediction.doubts, 'image-may-be-present']);
  return { ...prediction, isConclusive: false, doubts: [...doubts] };
}

/**
 * `imagePullPolicy: Never` asks no registry: only the nodes decide (pull-parity B2). `undefined` where a node holds the
 * image, as there is nothing to say then.
 */
export function predictNever(image: string, presence: ImagePresence): Prediction | undefined {
  const answer = presence(image);
  if (answer === 'present') return undefined;
  const isConclusive = answer === 'absent';
  return {
    outcome: { kind: 'never-pull-absent', lackingNodes: undefined },
    isConclusive,
    doubts: isConclusive ? [] : ['image-may-be-present'],
    findings: [],
    requests: 0,
    millis: 0,
    course: [],
  };
}
