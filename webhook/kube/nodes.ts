import type { KubernetesObject, V1Node } from '@kubernetes/client-node';
import type { KubeApi } from './api.ts';
import type { BackoffOptions } from './backoff.ts';
import { describeFailure } from './failure.ts';
import { runInformer } from './informer.ts';
import type { NodeFacts } from './node-facts.ts';
import { createNodeDecoder, listNodes, NODES_TIMEOUT_MS } from './node-list.ts';
import { viewNodes, type NodeView } from './node-view.ts';

/** What is known of the cluster's Nodes, kept up to date by a watch. */
export interface NodeWatch extends NodeView {
  /** `current` while a watch is open; `stale` after it broke; `unknown` before the first list, or without the right. */
  state(): 'unknown' | 'current' | 'stale';
  nodes(): readonly NodeFacts[];
  close(): Promise<void>;
}

export type NodeWatchOptions = {
  readonly api: KubeApi;
  /** One line for the log: `Nodes: the API server refuses it to our ServiceAccount (403)`. */
  readonly onFailure: (reason: string) => void;
  readonly backoff?: BackoffOptions;
};

type KnownNode = KubernetesObject & { readonly facts: NodeFacts };

export function watchNodes({ api, onFailure, backoff }: NodeWatchOptions): NodeWatch {
  const core = api.core(NODES_TIMEOUT_MS);
  const known = new Map<string, NodeFacts>();
  const factsOf = createNodeDecoder();
  let state: 'unknown' | 'current' | 'stale' = 'unknown';
  let isWhole = false;

  const decode = (node: V1Node): KnownNode => {
    const { name = '', resourceVersion = '' } = node.metadata ?? {};
    return { metadata: { name, resourceVersion }, facts: factsOf(node) };
  };
  const informer = runInformer<KnownNode, V1Node>({
    api,
    path: '/api/v1/nodes',
    fieldSelector: undefined,
    list: async () => {
      const list = await listNodes(core, decode);
      ({ isWhole } = list);
      return { metadata: { resourceVersion: list.resourceVersion }, items: [...list.items] };
    },
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
  const nodes = (): readonly NodeFacts[] => [...known.values()];
  return {
    ...viewNodes({ nodes, areAll: () => state === 'current' && isWhole }),
    state: () => state,
    nodes,
    close: () => informer.close(),
  };
}
