import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { whyUnread } from '../file/why-unread.ts';
import { codeOf } from '../image/error-code.ts';
import { MAX_FILE_BYTES } from '../node/file-tree.ts';

/** One folder for each registry with some files in it; what has more is nobody's settings. */
const MAX_ENTRIES = 20_000;
/** What runtimes read; anything else may lie beside it. */
const SETTINGS = /\.(?:toml|crt|cert|key|pem)$/u;

/**
 * Why the settings in a folder cannot all be read, one line each; nothing where they can. To the runtimes a file that
 * is not there is no mistake, so one that only we may not read would be taken for absent, and prove what is not true.
 */
export function unreadIn(folder: string): readonly string[] {
  const names = namesIn(folder);
  if (typeof names === 'string') return [`${folder}: ${names}`];
  const found: string[] = [];
  for (const path of names.flatMap((name) => [join(folder, name), ...beneath(join(folder, name))])) {
    const why = whySettingsUnread(path);
    if (why !== undefined) found.push(`${path}: ${why}`);
  }
  return found;
}

function beneath(path: string): readonly string[] {
  const names = namesIn(path);
  return typeof names === 'string' ? [] : names.map((name) => join(path, name));
}

/** The names in a folder, or why there are none. */
function namesIn(folder: string): readonly string[] | string {
  try {
    return readdirSync(folder).toSorted().slice(0, MAX_ENTRIES);
  } catch (error) {
    return NO_FOLDER.get(codeOf(error) ?? '') ?? whyUnread(error) ?? 'cannot be read';
  }
}

const NO_FOLDER: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such folder'],
  ['ENOTDIR', 'a file, not a folder'],
]);

function whySettingsUnread(path: string): string | undefined {
  try {
    const found = statSync(path);
    accessSync(path, found.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK);
    return SETTINGS.test(path) && found.size > MAX_FILE_BYTES ? 'larger than 1 MiB, as no settings file is' : undefined;
  } catch (error) {
    // a link that leads nowhere leads nowhere on the node too
    return codeOf(error) === 'EACCES' ? whyUnread(error) : undefined;
  }
}
