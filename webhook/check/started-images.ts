import { fieldOf, listOf, textOf } from '../admission/field.ts';
import type { KnownNodes } from '../engine/known-nodes.ts';
import { canonicalName, parseReference } from '../image/reference.ts';
import type { NodeView } from '../kube/node-view.ts';

/** Containers with the statuses that the kubelet gives them. */
const LISTS = [
  ['containers', 'containerStatuses'],
  ['initContainers', 'initContainerStatuses'],
  ['ephemeralContainers', 'ephemeralContainerStatuses'],
] as const;

/** The images that containers of a Pod were started with, by their whole names: the Pod's node had them then. */
export function imagesStartedBy(pod: unknown): readonly string[] {
  return LISTS.flatMap(([containers, statuses]) => {
    const started = new Set(
      listOf(fieldOf(pod, 'status'), statuses)
        .filter((status) => textOf(status, 'imageID') !== '')
        .map((status) => textOf(status, 'name')),
    );
    return listOf(fieldOf(pod, 'spec'), containers)
      .filter((container) => started.has(textOf(container, 'name')))
      .flatMap((container) => {
        const reference = parseReference(textOf(container, 'image'));
        return reference.ok ? [canonicalName(reference.value)] : [];
      });
  });
}

export type SeenPods = {
  /** What Pods were started with. */
  readonly started: ReadonlySet<string>;
  /** Whether these were all Pods of all objects that are judged. */
  readonly areAll: boolean;
};

/**
 * Nodes as their objects show them, and as what runs there does. An object that exists is nothing new to its cluster:
 * that no Node has its image is proven only where no Pod was ever seen to start with it either (design, rule 3).
 */
export function withSeenPods(nodes: NodeView, { started, areAll }: SeenPods): KnownNodes {
  return {
    ...nodes,
    presence: (names) => {
      const listed = nodes.presence(names);
      if (listed === 'present' || names.some((name) => started.has(name))) return 'present';
      return areAll ? listed : 'unknown';
    },
    // of a Node that does not list what it runs, it may be any
    kubeletsWith: (names) => {
      const holders = nodes.kubeletsWith(names);
      return holders.length > 0 ? holders : nodes.kubelets();
    },
  };
}
