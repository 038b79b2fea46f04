import type { KubernetesListObject, KubernetesObject, V1Node } from '@kubernetes/client-node';
import { spellPlatform, type Platform } from '../image/platform.ts';
import type { KubeApi } from './api.ts';
import type { BackoffOptions } from './backoff.ts';
import { describeFailure } from './failure.ts';
import { runInformer } from './informer.ts';
import { readNodeFacts, type NodeFacts } from './node-facts.ts';

/** What is known of the cluster's Nodes, kept up to date by a watch. */
export interface NodeWatch {
  /** `current` while a watch is open; `stale` after it broke; `unknown` before the first list, or without the right. */
  state(): 'unknown' | 'current' | 'stale';
  nodes(): readonly NodeFacts[];
  /**
   * Whether a schedulable Node holds the image under one of these names. `absent` only where every schedulable Node
   * lists all its images and none has it, as of now.
   */
  presence(canonicalNames: readonly string[]): 'present' | 'absent' | 'unknown';
  /** The distinct kubelet versions of schedulable Nodes that hold the image under one of these names, sorted. */
  kubeletsWith(canonicalNames: readonly string[]): readonly string[];
  /** All Nodes; `undefined` where it is not known that these are all. */
  stock(): readonly NodeFacts[] | undefined;
  /** The distinct platforms of schedulable Nodes, sorted; empty where Nodes cannot be read. */
  platforms(): readonly Platform[];
  /** The distinct `containerRuntimeVersion` of schedulable Nodes, sorted. */
  runtimes(): readonly string[];
  /** Addresses that no registry has: those of Pods and Nodes. */
  addresses(): { readonly podCidrs: readonly string[]; readonly internalIps: readonly string[] };
  close(): Promise<void>;
}

export type NodeWatchOptions = {
  readonly api: KubeApi;
  /** One line for the log: `Nodes: the API server refuses it to our ServiceAccount (403)`. */
  readonly onFailure: (reason: string) => void;
  readonly backoff?: BackoffOptions;
};

type KnownNode = KubernetesObject & { readonly facts: NodeFacts };

/** A page has about 15 MiB where Nodes list 50 images each. */
const PAGE = 500;
/** The largest cluster that Kubernetes supports; what lies beyond makes every absence unknown. */
const MAX_NODES = 5_000;
const TIMEOUT_MS = 20_000;
/** Names of images that left all Nodes are forgotten when the pool is renewed. */
const MAX_INTERNED = 200_000;

export function watchNodes({ api, onFailure, backoff }: NodeWatchOptions): NodeWatch {
  const core = api.core(TIMEOUT_MS);
  const known = new Map<string, NodeFacts>();
  const intern = createInterner();
  let state: 'unknown' | 'current' | 'stale' = 'unknown';
  let isWhole = false;

  const decode = (node: V1Node): KnownNode => {
    const { name = '', resourceVersion = '' } = node.metadata ?? {};
    return { metadata: { name, resourceVersion }, facts: readNodeFacts(node, intern) };
  };
  const list = async (): Promise<KubernetesListObject<KnownNode>> => {
    const items: KnownNode[] = [];
    for (let next = ''; ;) {
      // oxlint-disable-next-line no-underscore-dangle -- the client's name for the page to go on from
      const page = await core.listNode({ limit: PAGE, ...(next === '' ? {} : { _continue: next }) });
      items.push(...page.items.map(decode));
      // oxlint-disable-next-line no-underscore-dangle -- as above
      next = page.metadata?._continue ?? '';
      isWhole = next === '';
      if (isWhole || items.length >= MAX_NODES) {
        return { metadata: { resourceVersion: page.metadata?.resourceVersion ?? '' }, items };
      }
    }
  };
  const informer = runInformer<KnownNode, V1Node>({
    api,
    path: '/api/v1/nodes',
    fieldSelector: undefined,
    list,
    decode,
    onList: (items) => {
      known.clear();
      for (const { facts } of items) known.set(facts.name, facts);
    },
    onChange: ({ facts }) => known.set(facts.name, facts),
    onDelete: ({ facts }) => known.delete(facts.name),
    onConnected: () => {
      state = 'current';
    },
    onFailure: (failure) => {
      if (state === 'current') state = 'stale';
      onFailure(`Nodes: the API server ${describeFailure(failure)}`);
    },
    ...(backoff === undefined ? {} : { backoff }),
  });
  const schedulable = (): readonly NodeFacts[] => [...known.values()].filter(({ isSchedulable }) => isSchedulable);
  return {
    state: () => state,
    nodes: () => [...known.values()],
    presence: (names) => {
      const nodes = schedulable();
      if (nodes.some(({ images }) => names.some((name) => images.has(name)))) return 'present';
      const isProof = state === 'current' && isWhole && nodes.length > 0;
      return isProof && nodes.every(({ isImageListComplete }) => isImageListComplete) ? 'absent' : 'unknown';
    },
    kubeletsWith: (names) => {
      const holders = schedulable().filter(({ images }) => names.some((name) => images.has(name)));
      return [...new Set(holders.map(({ kubelet }) => kubelet))].sort();
    },
    stock: () => (state === 'current' && isWhole ? [...known.values()] : undefined),
    platforms: () => distinctPlatforms(schedulable()),
    runtimes: () =>
      [...new Set(schedulable().map(({ runtime }) => runtime))].filter((runtime) => runtime !== '').sort(),
    addresses: () => ({
      podCidrs: [...new Set([...known.values()].flatMap(({ podCidrs }) => podCidrs))],
      internalIps: [...new Set([...known.values()].flatMap(({ internalIps }) => internalIps))],
    }),
    close: () => informer.close(),
  };
}

function distinctPlatforms(nodes: readonly NodeFacts[]): readonly Platform[] {
  const reported = nodes
    .map(({ platform }) => platform)
    .filter(({ os, architecture }) => os !== '' && architecture !== '');
  const byText = new Map(reported.map((platform) => [spellPlatform(platform), platform]));
  return [...byText.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, platform]) => platform);
}

function createInterner(): (name: string) => string {
  const pool = new Map<string, string>();
  return (name) => {
    const one = pool.get(name);
    if (one !== undefined) return one;
    if (pool.size >= MAX_INTERNED) pool.clear();
    pool.set(name, name);
    return name;
  };
}
