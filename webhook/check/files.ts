import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeText, MAX_FILE_BYTES, readText, TOO_LARGE } from '../file/read-text.ts';
import { describeUnread } from '../file/why-unread.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { ManifestFile } from '../manifests/manifests.ts';

const MANIFEST_NAME = /\.(?:ya?ml|json)$/u;

/**
 * Whether an argument of the command line is meant as a file: `-f *.yaml` becomes several arguments before we see it.
 * What starts like a path is no image name at all.
 */
export function isFileArgument(text: string): boolean {
  return text === '-' || MANIFEST_NAME.test(text) || /^(?:\/|\.\.?\/)/u.test(text);
}

/** Reads files, folders with all manifests beneath, and `-` once. Every mistake is one line. */
export async function readManifestFiles(
  names: readonly string[],
  stdin: AsyncIterable<unknown>,
): Promise<Result<readonly ManifestFile[], readonly string[]>> {
  const files: ManifestFile[] = [];
  const mistakes: string[] = [];
  for (const name of new Set(names)) {
    if (name === '-') {
      // standard input is read where it stands in the order
      // oxlint-disable-next-line no-await-in-loop
      const text = await readStream(stdin);
      if (text.ok) files.push({ name, text: text.value, isNamed: true });
      else mistakes.push(`-f -: ${text.error}`);
      continue;
    }
    const found = findManifests(name);
    if (!found.ok) mistakes.push(`-f ${name}: ${found.error}`);
    for (const path of found.ok ? found.value : []) {
      const text = readText(path);
      if (text.ok) files.push({ name: path, text: text.value, isNamed: path === name });
      else mistakes.push(`-f ${path}: ${text.error}`);
    }
  }
  return mistakes.length > 0 ? err(mistakes) : ok(files);
}

async function readStream(stream: AsyncIterable<unknown>): Promise<Result<string>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      const part = chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk));
      bytes += part.length;
      if (bytes > MAX_FILE_BYTES) return err(TOO_LARGE);
      chunks.push(part);
    }
    return decodeText(Buffer.concat(chunks));
  } catch (error) {
    return err(describeUnread(error));
  }
}

/** The file itself, or every manifest beneath a folder, but for what is hidden or was installed there. */
function findManifests(path: string): Result<readonly string[]> {
  try {
    if (!statSync(path).isDirectory()) return ok([path]);
    const found = walk(path);
    return found.length > 0 ? ok(found) : err('the folder has no .yaml, .yml or .json file');
  } catch (error) {
    return err(describeUnread(error));
  }
}

function walk(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name.startsWith('.') || entry.name === 'node_modules' ? [] : walk(path);
    return MANIFEST_NAME.test(entry.name) ? [path] : [];
  });
}
