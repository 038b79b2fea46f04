import { spellPlatform, type Platform } from '../image/platform.ts';
import type { NodeFacts } from './node-facts.ts';

/** What Nodes say together. */
export interface NodeView {
  /**
   * Whether a schedulable Node holds the image under one of these names. `absent` only where every schedulable Node
   * lists all its images and none has it, as of now.
   */
  presence(canonicalNames: readonly string[]): 'present' | 'absent' | 'unknown';
  /** The distinct kubelet versions of schedulable Nodes that hold the image under one of these names, sorted. */
  kubeletsWith(canonicalNames: readonly string[]): readonly string[];
  /** Those of all schedulable Nodes. */
  kubelets(): readonly string[];
  /** All Nodes; `undefined` where it is not known that these are all. */
  stock(): readonly NodeFacts[] | undefined;
  /** The distinct platforms of schedulable Nodes, sorted; empty where Nodes cannot be read. */
  platforms(): readonly Platform[];
  /** The distinct `containerRuntimeVersion` of schedulable Nodes, sorted. */
  runtimes(): readonly string[];
  /** Addresses that no registry has: those of Pods and Nodes. */
  addresses(): { readonly podCidrs: readonly string[]; readonly internalIps: readonly string[] };
}

export type NodesSeen = {
  readonly nodes: () => readonly NodeFacts[];
  /** Whether these are all the Nodes that there are, as of now. */
  readonly areAll: () => boolean;
};

export function viewNodes({ nodes, areAll }: NodesSeen): NodeView {
  const schedulable = (): readonly NodeFacts[] => nodes().filter(({ isSchedulable }) => isSchedulable);
  return {
    presence: (names) => {
      const candidates = schedulable();
      if (candidates.some(({ images }) => names.some((name) => images.has(name)))) return 'present';
      const isProof = areAll() && candidates.length > 0;
      return isProof && candidates.every(({ isImageListComplete }) => isImageListComplete) ? 'absent' : 'unknown';
    },
    kubeletsWith: (names) => {
      const holders = schedulable().filter(({ images }) => names.some((name) => images.has(name)));
      return distinctKubelets(holders);
    },
    kubelets: () => distinctKubelets(schedulable()),
    stock: () => (areAll() ? nodes() : undefined),
    platforms: () => distinctPlatforms(schedulable()),
    runtimes: () =>
      [...new Set(schedulable().map(({ runtime }) => runtime))].filter((runtime) => runtime !== '').sort(),
    addresses: () => ({
      podCidrs: [...new Set(nodes().flatMap(({ podCidrs }) => podCidrs))],
      internalIps: [...new Set(nodes().flatMap(({ internalIps }) => internalIps))],
    }),
  };
}

function distinctKubelets(nodes: readonly NodeFacts[]): readonly string[] {
  return [...new Set(nodes.map(({ kubelet }) => kubelet))].sort();
}

function distinctPlatforms(nodes: readonly NodeFacts[]): readonly Platform[] {
  const reported = nodes
    .map(({ platform }) => platform)
    .filter(({ os, architecture }) => os !== '' && architecture !== '');
  const byText = new Map(reported.map((platform) => [spellPlatform(platform), platform]));
  return [...byText.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, platform]) => platform);
}
