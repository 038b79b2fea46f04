import { randomBytes } from 'node:crypto';
import type { PredictImage, WeighPulls } from '../admission/ports.ts';
import { createIdentityHasher } from '../credentials/identity.ts';
import type { SettingsProblem } from '../node/endpoint.ts';
import type { RuntimeFamily } from '../outcome/runtime.ts';
import type { Policy } from '../policy/policy.ts';
import { createPredictionCache } from '../pull/cache.ts';
import { createBudget, type Budget } from '../registry/budget.ts';
import { createConnect } from '../registry/connect.ts';
import { createGuard, unguarded, type Guard } from '../registry/guard.ts';
import { createReplyRoom, type ReplyRoom } from '../registry/reply-room.ts';
import type { ResolveName } from '../registry/resolve.ts';
import { createTransport } from '../registry/transport.ts';
import { createEngine } from './engine.ts';
import type { KnownNodes } from './known-nodes.ts';
import { withReportedRuntimes } from './node-runtimes.ts';
import { knowledgeOf, setupOf, type DeclaredFiles } from './node-setup.ts';
import type { SecretSource } from './pod-credentials.ts';

export type LiveEngineOptions = {
  readonly secrets: SecretSource;
  readonly resolve: ResolveName;
  /** Addresses that are the cluster's own, as they are known now; `undefined` lifts the guard, for a user's own demo. */
  readonly clusterAddresses: (() => ClusterAddresses) | undefined;
  /** The cluster's Nodes, where there is one. */
  readonly nodes: KnownNodes | undefined;
};

export type ClusterAddresses = {
  /** CIDRs of Pods and Services. */
  readonly ranges: readonly string[];
  /** `address:port` of the API server. */
  readonly endpoints: readonly string[];
};

/** An engine whose policy can be exchanged while it runs. */
export type LiveEngine = {
  readonly predict: PredictImage;
  readonly weigh: WeighPulls;
  readonly policy: () => Policy;
  readonly family: () => RuntimeFamily;
  /** Puts a policy into force, with the files that it names elsewhere. Returns the mistakes in the nodes' files. */
  readonly use: (policy: Policy, files: DeclaredFiles) => readonly SettingsProblem[];
  readonly close: () => Promise<void>;
};

/** Predictions and digests remembered: about 32 MiB. */
const MAX_CACHED = 10_000;
/** Three manifests as long as containerd takes them at a time, and as many in a second. */
const LONG_REPLIES = Object.freeze({ maxBytes: 16 * 1024 * 1024, bytesPerSecond: 16 * 1024 * 1024 });

const now = (): number => performance.now();

/** The engine of `serve`: one cache and one request budget for its life, a transport for each policy. */
export function createLiveEngine(options: LiveEngineOptions, policy: Policy, files: DeclaredFiles): LiveEngine {
  const hashIdentity = createIdentityHasher(randomBytes(32));
  const reported = (): readonly string[] => options.nodes?.runtimes() ?? [];
  let inForce = policy;
  const budget = createBudget({ requestsPerMinute: () => inForce.limits.requestsPerMinute, now });
  const replyRoom = createReplyRoom({ ...LONG_REPLIES, now });
  let lookedAtMs = now();
  let running = start(policy, files);

  function start(next: Policy, nextFiles: DeclaredFiles): Running {
    inForce = next;
    const effective = withReportedRuntimes(next, reported());
    return startEngine({ ...options, policy: effective, files: nextFiles, budget, replyRoom, hashIdentity, now });
  }
  function replace(next: Policy, nextFiles: DeclaredFiles): void {
    const before = running;
    running = start(next, nextFiles);
    lookedAtMs = now();
    // what is under way keeps its connections until its own deadline
    setTimeout(() => before.close().catch(() => undefined), LINGER_MS).unref();
  }
  /** Nodes come and go with their runtimes: an engine that was started for others is replaced. */
  function lookAtNodes(): void {
    if (now() < lookedAtMs + LOOK_EVERY_MS) return;
    lookedAtMs = now();
    const { runtimes } = withReportedRuntimes(inForce, reported()).nodes;
    if (runtimes.join() !== running.runtimes.join()) replace(inForce, running.files);
  }

  return {
    predict: (question, signal) => {
      lookAtNodes();
      return running.predict(question, signal);
    },
    weigh: (pulls, pod) => running.weigh(pulls, pod),
    policy: () => inForce,
    family: () => running.family,
    use: (next, nextFiles) => {
      replace(next, nextFiles);
      return running.problems;
    },
    close: () => running.close(),
  };
}

/** Longer than any review. */
const LINGER_MS = 30_000;
/** The first Nodes are known within a second of the start; later a new runtime is rare. */
const LOOK_EVERY_MS = 1_000;

type Running = {
  /** What it was started with. */
  readonly runtimes: readonly string[];
  readonly files: DeclaredFiles;
  readonly predict: PredictImage;
  readonly weigh: WeighPulls;
  readonly family: RuntimeFamily;
  readonly problems: readonly SettingsProblem[];
  readonly close: () => Promise<void>;
};

type StartOptions = LiveEngineOptions & {
  readonly policy: Policy;
  readonly files: DeclaredFiles;
  readonly budget: Budget;
  readonly replyRoom: ReplyRoom;
  readonly hashIdentity: ReturnType<typeof createIdentityHasher>;
  readonly now: () => number;
};

function startEngine(options: StartOptions): Running {
  const { policy, files, now } = options;
  const guard = options.clusterAddresses === undefined ? unguarded : liveGuard(policy, options.clusterAddresses);
  const transport = createTransport({
    connect: createConnect({ resolve: options.resolve, guard, now: () => new Date() }),
    connectionsPerHost: policy.limits.connectionsPerHost,
  });
  const { knowledge, problems } = knowledgeOf(policy.nodes, setupOf(policy.nodes, files));
  const { predict, weigh } = createEngine({
    policy,
    node: knowledge,
    secrets: options.secrets,
    transport,
    budget: options.budget,
    replyRoom: options.replyRoom,
    // a new policy judges anew: what the old one cached rests on other settings
    cache: createPredictionCache({ maxEntries: MAX_CACHED, loadMs: policy.limits.registryMs, now }),
    hashIdentity: options.hashIdentity,
    nodes: options.nodes,
    contentCheck: undefined,
    asksForeignUrls: false,
    // half of a lookup's time: what it found must still be told before the review's deadline
    hintMs: policy.limits.registryMs / 2,
    addressesOf: () => [],
    explains: false,
    now,
  });
  return {
    runtimes: policy.nodes.runtimes,
    files,
    predict,
    weigh,
    problems,
    family: knowledge.runtimes[0]?.family ?? 'containerd',
    close: transport.close,
  };
}

/** The cluster's own addresses come and go with its Nodes: they are looked up at each dial, and parsed when they change. */
function liveGuard(policy: Policy, addresses: () => ClusterAddresses): Guard {
  let known = '';
  let guard: Guard | undefined;
  return (target) => {
    const { ranges, endpoints } = addresses();
    const text = `${ranges.join()} ${endpoints.join()}`;
    if (guard === undefined || text !== known) {
      known = text;
      guard = createGuard({
        allow: policy.network.allow,
        blockedRanges: [...policy.network.blockedRanges, ...ranges],
        blockedEndpoints: endpoints,
      });
    }
    return guard(target);
  };
}
