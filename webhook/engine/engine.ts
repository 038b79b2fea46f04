import { createHash } from 'node:crypto';
import type { ImageQuestion, PredictImage } from '../admission/ports.ts';
import type { Credential } from '../credentials/credential.ts';
import { inspectSecrets, nearMisses } from '../credentials/inspect.ts';
import type { IdentityHasher } from '../credentials/identity.ts';
import { formatPlatform, parsePlatform } from '../image/platform.ts';
import { parseReference, type ImageReference } from '../image/reference.ts';
import { RESTS_ON_PRESENCE, type Doubt } from '../outcome/certainty.ts';
import type { Finding } from '../outcome/finding.ts';
import type { ExceededLimit, PullOutcome } from '../outcome/outcome.ts';
import type { PlatformChoice, Prediction } from '../outcome/prediction.ts';
import type { Policy } from '../policy/policy.ts';
import { isSuccess } from '../pull/attempt.ts';
import type { PredictionCache } from '../pull/cache.ts';
import type { ContentCheck } from '../pull/content-check.ts';
import { createCourse, silentCourse } from '../pull/course.ts';
import { createPredictor, type PredictPull } from '../pull/predict.ts';
import { weighPace } from '../pull/too-slow.ts';
import type { Budget } from '../registry/budget.ts';
import type { Transport } from '../registry/transport.ts';
import { gatherCredentials, type PodCredentials, type SecretSource } from './pod-credentials.ts';
import type { NodeKnowledge } from '../pull/predict.ts';

export type EngineOptions = {
  readonly policy: Policy;
  readonly node: NodeKnowledge;
  readonly secrets: SecretSource;
  readonly transport: Transport;
  readonly budget: Budget;
  readonly cache: PredictionCache;
  readonly hashIdentity: IdentityHasher;
  /** Platforms of the nodes, where neither the Pod nor the policy says: from the Node objects, or none. */
  readonly nodePlatforms: () => PlatformChoice | undefined;
  readonly contentCheck: ContentCheck | undefined;
  readonly asksForeignUrls: boolean;
  /** Keeps the course of each prediction, for `--explain`. */
  readonly explains: boolean;
  readonly now: () => number;
};

/** The platform of most clusters, assumed and never proof of anything. */
const ASSUMED = 'linux/amd64';

/**
 * Joins what a review or a check asks, the Pod's logins, the nodes' settings and the registries' answers to one
 * prediction an image. One engine stands for one policy; the transport, the cache and the budget outlive it.
 */
export function createEngine(options: EngineOptions): PredictImage {
  const predict = createPredictor({
    transport: options.transport,
    budget: options.budget,
    realms: { isStrict: options.policy.network.strictRealms, pairs: options.policy.network.realms },
    node: options.node,
    memoryFor: (credential) => options.cache.memoryFor(options.hashIdentity(credential)),
    contentCheck: options.contentCheck,
    asksForeignUrls: options.asksForeignUrls,
    now: options.now,
  });
  return async (question, signal) => {
    const reference = parseReference(question.image);
    if (!reference.ok) return settled({ kind: 'invalid-reference', reason: reference.error }, true, []);
    const credentials = await gatherCredentials(options.secrets, question.pod, signal);
    if (!credentials.ok) {
      const { secret, reason, findings } = credentials.error;
      return settled({ kind: 'pull-secret-malformed', secret, reason }, true, findings);
    }
    const prediction = await lookUp(options, predict, { question, reference: reference.value, credentials: credentials.value }, signal);
    const paced = weighPace(prediction, paceOf(options.policy, question, reference.value));
    return withPodsView(paced, question, reference.value, credentials.value);
  };
}

type Asked = {
  readonly question: ImageQuestion;
  readonly reference: ImageReference;
  readonly credentials: PodCredentials;
};

async function lookUp(options: EngineOptions, predict: PredictPull, asked: Asked, signal: AbortSignal): Promise<Prediction> {
  const { reference } = asked;
  const logins = asked.credentials.keyring.credentialsFor(reference);
  const platforms = asked.question.pod.platforms ?? options.nodePlatforms() ?? assumedPlatforms();
  const course = options.explains ? createCourse() : silentCourse;
  const load = (until: AbortSignal): Promise<Prediction> =>
    predict({ reference, credentials: logins, platforms }, course, until);
  // a course is one person's question: it is answered from the registry, not from memory
  if (options.explains) return load(signal);
  const key = cacheKey(options, reference, logins, platforms);
  return options.cache.get(key, load, { isByDigest: reference.digest !== undefined, signal });
}

/** Everything that an answer hangs on, the logins as HMACs: never a byte of a secret (design, part 5). */
function cacheKey(
  options: EngineOptions,
  reference: ImageReference,
  logins: readonly Credential[],
  platforms: PlatformChoice,
): string {
  const parts = [
    reference.host,
    reference.path,
    reference.digest ?? reference.tag ?? '',
    // which secret a login came from is in the message, so it is in the key
    ...logins.map((login) => `${options.hashIdentity(login)} ${login.secret} ${login.key}`),
    String(platforms.isFixed),
    ...platforms.platforms.map((platform) => `${formatPlatform(platform)} ${platform.osVersion ?? ''}`),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

function assumedPlatforms(): PlatformChoice {
  const platform = parsePlatform(ASSUMED);
  return { platforms: platform.ok ? [platform.value] : [], isFixed: false };
}

function paceOf(policy: Policy, question: ImageQuestion, reference: ImageReference): Parameters<typeof weighPace>[1] {
  const { throughput } = policy.nodes;
  const declared = Object.hasOwn(throughput.hosts, reference.host) ? throughput.hosts[reference.host] : undefined;
  const { deadline } = question.pod;
  const own = policy.limits.maxPullSeconds;
  const limits: readonly ExceededLimit[] = [
    ...(deadline === undefined ? [] : [deadline]),
    ...(own === undefined ? [] : [{ name: 'maxPullSeconds', seconds: own } as const]),
  ];
  return { bytesPerSecond: declared ?? throughput.bytesPerSecond, throughputFrom: 'declared', limits };
}

/** What only this Pod brings in: findings about its secrets, and doubts where those may be incomplete (design, rule 4). */
function withPodsView(
  prediction: Prediction,
  question: ImageQuestion,
  reference: ImageReference,
  credentials: PodCredentials,
): Prediction {
  const { outcome } = prediction;
  const restsOnLogins = !isSuccess(outcome) && RESTS_ON_PRESENCE[outcome.kind] && !outcome.kind.startsWith('tls-');
  const doubts = new Set<Doubt>(prediction.doubts);
  if (restsOnLogins && credentials.isUnread) doubts.add('secret-unread');
  if (restsOnLogins && credentials.isMissingSome && question.pod.isTemplate) doubts.add('secret-may-follow');
  const explains = outcome.kind === 'access-denied' ? nearMisses(credentials.secrets, reference) : [];
  const findings: readonly Finding[] = [
    ...credentials.findings,
    ...inspectSecrets(credentials.secrets, reference),
    ...explains,
    ...prediction.findings,
  ];
  return { ...prediction, findings, doubts: [...doubts], isConclusive: prediction.isConclusive && doubts.size === 0 };
}

function settled(outcome: PullOutcome, isConclusive: boolean, findings: readonly Finding[]): Prediction {
  return { outcome, isConclusive, doubts: [], findings, requests: 0, millis: 0, course: [] };
}
