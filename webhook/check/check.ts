import { randomBytes } from 'node:crypto';
import pLimit from 'p-limit';
import type { ImagePresence, PredictImage, WeighPulls } from '../admission/ports.ts';
import { weighMount } from '../admission/mount.ts';
import { asksNodesAlone, predictNever, weighPresence } from '../admission/presence.ts';
import { createIdentityHasher } from '../credentials/identity.ts';
import { createEngine } from '../engine/engine.ts';
import { presenceOn, type KnownNodes } from '../engine/known-nodes.ts';
import { knowledgeOf } from '../engine/node-setup.ts';
import type { SecretSource } from '../engine/pod-credentials.ts';
import type { NodeSetup } from '../node/settings.ts';
import type { OutcomeOf } from '../outcome/outcome.ts';
import type { Prediction } from '../outcome/prediction.ts';
import { exemption, maxPullSecondsFor, type Subject } from '../policy/decide.ts';
import type { Policy } from '../policy/policy.ts';
import { createPredictionCache } from '../pull/cache.ts';
import type { ContentCheck } from '../pull/content-check.ts';
import type { Budget } from '../registry/budget.ts';
import { createConnect } from '../registry/connect.ts';
import { unguarded } from '../registry/guard.ts';
import { createResolver } from '../registry/resolve.ts';
import { createTransport, type Transport } from '../registry/transport.ts';
import type { CheckResult } from '../report/result.ts';
import { subjectOf, type Item } from './items.ts';
import { verdictOn, type Predicted } from './verdict.ts';

export type CheckRequest = {
  readonly policy: Policy;
  readonly setup: NodeSetup;
  readonly items: readonly Item[];
  readonly secrets: SecretSource;
  /** The cluster's Nodes, where one was named and they could be read. */
  readonly nodes: KnownNodes | undefined;
  /** False for what exists in the cluster already, which any of its Nodes may hold unless all show that they do not. */
  readonly isNew: boolean;
  readonly hosts: ReadonlyMap<string, readonly string[]>;
  readonly budget: Budget;
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
/** A run speaks of one moment: however long it takes, what was learnt once in it counts to its end. */
const standingStill = (): number => 0;

/** Judges every image, in their order. */
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
    budget: request.budget,
    cache: createPredictionCache({ maxEntries: MAX_CACHED, loadMs: request.timeoutMs, now: standingStill }),
    hashIdentity: createIdentityHasher(randomBytes(32)),
    nodes: request.nodes,
    contentCheck: request.contentCheck?.(transport),
    asksForeignUrls: true,
    hintMs: request.timeoutMs / 2,
    addressesOf: (name) => request.hosts.get(name) ?? [],
    explains: request.explains,
    now,
  });
  const { items } = request;
  const presence = presenceFor(request);
  const limit = pLimit(CONCURRENT_IMAGES);
  let done = 0;
  try {
    const predictions = await Promise.all(
      items.map((item) =>
        limit(async () => {
          request.onProgress(done, items.length, item.use.image);
          const prediction = await predictItem({ request, predict, presence }, item);
          done += 1;
          request.onProgress(done, items.length, item.use.image);
          return { item, prediction };
        }),
      ),
    );
    return weighPods(request, predictions, weigh).map((one) =>
      verdictOn(weighPlace(one, request.isNew, presence), request.policy, family),
    );
  } finally {
    await transport.close();
  }
}

/** Without a cluster nothing is known of its Nodes, and nothing is doubted for their sake. */
function presenceFor({ nodes, policy }: CheckRequest): ImagePresence | undefined {
  return nodes === undefined ? undefined : presenceOn(nodes, () => policy.nodes.kubelet);
}

type Asking = {
  readonly request: CheckRequest;
  readonly predict: PredictImage;
  readonly presence: ImagePresence | undefined;
};

async function predictItem(asking: Asking, item: Item): Promise<Prediction> {
  const subject = subjectOf(item);
  const exempt = exemption(asking.request.policy, subject);
  return exempt === undefined ? predictUse(asking, item, subject) : skipped(exempt);
}

/**
 * What a Node is seen to hold is not proven absent (design, rule 3). Whoever asks before he applies something new gets no
 * doubt for what Nodes might hold besides: their lists are full in nearly every cluster, and nobody's slip would count.
 */
function weighPlace({ item, prediction: found }: Predicted, isNew: boolean, presence?: ImagePresence): Predicted {
  const prediction = weighMount(found, item.use.isUnmounted !== true);
  if (presence === undefined) return { item, prediction };
  const { use, hasControllingOwner } = item;
  const seen: ImagePresence = (image) => {
    const answer = presence(image);
    return isNew && answer === 'unknown' ? 'absent' : answer;
  };
  return { item, prediction: weighPresence(prediction, { ...use, isNew: true, hasControllingOwner }, seen) };
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

async function predictUse({ request, predict, presence }: Asking, item: Item, subject: Subject): Promise<Prediction> {
  const { image, pullPolicy } = item.use;
  if (asksNodesAlone(item.use))
    return predictNever(image, presence ?? (() => 'unknown')) ?? notChecked(NOTHING_TO_PULL);
  const signal = AbortSignal.timeout(request.timeoutMs + GRACE_MS);
  try {
    const maxPullSeconds = maxPullSecondsFor(request.policy, subject);
    return await predict({ image, pullPolicy, pod: item.pod, maxPullSeconds }, signal);
  } catch (error) {
    if (signal.aborted) return unanswered('deadline');
    request.onError(image, error instanceof Error ? error.message : String(error));
    return unanswered('internal');
  }
}

const NOTHING_TO_PULL: OutcomeOf<'not-checked'> = {
  kind: 'not-checked',
  reason: 'exempt',
  detail: 'imagePullPolicy is Never, and nodes hold the image',
};

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
