import type { ExceededLimit } from '../outcome/outcome.ts';
import type { Prediction, PlatformChoice } from '../outcome/prediction.ts';
import type { Placement } from './placement.ts';
import type { PodCount } from './pod-count.ts';

/** Where an image stands in a Pod or template. */
export type ImageUse = {
  /** JSON field path from the object's root: `spec.template.spec.containers[0].image`. */
  readonly path: string;
  /** `container "web"`, `init container "migrate"`, `ephemeral container "debug"`, `image volume "model"`. */
  readonly where: string;
  /** As written, unparsed. */
  readonly image: string;
  readonly pullPolicy: PullPolicy;
  /** Of an image volume that no container mounts (pull-parity B6). */
  readonly isUnmounted?: true;
};

export type PullPolicy = 'Always' | 'IfNotPresent' | 'Never';

/** What of a Pod decides whose credentials and which nodes its pulls meet. */
export type PodDemand = {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The names in `spec.imagePullSecrets`, each once, as written: an empty name counts (pull-parity C1). */
  readonly imagePullSecrets: readonly string[];
  /** Fixed by nodeSelector or required affinity; `undefined` where the Pod leaves it to the policy. */
  readonly platforms: PlatformChoice | undefined;
  /** A workload's template: its ServiceAccount's secrets are not yet joined, and may come with the same apply. */
  readonly isTemplate: boolean;
  /** Seconds, where the object limits how long its Pods may take to start. */
  readonly deadline: ExceededLimit | undefined;
  /** Pods of this object that start at one time; 1 where nobody says. */
  readonly podsAtOnce?: PodCount;
  /** The Nodes that it may land on; absent where any may do. */
  readonly placement?: Placement;
};

export type ImageQuestion = {
  readonly image: string;
  readonly pullPolicy: PullPolicy;
  readonly pod: PodDemand;
  /** The operator's limit for one pull of this image, by the policy's rules; `undefined` where there is none. */
  readonly maxPullSeconds: number | undefined;
};

/** One image of a Pod with its answer. */
export type PodPull = Pick<ImageQuestion, 'image' | 'pullPolicy' | 'maxPullSeconds'> & {
  /** Where it stands in the Pod, by which the kubelet's order is known. */
  readonly path: string;
  readonly prediction: Prediction;
};

/**
 * Weighs what all images of one Pod take together against what ends its start: answers in the order of the pulls, some
 * of them `pull-too-slow` now. Sends nothing.
 */
export type WeighPulls = (pulls: readonly PodPull[], pod: PodDemand) => readonly Prediction[];

/** Answers for one image. Rejects only for a bug; when `signal` aborts it answers with what it knows. */
export type PredictImage = (question: ImageQuestion, signal: AbortSignal) => Promise<Prediction>;

/**
 * Whether schedulable nodes hold an image: `unknown` where a node's list is full or nodes cannot be read; `guarded`
 * where those that hold it may ask the registry again before they let a Pod use it (pull-parity B5).
 */
export type ImagePresence = (image: string) => 'present' | 'guarded' | 'absent' | 'unknown';
