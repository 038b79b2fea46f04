import type { RuntimeFamily } from '../outcome/runtime.ts';
import { decideImage, exemption, maxPullSecondsFor, type Subject } from '../policy/decide.ts';
import type { Mode, Policy } from '../policy/policy.ts';
import { answerTo, passAfterFailure, passUntouched, type ReviewAnswer } from './answer.ts';
import { reviewBudgetMs, startDeadline } from './deadline.ts';
import { decide, verdictOf } from './decision.ts';
import type { ReviewFacts } from './facts.ts';
import { factsOf, factsOfExempt, type Judged } from './judged.ts';
import type { ImagePresence, PredictImage, WeighPulls } from './ports.ts';
import { predictAll } from './predictions.ts';
import type { Question } from './questions.ts';
import { decodeReview, type ReviewRequest } from './review.ts';
import { headOf, taskOf, type RequestHead, type Task } from './task.ts';

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
  return (body, options) => {
    const startedAtMs = deps.now();
    const decoded = decodeReview(body);
    if (!decoded.ok) return Promise.resolve({ kind: 'no-review', reason: decoded.error });
    return report(headOf(decoded.value), judgeSafely(decoded.value, options, deps), { startedAtMs, deps });
  };
}

type Reporting = { readonly startedAtMs: number; readonly deps: ReviewerDeps };

async function report(
  head: RequestHead,
  judging: Promise<Judgement>,
  { startedAtMs, deps }: Reporting,
): Promise<ReviewAnswer> {
  const { answer, facts } = await judging;
  const { uid, operation, namespace, kind, name, isDryRun } = head;
  const tookMs = deps.now() - startedAtMs;
  try {
    deps.onReviewed({ uid, operation, namespace, kind, name, isDryRun, ...facts, tookMs });
  } catch {
    // a log or a metric that fails must not cost the answer, and there is nowhere left to say so
  }
  return answer;
}

/** Not async, so that the objects of the request are let go once it is known what to ask. */
function judgeSafely(request: ReviewRequest, options: ReviewOptions, deps: ReviewerDeps): Promise<Judgement> {
  const { uid } = request;
  const failed = (error: unknown): Judgement => ({
    answer: passAfterFailure(uid),
    facts: { ...NOTHING, verdict: 'error', mode: 'enforce', errors: [error] },
  });
  try {
    return judge(headOf(request), isOwn(request, deps) ? undefined : taskOf(request), { options, deps }).catch(failed);
  } catch (error) {
    return Promise.resolve(failed(error));
  }
}

type Judging = { readonly options: ReviewOptions; readonly deps: ReviewerDeps };

async function judge(head: RequestHead, task: Task | undefined, { options, deps }: Judging): Promise<Judgement> {
  const policy = deps.policy();
  const { mode } = policy;
  if (task === undefined) return untouched(head.uid, mode, []);
  const { workload, questions, beyond } = task;
  const { kind, hasControllingOwner, unreadable } = workload;
  const subjectOf = ({ image }: Pick<Question, 'image'>): Subject => ({
    namespace: head.namespace,
    kind,
    image,
    hasControllingOwner,
  });
  const exempt = questions.filter((question) => exemption(policy, subjectOf(question)) !== undefined);
  const open = exempt.length === 0 ? questions : questions.filter((question) => !exempt.includes(question));
  if (open.length + beyond + unreadable === 0) return untouched(head.uid, mode, exempt);

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
    answer: answerTo(head.uid, decision),
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
