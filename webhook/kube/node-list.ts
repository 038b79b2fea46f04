import type { CoreV1Api, V1Node } from '@kubernetes/client-node';
import type { KubeApi } from './api.ts';
import { readApiFailure, type ApiFailure } from './failure.ts';
import { readNodeFacts, type NodeFacts } from './node-facts.ts';
import { viewNodes, type NodeView } from './node-view.ts';
import { readPages } from './pages.ts';

/** A page has about 15 MiB where Nodes list 50 images each. */
const PAGE = 500;
/** The largest cluster that Kubernetes supports; what lies beyond makes every absence unknown. */
const MAX_NODES = 5_000;
/** Of each page. */
export const NODES_TIMEOUT_MS = 20_000;
/** Names of images that left all Nodes are forgotten when the pool is renewed. */
const MAX_INTERNED = 200_000;

/** What of a list of Nodes goes on: `isWhole` where it ended before {@link MAX_NODES}. */
export type NodeList<T> = {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly isWhole: boolean;
};

/** Reads all Nodes, page by page, each cut down by `decode`. */
export async function listNodes<T>(core: CoreV1Api, decode: (node: V1Node) => T): Promise<NodeList<T>> {
  const items: T[] = [];
  const last = await readPages(
    async (next) => {
      // oxlint-disable-next-line no-underscore-dangle -- the client's name for the page to go on from
      const page = await core.listNode({ limit: PAGE, ...(next === '' ? {} : { _continue: next }) });
      const { resourceVersion = '', _continue = '' } = page.metadata ?? {};
      return { items: page.items.map(decode), resourceVersion, next: _continue };
    },
    (page) => {
      items.push(...page.items);
      return items.length < MAX_NODES;
    },
  );
  return { items, resourceVersion: last.resourceVersion, isWhole: last.next === '' };
}

/** Cuts a Node down, with one string for equal ones: the same images stand on every Node. */
export function createNodeDecoder(): (node: V1Node) => NodeFacts {
  const pool = new Map<string, string>();
  const intern = (name: string): string => {
    const one = pool.get(name);
    if (one !== undefined) return one;
    if (pool.size >= MAX_INTERNED) pool.clear();
    pool.set(name, name);
    return name;
  };
  return (node) => readNodeFacts(node, intern);
}

export type NodesRead = { readonly kind: 'found'; readonly nodes: NodeView; readonly isWhole: boolean } | ApiFailure;

/** Reads the Nodes once: for a question of this moment. */
export async function readNodes(api: KubeApi): Promise<NodesRead> {
  try {
    const { items, isWhole } = await listNodes(api.core(NODES_TIMEOUT_MS), createNodeDecoder());
    return { kind: 'found', nodes: viewNodes({ nodes: () => items, areAll: () => isWhole }), isWhole };
  } catch (error) {
    return readApiFailure(error);
  }
}
