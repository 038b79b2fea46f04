import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The end of each line of /etc/hosts that is ours: what an interrupted run left is found by it. */
const MARK = '# pullguard e2e';
const HOSTS = '/etc/hosts';

/** Makes names resolve on the node, for containerd: there is no name server in these clusters. */
export async function addHosts(address: string, names: readonly string[]): Promise<void> {
  const text = await readFile(HOSTS, 'utf8');
  const line = `${address} ${names.join(' ')} ${MARK}\n`;
  // in place: where the file is a mount of its own it cannot be replaced
  await writeFile(HOSTS, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}`);
}

/** Takes away the lines of ours with names below `domain`, of this run and of earlier ones. */
export async function removeHosts(domain: string): Promise<void> {
  const text = await readFile(HOSTS, 'utf8');
  const kept = text.split('\n').filter((line) => !(line.endsWith(MARK) && line.includes(`.${domain} `)));
  if (kept.join('\n') !== text) await writeFile(HOSTS, kept.join('\n'));
}

/** Writes registry settings as an operator of the node does; containerd reads them at each pull. */
export async function addSettings(certsD: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(certsD, path)), { recursive: true });
    await writeFile(join(certsD, path), text);
  }
}

/** Takes away the folders of a host, or of all hosts below a domain, of this run and of earlier ones. */
export async function removeSettings(certsD: string, domain: string): Promise<void> {
  for (const folder of await readdir(certsD)) {
    // HOST:PORT, or HOST_PORT_ as containerd also has it
    const [host = ''] = folder.split(/[:_]/u);
    if (host === domain || host.toLowerCase().endsWith(`.${domain}`))
      await rm(join(certsD, folder), { recursive: true, force: true });
  }
}

/** The very files that the node has, by relative path: what its operator declares in the policy. */
export async function readSettings(certsD: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(certsD, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = paths.map(async (path) => [path.slice(certsD.length + 1), await readFile(path, 'utf8')] as const);
  return Object.fromEntries(await Promise.all(files));
}
