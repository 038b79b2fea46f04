import pLimit from 'p-limit';
import { parseReference } from '../image/reference.ts';
import type { OutcomeOf } from '../outcome/outcome.ts';
import type { Prediction } from '../outcome/prediction.ts';
import type { Limits } from '../policy/policy.ts';
import type { Deadline } from './deadline.ts';
import type { PodDemand, PredictImage } from './ports.ts';
import type { Question } from './questions.ts';

export type Asking = {
  readonly predict: PredictImage;
  readonly pod: PodDemand;
  readonly limits: Pick<Limits, 'maxImages' | 'maxHosts'>;
  /** The operator's limit for one pull of an image, in seconds. */
  readonly maxPullSecondsOf: (image: string) => number | undefined;
  readonly deadline: Deadline;
  /** Told of what a prediction threw. */
  readonly onError: (error: unknown) => void;
};

/** One review takes no more of the process than this at a time; most Pods have fewer images. */
const CONCURRENT_PREDICTIONS = 16;

/**
 * The predictions for distinct questions, in their order. Whoever has not answered when the deadline ends is
 * `not-checked`, and nobody waits for it; so is what lies beyond the limits. Never rejects.
 */
export function askAll(questions: readonly Question[], asking: Asking): Promise<readonly Prediction[]> {
  const { maxImages, maxHosts } = asking.limits;
  if (questions.length <= Math.min(CONCURRENT_PREDICTIONS, maxImages, maxHosts)) {
    // no limit can be reached: what counts and queues would cost more than an answer from the cache
    return Promise.all(questions.map((question) => askOne(question, asking)));
  }
  const limit = pLimit(CONCURRENT_PREDICTIONS);
  const isWithinLimits = limitCheck(asking.limits);
  return Promise.all(
    questions.map(async (question) =>
      isWithinLimits(question.image) ? limit(() => askOne(question, asking)) : notChecked('limit'),
    ),
  );
}

/** Frees its place in the limiter when the deadline ends, so that those who wait for one end then too. */
async function askOne({ image, pullPolicy }: Question, asking: Asking): Promise<Prediction> {
  const { deadline, predict, pod, onError, maxPullSecondsOf } = asking;
  if (deadline.signal.aborted) return notChecked('deadline');
  const answer = async (): Promise<Prediction> => {
    try {
      return await predict({ image, pullPolicy, pod, maxPullSeconds: maxPullSecondsOf(image) }, deadline.signal);
    } catch (error) {
      if (deadline.signal.aborted) return notChecked('deadline');
      onError(error);
      return notChecked('internal');
    }
  };
  return Promise.race([answer(), deadline.ended.then(() => notChecked('deadline'))]);
}

/** The first so many images on the first so many hosts are asked; what is no image name costs no host. */
function limitCheck({ maxImages, maxHosts }: Asking['limits']): (image: string) => boolean {
  const images = new Set<string>();
  const hosts = new Set<string>();
  return (image) => {
    const reference = parseReference(image);
    const host = reference.ok ? reference.value.host : undefined;
    if (!images.has(image) && images.size >= maxImages) return false;
    if (host !== undefined && !hosts.has(host) && hosts.size >= maxHosts) return false;
    images.add(image);
    if (host !== undefined) hosts.add(host);
    return true;
  };
}

function notChecked(reason: OutcomeOf<'not-checked'>['reason']): Prediction {
  return {
    outcome: { kind: 'not-checked', reason, detail: '' },
    isConclusive: false,
    doubts: [],
    findings: [],
    requests: 0,
    millis: 0,
    course: [],
  };
}
