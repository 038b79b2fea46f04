import type { FileTree } from '../file-tree.ts';

/**
 * The folder of a registry host: `<host>_<port>_`, `<host>:<port>`, then `_default`; the first that exists wins even
 * when it is empty or a file, and letter case counts (pull-parity E2, core/remotes/docker/config `hostPaths`).
 */
export function findHostDirectory(tree: FileTree, host: string): string | undefined {
  return candidates(host).find((name) => tree.list(name) !== undefined || tree.read(name) !== undefined);
}

function candidates(host: string): readonly string[] {
  const colon = host.lastIndexOf(':');
  const underscored = colon > 0 ? [`${host.slice(0, colon)}_${host.slice(colon + 1)}_`] : [];
  return [...underscored, host, '_default'];
}
