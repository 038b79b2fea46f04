import { readHostFolder } from '../containerd/host-settings.ts';
import { NEWEST_DIALECT } from '../containerd/hosts-dialect.ts';
import { readTlsMaterial } from '../containerd/tls-material.ts';
import type { Refusal } from '../certificates.ts';
import type { SettingsProblem } from '../endpoint.ts';
import type { FileTree } from '../file-tree.ts';

/** One folder for each registry; what has more is no certs.d. */
const MAX_FOLDERS = 2000;

/**
 * Every mistake below a certs.d, read as the newest containerd reads it: for those who hand the folder over and want
 * to hear of a typing error before an image of that host is asked for.
 */
export function checkHostsFiles(certsD: FileTree): readonly SettingsProblem[] {
  const folders = (certsD.list('') ?? []).slice(0, MAX_FOLDERS).filter((name) => certsD.list(name) !== undefined);
  return folders.flatMap((folder) => {
    const settings = readHostFolder(certsD, folder, NEWEST_DIALECT);
    const unread = settings.refusal === undefined ? [] : [toProblem(settings.refusal)];
    const refusals = settings.entries.flatMap((entry) => {
      const material = readTlsMaterial(certsD, settings.folder, entry);
      return material.ok ? [] : [toProblem(material.error)];
    });
    return [...settings.problems, ...unread, ...refusals];
  });
}

const toProblem = ({ file, reason }: Refusal): SettingsProblem => ({ file, line: undefined, reason });
