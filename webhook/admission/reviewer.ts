import type { RuntimeFamily } from '../outcome/runtime.ts';
import { decideImage, exemption, maxPullSecondsFor, type Subject } from '../policy/decide.ts';
import type { Mode, Policy } from '../policy/policy.ts';
import { answerTo, passAfterFailure, passUntouched, type ReviewAnswer } from './answer.ts';
import { changesOf } from './changes.ts';
import { reviewBudgetMs, startDeadline } from './deadline.ts';
import { decide, verdictOf } from './decision.ts';
import type { ReviewFacts } from './facts.ts';
import { factsOf, factsOfExempt, type Judged } from './judged.ts';
import type { ImagePresence, PredictImage, WeighPulls } from './ports.ts';
import { predictAll } from './predictions.ts';
import { questionsOf, type Question } from './questions.ts';
import { decodeReview, type ReviewRequest } from './review.ts';

export type ReviewerDeps = {
  /** The policy in force, read once a review. */
  readonly policy: () => Policy;
  readonly predict: PredictImage;
  readonly weigh: WeighPulls;
  readonly presence: ImagePresence;
  /** Milliseconds of any clock that never runs backwards. */
  readonly now: () => number;
  /** Pullguard's own namespace, which it never judges; `''` outside a cluster. */
  readonly ownNamespace: string;
  /** The nodes' runtime, whose settings files the texts name. */
  readonly family: () => RuntimeFamily;
  /** Told of every review that has a uid, after its answer is decided. */
  readonly onReviewed: (facts: ReviewFacts) => void;
};

export type ReviewOptions = {
  /** The API server's own, from `?timeout=`. */
  readonly timeoutMs?: number;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
};

/** Answers one AdmissionReview of any content. Never rejects. */
export type Review = (body: unknown, options: ReviewOptions) => Promise<ReviewAnswer>;

type Judgement = {
  readonly answer: ReviewAnswer;
  readonly facts: Pick<ReviewFacts, 'verdict' | 'mode' | 'images' | 'unlisted' | 'requests' | 'errors'>;
};

export function createReviewer(deps: ReviewerDeps): Review {
  return async (body, options) => {
    const startedAtMs = deps.now();
    const decoded = decodeReview(body);
    if (!decoded.ok) return { kind: 'no-review', reason: decoded.error };
    const request = decoded.value;
    const { answer, facts } = await judgeSafely(request, options, deps);
    const { uid, operation, namespace, kind, name, isDryRun } = request;
    const tookMs = deps.now() - startedAtMs;
    try {
      deps.onReviewed({ uid, operation, namespace, kind, name, isDryRun, ...facts, tookMs });
    } catch {
      // a log or a metric that fails must not cost the answer, and there is nowhere left to say so
    }
    return answer;
  };
}

async function judgeSafely(request: ReviewRequest, options: ReviewOptions, deps: ReviewerDeps): Promise<Judgement> {
  try {
    return await judge(request, options, deps);
  } catch (error) {
    const facts = { ...NOTHING, verdict: 'error', mode: 'enforce', errors: [error] } as const;
    return { answer: passAfterFailure(request.uid), facts };
  }
}

async function judge(request: ReviewRequest, options: ReviewOptions, deps: ReviewerDeps): Promise<Judgement> {
  const policy = deps.policy();
  const { mode } = policy;
  const changes = isOwn(request, deps) ? undefined : changesOf(request);
  if (changes === undefined) return untouched(request.uid, mode, []);
  const { workload } = changes;
  const { questions, beyond } = questionsOf(changes);
  const { kind, hasControllingOwner, unreadable } = workload;
  const subjectOf = ({ image }: Pick<Question, 'image'>): Subject => ({
    namespace: request.namespace,
    kind,
    image,
    hasControllingOwner,
  });
  const exempt = questions.filter((question) => exemption(policy, subjectOf(question)) !== undefined);
  const open = exempt.length === 0 ? questions : questions.filter((question) => !exempt.includes(question));
  if (open.length + beyond + unreadable === 0) return untouched(request.uid, mode, exempt);

  const errors: unknown[] = [];
  const onError = (error: unknown): void => {
    errors.push(error);
  };
  const deadline = startDeadline(reviewBudgetMs(policy.limits.reviewMs, options.timeoutMs), options.signal);
  const context = {
    workload,
    predict: deps.predict,
    weigh: deps.weigh,
    presence: deps.presence,
    limits: policy.limits,
    maxPullSecondsOf: (image: string) => maxPullSecondsFor(policy, subjectOf({ image })),
    deadline,
    onError,
  };
  const predicted = await predictAll(open, context).finally(() => deadline.end());
  const judged = predicted.map(({ question, prediction }) => ({
    question,
    prediction,
    verdict: decideImage(policy, subjectOf(question), prediction),
  }));
  const decision = decide({ judged, beyond, unreadable, mode, family: deps.family() });
  return {
    answer: answerTo(request.uid, decision),
    facts: {
      verdict: verdictOf(decision),
      mode: strictest(judged) ?? mode,
      images: [...judged.map(factsOf), ...exempt.map(factsOfExempt)],
      unlisted: beyond,
      requests: judged.reduce((sum, { prediction }) => sum + prediction.requests, 0),
      errors,
    },
  };
}

function isOwn({ namespace }: ReviewRequest, { ownNamespace }: ReviewerDeps): boolean {
  return ownNamespace !== '' && namespace === ownNamespace;
}

const NOTHING = { images: [], unlisted: 0, requests: 0, errors: [] } as const;

function untouched(uid: string, mode: Mode, exempt: readonly Question[]): Judgement {
  const facts = { ...NOTHING, verdict: 'skipped', mode, images: exempt.map(factsOfExempt) } as const;
  return { answer: passUntouched(uid), facts };
}

function strictest(judged: readonly Judged[]): Mode | undefined {
  return (['enforce', 'warn', 'observe'] as const).find((mode) => judged.some(({ verdict }) => verdict.mode === mode));
}
