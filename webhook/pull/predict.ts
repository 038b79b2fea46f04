import type { Credential } from '../credentials/credential.ts';
import type { ImageReference } from '../image/reference.ts';
import type { PlanEndpoints } from '../node/settings.ts';
import { describeFinding } from '../outcome/finding-text.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import type { PlatformChoice, Prediction } from '../outcome/prediction.ts';
import type { Runtime } from '../outcome/runtime.ts';
import type { Budget } from '../registry/budget.ts';
import type { RealmRules } from '../registry/realm.ts';
import type { ReplyRoom, ReplyShare } from '../registry/reply-room.ts';
import type { Transport } from '../registry/wire.ts';
import { expiringCertificates } from './certificates.ts';
import type { ContentCheck } from './content-check.ts';
import type { Course } from './course.ts';
import type { GraphMemory } from './graph-memory.ts';
import type { Meter } from './measure.ts';
import { weighProof } from './proof.ts';
import { withSimilarTags, type TagHint } from './tag-hint.ts';
import { tryRuntimes } from './tries.ts';
import { startWork } from './work.ts';

/** One image with the logins that the kubelet would try, in its order; none is an anonymous pull. */
export type PullQuestion = {
  readonly reference: ImageReference;
  readonly credentials: readonly Credential[];
  readonly platforms: PlatformChoice;
  /** The Pod's, for which CRI-O may have a policy of its own; absent where no node has. */
  readonly namespace?: string;
  /** Some limit ends the pull, and nobody declared how fast it is. */
  readonly wantsThroughput: boolean;
  /** Told of the verdict as soon as it stands: a hint may take longer than somebody has. */
  readonly onVerdict?: (verdict: Prediction) => void;
};

/** What is known of the nodes (design, rule 2). */
export type NodeKnowledge = {
  /** Every variant that is possible; where they disagree nothing is proven. */
  readonly runtimes: readonly Runtime[];
  readonly plan: PlanEndpoints;
  /** `nodes.settings: complete`. */
  readonly isComplete: boolean;
  /** Nodes may hold credentials of their own for this image (`nodes.credentialProviders`). */
  readonly mayHaveCredentials: (reference: ImageReference) => boolean;
};

export type PredictorOptions = {
  readonly transport: Transport;
  readonly budget: Budget;
  /** For long manifests and configs of all predictions at a time; without it they are read as they come. */
  readonly replyRoom?: ReplyRoom;
  readonly realms: RealmRules;
  readonly node: NodeKnowledge;
  /** The memory of digests for one login; `undefined` stands for anonymous. */
  readonly memoryFor: (credential: Credential | undefined) => GraphMemory;
  readonly contentCheck: ContentCheck | undefined;
  /** URLs that foreign layers name may be asked: by a user for himself. */
  readonly asksForeignUrls: boolean;
  readonly meter: Meter;
  /** The addresses that a user gave a name (`--add-host`): the commands of a course name them. */
  readonly addressesOf: (name: string) => readonly string[];
  /** Tags like one that does not exist are looked for; `undefined` where nobody asked for that. */
  readonly tagHint: TagHint | undefined;
  /** Monotonic milliseconds. */
  readonly now: () => number;
};

/** Predicts one pull. It ends soon after `signal` aborts, with what it knows by then; it rejects only for a bug. */
export type PredictPull = (question: PullQuestion, course: Course, signal: AbortSignal) => Promise<Prediction>;

/** Predicts pulls: every runtime variant, every login, every platform, with no request sent twice. */
export function createPredictor(options: PredictorOptions): PredictPull {
  return async (question, course, signal) => {
    const room = options.replyRoom?.enter();
    try {
      return await predictOne(options, { question, course, room }, signal);
    } finally {
      room?.leave();
    }
  };
}

type Predicting = {
  readonly question: PullQuestion;
  readonly course: Course;
  readonly room: ReplyShare | undefined;
};

async function predictOne(
  options: PredictorOptions,
  { question, course, room }: Predicting,
  signal: AbortSignal,
): Promise<Prediction> {
  const startedMs = options.now();
  const work = startWork(options, { question, start: course, room });
  const { reference } = question;
  if (reference.digest === undefined && reference.tag !== undefined) {
    work.addFinding({ kind: 'mutable-tag', tag: reference.tag });
  }
  const attempt = await tryRuntimes(work, course, signal);
  const judged = await weighProof(work, attempt, course, signal);
  const disagreement = work.endpointAnswers.disagreement(judged.outcome);
  if (disagreement !== undefined) {
    work.addFinding(disagreement);
    course.note(describeFinding(disagreement));
  }
  const predictionOf = (outcome: PullOutcome): Prediction => ({
    ...judged,
    outcome,
    findings: [...work.findings(), ...expiringCertificates(options.transport, work.clients())],
    requests: work.requests(),
    millis: Math.round(options.now() - startedMs),
    course: course.steps(),
  });
  if (options.tagHint !== undefined) question.onVerdict?.(predictionOf(judged.outcome));
  return predictionOf(await withSimilarTags(work, judged, { course, startedMs }, signal));
}
