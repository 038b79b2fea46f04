import { posix } from 'node:path';
import { displayPath, type Refusal } from '../certificates.ts';
import { field, quote } from '../../outcome/printable.ts';
import type { SettingsProblem } from '../endpoint.ts';
import type { FileTree } from '../file-tree.ts';
import { findHostDirectory } from './host-directory.ts';
import { EMPTY_ENTRY, type HostEntry } from './host-entry.ts';
import { parseHostsFile } from './hosts-file.ts';
import type { HostsDialect } from './hosts-dialect.ts';

/** What certs.d says for one registry host: the entries to ask in order, the last of which is the upstream. */
export type HostSettings = {
  readonly entries: readonly HostEntry[];
  /** The file that declared each entry, `undefined` for the runtime's default. */
  readonly declaredBy: readonly (string | undefined)[];
  /** The folder that relative file names start from. */
  readonly folder: string;
  readonly problems: readonly SettingsProblem[];
  /** containerd cannot read the folder, which fails every pull from the host; absent where it can. */
  readonly refusal?: Refusal;
};

/** Reads the folder of a host: hosts.toml, or Docker-style certificate files where there is none (pull-parity E3). */
export function readHostSettings(tree: FileTree, host: string, dialect: HostsDialect): HostSettings {
  const folder = findHostDirectory(tree, host);
  return folder === undefined
    ? { entries: [EMPTY_ENTRY], declaredBy: [undefined], folder: '', problems: [] }
    : readHostFolder(tree, folder, dialect);
}

/** As `readHostSettings`, for a folder that is known to exist. */
export function readHostFolder(tree: FileTree, folder: string, dialect: HostsDialect): HostSettings {
  const path = posix.join(folder, 'hosts.toml');
  const refusal = refusalOf(tree, folder, path);
  if (refusal !== undefined) return { entries: [], declaredBy: [], folder, problems: [], refusal };
  const text = tree.read(path) ?? '';
  if (text === '') return { ...readCertificateNames(tree, folder), folder, problems: [] };
  const name = displayPath(tree, path);
  const file = parseHostsFile({ name, text }, dialect);
  if (!file.ok) return { ...readCertificateNames(tree, folder), folder, problems: [file.error] };
  const { hosts, root, hasServer } = file.value;
  const isRootDeclared = hasServer || hasSettings(root);
  return {
    entries: [...hosts, root],
    declaredBy: [...hosts.map(() => name), isRootDeclared ? name : undefined],
    folder,
    problems: [],
  };
}

/** A folder where a file belongs, as the mount of one that is missing makes it, or the other way round. */
function refusalOf(tree: FileTree, folder: string, path: string): Refusal | undefined {
  const file = field(displayPath(tree, path), 300);
  if (tree.list(folder) === undefined)
    return { reason: `open ${quote(file, 300)}: not a directory`, file, isTls: true };
  if (tree.list(path) === undefined) return undefined;
  return { reason: `read ${quote(file, 300)}: is a directory`, file, isTls: true };
}

function hasSettings(entry: HostEntry): boolean {
  return (
    entry.authorityFiles !== undefined ||
    entry.clientFiles.length > 0 ||
    entry.skipVerify !== undefined ||
    Object.keys(entry.headers).length > 0
  );
}

/** `*.crt` are authorities, `*.cert` client certificates whose key may lie in the `*.key` beside or in the same file. */
function readCertificateNames(tree: FileTree, folder: string): Pick<HostSettings, 'entries' | 'declaredBy'> {
  const names = tree.list(folder) ?? [];
  const isFile = (name: string): boolean => tree.list(posix.join(folder, name)) === undefined;
  const authorityFiles = names.filter((name) => name.endsWith('.crt') && isFile(name));
  const clientFiles = names
    .filter((name) => name.endsWith('.cert') && isFile(name))
    .map((certificate) => {
      const key = certificate.replace(/\.cert$/u, '.key');
      return { certificate, key: names.includes(key) ? key : undefined };
    });
  const first = authorityFiles[0] ?? clientFiles[0]?.certificate;
  const entry = { ...EMPTY_ENTRY, authorityFiles: authorityFiles.length > 0 ? authorityFiles : undefined, clientFiles };
  const declaredBy = first === undefined ? undefined : displayPath(tree, posix.join(folder, first));
  return { entries: [entry], declaredBy: [declaredBy] };
}
