import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { err, ok, type Result } from '../image/result.ts';
import type { ManifestFile } from '../manifests/manifests.ts';

const MANIFEST_NAME = /\.(?:ya?ml|json)$/u;

/** Reads what `-f` names: files, folders with all manifests beneath, `-` once. Every mistake is one line. */
export async function readFiles(
  names: readonly string[],
  stdin: NodeJS.ReadableStream,
): Promise<Result<readonly ManifestFile[], readonly string[]>> {
  const files: ManifestFile[] = [];
  const mistakes: string[] = [];
  for (const name of names) {
    try {
      if (name === '-') {
        // standard input is read where it stands in the order
        // oxlint-disable-next-line no-await-in-loop
        files.push({ name: '-', text: await readAll(stdin) });
        continue;
      }
      const paths = statSync(name).isDirectory() ? manifestsIn(name) : [name];
      if (paths.length === 0) mistakes.push(`-f ${name}: the folder has no .yaml, .yml or .json file`);
      for (const path of paths) files.push({ name: path, text: readFileSync(path, 'utf8') });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      mistakes.push(`-f ${name}: ${code === 'ENOENT' ? 'no such file or folder' : 'cannot be read'}`);
    }
  }
  return mistakes.length > 0 ? err(mistakes) : ok(files);
}

function manifestsIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => MANIFEST_NAME.test(name))
    .toSorted()
    .map((name) => join(folder, name));
}
