import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok, type Result } from '../image/result.ts';
import type { ManifestFile } from '../manifests/manifests.ts';
import { readBoundedFile } from '../node/bounded-file.ts';

/** Far beyond any manifest or settings file; a file that large is something else. */
const MAX_BYTES = 64 * 1024 * 1024;
const TOO_LARGE = `larger than ${MAX_BYTES / 1024 / 1024} MiB, as no manifest or settings file is`;
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
      const text = readTextFile(path);
      if (text.ok) files.push({ name: path, text: text.value, isNamed: path === name });
      else mistakes.push(`-f ${path}: ${text.error}`);
    }
  }
  return mistakes.length > 0 ? err(mistakes) : ok(files);
}

/** The error completes `FILE: ...`. */
export function readTextFile(path: string): Result<string> {
  try {
    const bytes = readBoundedFile(path, MAX_BYTES);
    return bytes === undefined ? err(TOO_LARGE) : decode(bytes);
  } catch (error) {
    return err(describe(error));
  }
}

async function readStream(stream: AsyncIterable<unknown>): Promise<Result<string>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      const part = chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk));
      bytes += part.length;
      if (bytes > MAX_BYTES) return err(TOO_LARGE);
      chunks.push(part);
    }
    return decode(Buffer.concat(chunks));
  } catch (error) {
    return err(describe(error));
  }
}

/** A replacement character in an image's name would be judged as if somebody had written it. */
function decode(bytes: Uint8Array): Result<string> {
  try {
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return err('no text in UTF-8');
  }
}

/** The file itself, or every manifest beneath a folder, but for what is hidden or was installed there. */
function findManifests(path: string): Result<readonly string[]> {
  try {
    if (!statSync(path).isDirectory()) return ok([path]);
    const found = walk(path);
    return found.length > 0 ? ok(found) : err('the folder has no .yaml, .yml or .json file');
  } catch (error) {
    return err(describe(error));
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

function describe(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'no such file or folder';
  if (code === 'EISDIR') return 'a folder, not a file';
  return code === 'EACCES' ? 'no permission to read it' : 'cannot be read';
}
