import { readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { readBoundedFile } from '../file/bounded-file.ts';

/** A folder of settings files, on disk or held by a policy. Paths are relative to it, with `/`. */
export interface FileTree {
  /** How messages name the folder: `/etc/containerd/certs.d`, `policy.yaml nodes.containerd.certsD`. */
  readonly name: string;
  /** The text of a file, `undefined` where there is none. An absolute path is read where the tree allows it. */
  read(path: string): string | undefined;
  /** The names in a folder, sorted; `undefined` where there is no such folder. `''` is the tree itself. */
  list(path: string): readonly string[] | undefined;
}

/** Settings files are small; what is larger is no settings file. */
export const MAX_FILE_BYTES = 1024 * 1024;

/** A folder on disk, read at each question as the runtimes do. Absolute paths are followed. */
export function diskTree(root: string): FileTree {
  const resolve = (path: string): string => (posix.isAbsolute(path) ? path : join(root, path));
  return {
    name: root,
    read: (path) => {
      try {
        return readBoundedFile(resolve(path), MAX_FILE_BYTES)?.toString('utf8');
      } catch {
        return undefined;
      }
    },
    list: (path) => {
      try {
        return readdirSync(resolve(path)).toSorted();
      } catch {
        return undefined;
      }
    },
  };
}

/** Files held in memory, by relative path: `reg.example:5000/hosts.toml`. Absolute paths are looked up as they stand. */
export function memoryTree(name: string, files: Readonly<Record<string, string>>): FileTree {
  const paths = Object.keys(files);
  return {
    name,
    read: (path) => (Object.hasOwn(files, path) ? files[path] : undefined),
    list: (path) => {
      const prefix = path === '' ? '' : `${path}/`;
      const names = paths
        .filter((one) => one.startsWith(prefix))
        .map((one) => one.slice(prefix.length).split('/', 1)[0] ?? '');
      return names.length === 0 ? undefined : [...new Set(names)].toSorted();
    },
  };
}
