import { randomBytes } from 'node:crypto';
import pLimit from 'p-limit';
import type { PredictImage, WeighPulls } from '../admission/ports.ts';
import { weighMount } from '../admission/mount.ts';
import { asksNodesAlone, predictNever } from '../admission/presence.ts';
import { createIdentityHasher } from '../credentials/identity.ts';
import { createEngine } from '../engine/engine.ts';
import { knowledgeOf, platformsOf } from '../engine/node-setup.ts';
import type { SecretSource } from '../engine/pod-credentials.ts';
import type { Manifests } from '../manifests/manifests.ts';
import type { NodeSetup } from '../node/settings.ts';
import type { Action } from '../outcome/action.ts';
import type { Finding } from '../outcome/finding.ts';
import type { OutcomeOf } from '../outcome/outcome.ts';
import type { Prediction } from '../outcome/prediction.ts';
import type { RuntimeFamily } from '../outcome/runtime.ts';
import {
  decideImage,
  exemption,
  explainDecision,
  maxPullSecondsFor,
  type ImageVerdict,
  type Subject,
} from '../policy/decide.ts';
import type { Policy } from '../policy/policy.ts';
import { createPredictionCache } from '../pull/cache.ts';
import type { ContentCheck } from '../pull/content-check.ts';
import { unlimited } from '../registry/budget.ts';
import { createConnect } from '../registry/connect.ts';
import { unguarded } from '../registry/guard.ts';
import { createResolver } from '../registry/resolve.ts';
import { createTransport, type Transport } from '../registry/transport.ts';
import type { CheckResult } from '../report/result.ts';
import { itemsOf, subjectOf, type Item } from './items.ts';

export type CheckRequest = {
  readonly policy: Policy;
  readonly setup: NodeSetup;
  readonly manifests: Manifests;
  readonly images: readonly string[];
  readonly secrets: SecretSource;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly hosts: ReadonlyMap<string, readonly string[]>;
  /** Milliseconds for each image. */
  readonly timeoutMs: number;
  readonly explains: boolean;
  /** Makes the check of layer contents over a transport, for `--verify content`. */
  readonly contentCheck: ((transport: Transport) => ContentCheck) | undefined;
  readonly onProgress: (done: number, total: number, current: string) => void;
  /** Told of what a prediction threw, which is a bug: the image ends `not-checked`, the others go on. */
  readonly onError: (image: string, reason: string) => void;
};

/** Images judged at a time: registries answer slowly one by one, and a person waits. */
const CONCURRENT_IMAGES = 16;
const CONNECTIONS_PER_HOST = 8;
const MAX_CACHED = 10_000;
/** The lookup's own deadline comes first, as it knows what was asked. */
const GRACE_MS = 3_000;

const now = (): number => performance.now();

/** Judges every image of the manifests and of the command line, in their order. */
export async function runCheck(request: CheckRequest): Promise<readonly CheckResult[]> {
  const connect = createConnect({
    resolve: createResolver(request.hosts),
    guard: unguarded,
    now: () => new Date(),
  });
  const transport = createTransport({ connect, connectionsPerHost: CONNECTIONS_PER_HOST });
  const { knowledge } = knowledgeOf(request.policy.nodes, request.setup);
  const family = knowledge.runtimes[0]?.family ?? 'containerd';
  const { predict, weigh } = createEngine({
    policy: request.policy,
    node: knowledge,
    secrets: request.secrets,
    transport,
    budget: unlimited,
    cache: createPredictionCache({ maxEntries: MAX_CACHED, loadMs: request.timeoutMs, now }),
    hashIdentity: createIdentityHasher(randomBytes(32)),
    nodePlatforms: () => platformsOf(request.policy.nodes),
    contentCheck: request.contentCheck?.(transport),
    asksForeignUrls: true,
    hintMs: request.timeoutMs / 2,
    addressesOf: (name) => request.hosts.get(name) ?? [],
    explains: request.explains,
    now,
  });
  const items = itemsOf(request);
  const limit = pLimit(CONCURRENT_IMAGES);
  let done = 0;
  try {
    const predictions = await Promise.all(
      items.map((item) =>
        limit(async () => {
          request.onProgress(done, items.length, item.use.image);
          const prediction = await predictItem(request, item, predict);
          done += 1;
          request.onProgress(done, items.length, item.use.image);
          return { item, prediction };
        }),
      ),
    );
    return weighPods(request, predictions, weigh).map((one) => judge(request, one, family));
  } finally {
    await transport.close();
  }
}

type Predicted = { readonly item: Item; readonly prediction: Prediction };

async function predictItem(request: CheckRequest, item: Item, predict: PredictImage): Promise<Prediction> {
  const subject = subjectOf(item);
  const exempt = exemption(request.policy, subject);
  return exempt === undefined ? predictUse(request, { ...item, subject }, predict) : skipped(exempt);
}

/** What the images of one object take together; objects are pulled by Pods of their own. */
function weighPods({ policy }: CheckRequest, all: readonly Predicted[], weigh: WeighPulls): readonly Predicted[] {
  const answers = new Map<Item, Prediction>();
  for (const [pod, together] of Map.groupBy(all, ({ item }) => item.pod)) {
    const pulls = together.map(({ item, prediction }) => {
      const { image, path, pullPolicy } = item.use;
      return { image, path, pullPolicy, maxPullSeconds: maxPullSecondsFor(policy, subjectOf(item)), prediction };
    });
    for (const [at, prediction] of weigh(pulls, pod).entries()) {
      const one = together[at];
      if (one !== undefined) answers.set(one.item, prediction);
    }
  }
  return all.map(({ item, prediction }) => ({ item, prediction: answers.get(item) ?? prediction }));
}

function judge({ policy }: CheckRequest, { item, prediction: found }: Predicted, family: RuntimeFamily): CheckResult {
  const subject = subjectOf(item);
  const prediction = weighMount(found, item.use.isUnmounted !== true);
  const verdict = decideImage(policy, subject, prediction);
  return {
    object: item.object,
    path: item.use.path,
    image: item.use.image,
    where: item.use.where,
    prediction: { ...prediction, findings: spoken(verdict) },
    action: strictest(verdict),
    decidedBy: explainDecision(policy, subject, prediction),
    wording: { family, image: item.use.image },
    file: item.file,
    line: item.line,
  };
}

/** A finding that the policy allows is not spoken of. */
function spoken(verdict: ImageVerdict): readonly Finding[] {
  return verdict.findings.filter(({ action }) => action !== 'allow').map(({ finding }) => finding);
}

/** A finding that denies refuses by itself; one that warns does not make a good image a bad one. */
function strictest(verdict: ImageVerdict): Action {
  return verdict.findings.some(({ action }) => action === 'deny') ? 'deny' : verdict.action;
}

async function predictUse(
  request: CheckRequest,
  item: Item & { readonly subject: Subject },
  predict: PredictImage,
): Promise<Prediction> {
  const { image, pullPolicy } = item.use;
  if (asksNodesAlone(item.use)) return predictNever(image, () => 'unknown') ?? skipped('image');
  const signal = AbortSignal.timeout(request.timeoutMs + GRACE_MS);
  try {
    const maxPullSeconds = maxPullSecondsFor(request.policy, item.subject);
    return await predict({ image, pullPolicy, pod: item.pod, maxPullSeconds }, signal);
  } catch (error) {
    if (signal.aborted) return unanswered('deadline');
    request.onError(image, error instanceof Error ? error.message : String(error));
    return unanswered('internal');
  }
}

function unanswered(reason: 'deadline' | 'internal'): Prediction {
  return notChecked({ kind: 'not-checked', reason, detail: '' });
}

function skipped(why: 'namespace' | 'image' | 'placeholder'): Prediction {
  const outcome: OutcomeOf<'not-checked'> =
    why === 'placeholder'
      ? { kind: 'not-checked', reason: 'placeholder', detail: 'a placeholder that a mutating webhook replaces' }
      : { kind: 'not-checked', reason: 'exempt', detail: `the policy exempts this ${why}` };
  return notChecked(outcome);
}

function notChecked(outcome: OutcomeOf<'not-checked'>): Prediction {
  return { outcome, isConclusive: false, doubts: [], findings: [], requests: 0, millis: 0, course: [] };
}
