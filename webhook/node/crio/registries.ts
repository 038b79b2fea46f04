import type { SettingsProblem } from '../endpoint.ts';
import { parseRegistriesFile, type ShortNameMode } from './registries-file.ts';
import type { Registry } from './registry.ts';

/** All of a node's registries.conf and its drop-ins together. */
export type Registries = {
  /** By prefix, with the file that said so last. */
  readonly registries: readonly { readonly registry: Registry; readonly file: string }[];
  readonly unqualifiedSearch: readonly string[];
  /** The file that set the search list last: the runtime's error names it. */
  readonly searchFile: string;
  readonly shortNameMode: ShortNameMode | undefined;
  readonly aliases: ReadonlyMap<string, string>;
};

/** Merges the files in order: a later one replaces prefixes, aliases, the search list and the mode it names. */
export function readRegistries(files: readonly { readonly name: string; readonly text: string }[]): {
  readonly registries: Registries;
  readonly problems: readonly SettingsProblem[];
} {
  const byPrefix = new Map<string, { readonly registry: Registry; readonly file: string }>();
  const aliases = new Map<string, string>();
  const problems: SettingsProblem[] = [];
  let unqualifiedSearch: readonly string[] = [];
  let searchFile = files[0]?.name ?? '/etc/containers/registries.conf';
  let shortNameMode: ShortNameMode | undefined;
  for (const file of files) {
    const parsed = parseRegistriesFile(file);
    if (!parsed.ok) {
      problems.push(parsed.error);
      continue;
    }
    for (const registry of parsed.value.registries) byPrefix.set(registry.prefix, { registry, file: file.name });
    for (const [name, target] of Object.entries(parsed.value.aliases)) aliases.set(name, target);
    if (parsed.value.unqualifiedSearch !== undefined) {
      unqualifiedSearch = parsed.value.unqualifiedSearch;
      searchFile = file.name;
    }
    shortNameMode = parsed.value.shortNameMode ?? shortNameMode;
  }
  const registries = [...byPrefix.values()];
  return { registries: { registries, unqualifiedSearch, searchFile, shortNameMode, aliases }, problems };
}

/** The registry with the longest prefix that matches a full name, `undefined` where none does. */
export function findRegistry(registries: Registries, name: string): Registries['registries'][number] | undefined {
  let found: Registries['registries'][number] | undefined;
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
