import type { SettingsProblem } from '../endpoint.ts';
import { lineOf } from '../mistakes/line.ts';
import { parseRegistriesFile } from './registries-file.ts';
import type { Registry } from './registry.ts';

/** `blockedLine` is where `blocked = true` stands. */
export type DeclaredRegistry = {
  readonly registry: Registry;
  readonly file: string;
  readonly blockedLine: number | undefined;
};

/** All of a node's registries.conf and its drop-ins together. */
export type Registries = {
  /** By prefix, with the file that said so last. */
  readonly registries: readonly DeclaredRegistry[];
  readonly unqualifiedSearch: readonly string[];
  /** The file that set the search list last: the runtime's error names it. */
  readonly searchFile: string;
  readonly searchLine: number | undefined;
  readonly aliases: ReadonlyMap<string, string>;
};

/** Merges the files in order: a later one replaces prefixes, aliases and the search list. */
export function readRegistries(files: readonly { readonly name: string; readonly text: string }[]): {
  readonly registries: Registries;
  readonly problems: readonly SettingsProblem[];
} {
  const byPrefix = new Map<string, DeclaredRegistry>();
  const aliases = new Map<string, string>();
  const problems: SettingsProblem[] = [];
  let unqualifiedSearch: readonly string[] = [];
  let searchFile = files[0]?.name ?? '/etc/containers/registries.conf';
  let searchLine: number | undefined;
  for (const file of files) {
    const parsed = parseRegistriesFile(file);
    if (!parsed.ok) {
      problems.push(parsed.error);
      continue;
    }
    for (const registry of parsed.value.registries) {
      const blockedLine = registry.isBlocked ? lineOfBlock(file.text, registry.prefix) : undefined;
      byPrefix.set(registry.prefix, { registry, file: file.name, blockedLine });
    }
    for (const [name, target] of Object.entries(parsed.value.aliases)) aliases.set(name, target);
    if (parsed.value.unqualifiedSearch !== undefined) {
      unqualifiedSearch = parsed.value.unqualifiedSearch;
      searchFile = file.name;
      searchLine = lineOf(file.text, 'unqualified-search-registries');
    }
  }
  const registries = [...byPrefix.values()];
  return {
    registries: { registries, unqualifiedSearch, searchFile, searchLine, aliases },
    problems,
  };
}

const TABLE = /^[ \t]*\[\[[ \t]*registry[ \t]*\]\]/iu;

/** The line of `blocked` in the `[[registry]]` that names a prefix; `undefined` where it is written in another way. */
function lineOfBlock(text: string, prefix: string): number | undefined {
  const lines = text.split('\n');
  const starts = lines.flatMap((line, at) => (TABLE.test(line) ? [at] : []));
  const start = starts.find((from, at) => {
    const table = lines.slice(from, starts[at + 1] ?? lines.length);
    return table.some((line) => /^[ \t]*(?:prefix|location)[ \t]*=/iu.test(line) && line.includes(prefix));
  });
  if (start === undefined) return undefined;
  const offset = lines.slice(start).findIndex((line) => /^[ \t]*blocked[ \t]*=/iu.test(line));
  return offset < 0 ? undefined : start + offset + 1;
}

/** The registry with the longest prefix that matches a full name, `undefined` where none does. */
export function findRegistry(registries: Registries, name: string): DeclaredRegistry | undefined {
  let found: DeclaredRegistry | undefined;
  for (const one of registries.registries) {
    const isLonger = one.registry.prefix.length > (found?.registry.prefix.length ?? 0);
    if (isLonger && matchPrefix(name, one.registry.prefix) !== undefined) found = one;
  }
  return found;
}

/**
 * How many characters of `name` a prefix takes, `undefined` where it does not match (`refMatchingPrefix`). It ends
 * at a `/`, `:` or `@`, so that `example.com` also matches `example.com:5000/app`, as it does there.
 */
export function matchPrefix(name: string, prefix: string): number | undefined {
  const length = prefix.startsWith('*.')
    ? matchSubdomain(name, prefix.slice(1))
    : name.startsWith(prefix)
      ? prefix.length
      : -1;
  if (length < 0) return undefined;
  const next = name.charAt(length);
  return next === '' || next === ':' || next === '/' || next === '@' ? length : undefined;
}

function matchSubdomain(name: string, domain: string): number {
  const at = name.indexOf(domain);
  return at < 0 || name.slice(0, at).includes('/') ? -1 : at + domain.length;
}
