import type { ReviewResponse } from '../../webhook/admission/answer.ts';
import type { ReviewFacts } from '../../webhook/admission/facts.ts';
import { createReviewer, type Review, type ReviewerDeps } from '../../webhook/admission/reviewer.ts';
import type { PullOutcome } from '../../webhook/outcome/outcome.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import { formatMistakes, readPolicy } from '../../webhook/policy/load.ts';
import type { Policy } from '../../webhook/policy/policy.ts';
import { SAMPLES } from '../outcome/samples.ts';

type Fields = Readonly<Record<string, unknown>>;

export const container = (name: string, image: string, more: Fields = {}): Fields => ({ name, image, ...more });

export function pod(spec: Fields, metadata: Fields = {}): Fields {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'team', ...metadata }, spec };
}

/** A Pod of containers `c0`, `c1`, ... with these images. */
export const podOf = (...images: readonly string[]): Fields =>
  pod({ containers: images.map((image, at) => container(`c${at}`, image)) });

export function deployment(spec: Fields, more: Fields = {}): Fields {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'team' },
    spec: { ...more, template: { spec } },
  };
}

const GROUPS: Readonly<Record<string, string>> = { Deployment: 'apps', ReplicaSet: 'apps', Job: 'batch' };

/** A review of `object` as the API server sends it; `changes` replaces fields of the request. */
export function reviewOf(object: Fields | null, changes: Fields = {}): Fields {
  const kind = typeof object?.['kind'] === 'string' ? object['kind'] : 'Pod';
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'uid-1',
      kind: { group: GROUPS[kind] ?? '', version: 'v1', kind },
      operation: 'CREATE',
      namespace: 'team',
      name: 'web',
      userInfo: { username: 'kubernetes-admin' },
      object,
      oldObject: null,
      ...changes,
    },
  };
}

export const updateOf = (before: Fields, after: Fields, changes: Fields = {}): Fields =>
  reviewOf(after, { operation: 'UPDATE', oldObject: before, ...changes });

export function prediction(outcome: PullOutcome, changes: Partial<Prediction> = {}): Prediction {
  return { outcome, isConclusive: true, doubts: [], findings: [], requests: 1, millis: 5, course: [], ...changes };
}

export const PULLABLE = prediction(SAMPLES.pullable);
export const TAG_MISSING = prediction(SAMPLES['tag-not-found']);

/** Each text is read once: properties judge thousands of reviews by a few policies. */
const policies = new Map<string, Policy>();

export function policyOf(yaml: string): Policy {
  const known = policies.get(yaml);
  if (known !== undefined) return known;
  const policy = readPolicy(yaml, 'policy.yaml');
  if (!policy.ok) throw new Error(formatMistakes('policy.yaml', policy.error));
  policies.set(yaml, policy.value);
  return policy.value;
}

export type Rig = {
  readonly review: Review;
  /** The images asked, in order. */
  readonly asked: string[];
  readonly facts: ReviewFacts[];
};

/** A reviewer whose nodes hold nothing and whose images are all pullable, unless told otherwise. */
export function rig(changes: Partial<ReviewerDeps> & { readonly policyText?: string } = {}): Rig {
  const { policyText = '', predict = () => Promise.resolve(PULLABLE), ...deps } = changes;
  const policy = policyOf(policyText);
  const asked: string[] = [];
  const facts: ReviewFacts[] = [];
  const review = createReviewer({
    policy: () => policy,
    weigh: (pulls) => pulls.map(({ prediction: found }) => found),
    presence: () => 'absent',
    now: () => performance.now(),
    ownNamespace: 'pullguard',
    family: () => 'containerd',
    onReviewed: (one) => facts.push(one),
    predict: (question, signal) => {
      asked.push(question.image);
      return predict(question, signal);
    },
    ...deps,
  });
  return { review, asked, facts };
}

/** The response of a review that has one; a test that gets none fails here. */
export async function respond(review: Review, body: unknown, timeoutMs?: number): Promise<ReviewResponse['response']> {
  const { signal } = new AbortController();
  const answer = await review(body, timeoutMs === undefined ? { signal } : { signal, timeoutMs });
  if (answer.kind !== 'reviewed') throw new Error(`no answer: ${answer.reason}`);
  return answer.body.response;
}
