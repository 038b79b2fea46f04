import type { KnownNodes } from '../../webhook/engine/known-nodes.ts';

/** Nodes of which nothing is known but what is given. */
export const knownNodes = (known: Partial<KnownNodes> = {}): KnownNodes => ({
  platforms: () => [],
  runtimes: () => [],
  presence: () => 'unknown',
  kubeletsWith: () => [],
  stock: () => undefined,
  ...known,
});
