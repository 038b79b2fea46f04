import type { ImageQuestion, PredictImage, WeighPulls } from '../admission/ports.ts';
import type { IdentityHasher } from '../credentials/identity.ts';
import { parsePlatform } from '../image/platform.ts';
import { parseReference, type ImageReference } from '../image/reference.ts';
import type { Finding } from '../outcome/finding.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import type { PlatformChoice, Prediction } from '../outcome/prediction.ts';
import type { Policy } from '../policy/policy.ts';
import type { Load, PredictionCache } from '../pull/cache.ts';
import type { ContentCheck } from '../pull/content-check.ts';
import { createCourse, silentCourse } from '../pull/course.ts';
import { createMeter, type Meter } from '../pull/measure.ts';
import { createPredictor, type NodeKnowledge, type PredictPull, type PullQuestion } from '../pull/predict.ts';
import type { Budget } from '../registry/budget.ts';
import type { ReplyRoom } from '../registry/reply-room.ts';
import type { Transport } from '../registry/wire.ts';
import { cacheKey } from './cache-key.ts';
import { platformsOn, type KnownNodes } from './known-nodes.ts';
import { platformsOf } from './node-setup.ts';
import { declaredFor, hasLimit } from './pace.ts';
import { createCredentialReader, type PodCredentials, type SecretSource } from './pod-credentials.ts';
import { withPodsView } from './pod-view.ts';
import { createWeighing } from './weigh-pulls.ts';

export type EngineOptions = {
  readonly policy: Policy;
  readonly node: NodeKnowledge;
  readonly secrets: SecretSource;
  readonly transport: Transport;
  readonly budget: Budget;
  readonly replyRoom?: ReplyRoom;
  readonly cache: PredictionCache;
  readonly hashIdentity: IdentityHasher;
  /** The cluster's Nodes, where there is one: their platforms where neither the Pod nor the policy says, and what they hold. */
  readonly nodes: KnownNodes | undefined;
  readonly contentCheck: ContentCheck | undefined;
  readonly asksForeignUrls: boolean;
  /** For how long into a prediction a hint may still be looked for, where the policy asks for one. Milliseconds. */
  readonly hintMs: number;
  /** The addresses that a user gave a name (`--add-host`), for the commands in a course. */
  readonly addressesOf: (name: string) => readonly string[];
  /** Keeps the course of each prediction, for `--explain`. */
  readonly explains: boolean;
  readonly now: () => number;
};

/** Predicts one image at a time, and weighs those of one Pod together. */
export type Engine = { readonly predict: PredictImage; readonly weigh: WeighPulls };

/** The platform of most clusters, assumed and never proof of anything. */
const ASSUMED: PlatformChoice = assumedPlatforms('linux/amd64');

/**
 * Joins what a review or a check asks, the Pod's logins, the nodes' settings and the registries' answers to one
 * prediction an image. One engine stands for one policy; the transport, the cache and the budget outlive it.
 */
export function createEngine(options: EngineOptions): Engine {
  const { cache, hashIdentity, node, now, policy } = options;
  const meter = createMeter({ now });
  const readCredentials = createCredentialReader(options.secrets);
  const predict = createPredictor({
    transport: options.transport,
    budget: options.budget,
    ...(options.replyRoom === undefined ? {} : { replyRoom: options.replyRoom }),
    realms: { isStrict: policy.network.strictRealms, pairs: policy.network.realms },
    node,
    memoryFor: (credential) => cache.memoryFor(hashIdentity(credential)),
    contentCheck: options.contentCheck,
    asksForeignUrls: options.asksForeignUrls,
    addressesOf: options.addressesOf,
    meter,
    tagHint: policy.hints.similarTags ? { untilMs: options.hintMs } : undefined,
    now,
  });
  const predictImage: PredictImage = async (question, signal) => {
    const reference = parseReference(question.image);
    if (!reference.ok) return settled({ kind: 'invalid-reference', reason: reference.error }, []);
    const credentials = await readCredentials(question.pod, signal);
    if (!credentials.ok) {
      const { secret, reason, findings } = credentials.error;
      return settled({ kind: 'pull-secret-malformed', secret, reason }, findings);
    }
    const wantsThroughput =
      hasLimit(question) && declaredFor(reference.value.host, policy.nodes.throughput) === undefined;
    const asked = { ...pullOf(options, question, reference.value, credentials.value), wantsThroughput };
    const prediction = await lookUp(options, { predict, meter }, { asked, namespace: question.pod.namespace }, signal);
    const { isTemplate } = question.pod;
    return withPodsView(prediction, { reference: reference.value, credentials: credentials.value, isTemplate });
  };
  const weigh = createWeighing({ policy, runtimes: node.runtimes, meter, nodes: options.nodes });
  return { predict: predictImage, weigh };
}

function pullOf(
  options: EngineOptions,
  { pod }: ImageQuestion,
  reference: ImageReference,
  credentials: PodCredentials,
): Omit<PullQuestion, 'wantsThroughput'> {
  const hasOwnPolicy = Object.hasOwn(options.policy.nodes.crio.namespacePolicies, pod.namespace);
  return {
    reference,
    ...(hasOwnPolicy ? { namespace: pod.namespace } : {}),
    credentials: credentials.secrets.length === 0 ? [] : credentials.keyring.credentialsFor(reference),
    platforms: pod.platforms ?? platformsOf(options.policy.nodes) ?? platformsOn(options.nodes) ?? ASSUMED,
  };
}

async function lookUp(
  { cache, explains, hashIdentity }: EngineOptions,
  { predict, meter }: { readonly predict: PredictPull; readonly meter: Meter },
  { asked, namespace }: { readonly asked: PullQuestion; readonly namespace: string },
  signal: AbortSignal,
): Promise<Prediction> {
  const { credentials: logins, reference } = asked;
  const load: Load = (until, onVerdict) =>
    predict({ ...asked, onVerdict }, explains ? createCourse() : silentCourse, until);
  const key = cacheKey({ ...asked, logins }, hashIdentity);
  const lane = { namespace, host: reference.host };
  const found = await cache.get(key, load, { isByDigest: reference.digest !== undefined, signal, lane });
  if (!asked.wantsThroughput || !isUnmeasured(found, reference.host, meter)) return found;
  try {
    const again = await cache.get(`${key} measured`, load, { isByDigest: false, signal, lane });
    return { ...found, requests: again.requests };
  } catch (error) {
    if (signal.aborted) return found;
    throw error;
  }
}

/** An answer from memory, for whom nobody needed to know how fast the registry is, or too long ago. */
function isUnmeasured({ requests, outcome }: Prediction, host: string, meter: Meter): boolean {
  return requests === 0 && outcome.kind === 'pullable' && outcome.largeLayers !== undefined && meter.isDue(host);
}

function assumedPlatforms(text: string): PlatformChoice {
  const platform = parsePlatform(text);
  return { platforms: platform.ok ? [platform.value] : [], isFixed: false };
}

/** Known without asking any registry. */
function settled(outcome: PullOutcome, findings: readonly Finding[]): Prediction {
  return { outcome, isConclusive: true, doubts: [], findings, requests: 0, millis: 0, course: [] };
}
