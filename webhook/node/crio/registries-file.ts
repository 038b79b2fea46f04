import { parseReference } from '../../image/reference.ts';
import { err, ok, type Result } from '../../image/result.ts';
import { quote } from '../../outcome/printable.ts';
import type { SettingsProblem } from '../endpoint.ts';
import { mistake, toProblem, type Mistake } from '../mistakes/mistake.ts';
import { isTable, readTables, readText, readTexts, valueOf, type Table, withKnownKeys } from '../mistakes/shape.ts';
import { parseToml } from '../mistakes/toml.ts';
import { isRegistryHost } from './registry-host.ts';
import { decodeRegistry, type Registry } from './registry.ts';

/** One registries.conf, version 2, or one of its drop-ins (pull-parity E11, E12). */
export type RegistriesFile = {
  readonly registries: readonly Registry[];
  /** `undefined` where the key is absent, which a drop-in may be; an empty list empties it. */
  readonly unqualifiedSearch: readonly string[] | undefined;
  /** Short name to full name; `''` takes back what an earlier file said. */
  readonly aliases: Readonly<Record<string, string>>;
};

const CONSEQUENCE = 'CRI-O refuses every pull with it';
/** CRI-O goes by crio.conf instead, but refuses the file for any other. */
const MODES: readonly string[] = ['enforcing', 'permissive', 'disabled', ''];
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::\d+)?$/u;

/** Reads a file with the checks of containers/image; unknown keys are ignored as there. */
export function parseRegistriesFile(file: {
  readonly name: string;
  readonly text: string;
}): Result<RegistriesFile, SettingsProblem> {
  const document = parseToml(file.text.replace(/^\ufeff/u, ''));
  if (!document.ok) {
    const { line, expected } = document.error;
    return err({ file: file.name, line, reason: `${expected}; ${CONSEQUENCE}` });
  }
  const decoded = decodeDocument(document.value);
  return decoded.ok ? decoded : err(toProblem(decoded.error, file, CONSEQUENCE));
}

const KEYS = [
  'registries',
  'registry',
  'unqualified-search-registries',
  'short-name-mode',
  'credential-helpers',
  'aliases',
];

function decodeDocument(table: Table): Result<RegistriesFile, Mistake> {
  const document = withKnownKeys(table, KEYS);
  if (valueOf(document, 'registries') !== undefined) {
    return err(
      mistake(
        'expected version 2 of registries.conf, with [[registry]] tables instead of [registries.*], which only CRI-O of before 2026 reads',
        '[registries',
      ),
    );
  }
  const tables = readTables(document, 'registry');
  if (!tables.ok) return tables;
  const written: Registry[] = [];
  for (const one of tables.value ?? []) {
    const registry = decodeRegistry(one);
    if (!registry.ok) return registry;
    written.push(registry.value);
  }
  const conflict = findConflict(written);
  if (conflict !== undefined) return err(conflict);
  // the first of one prefix wins within a file
  const registries = written.filter(({ prefix }, at) => written.findIndex((other) => other.prefix === prefix) === at);
  const search = readTexts(document, 'unqualified-search-registries');
  if (!search.ok) return search;
  const hosts = search.value?.map((host) => host.replace(/\/+$/u, ''));
  const wrong = hosts?.find((host) => !HOST.test(host));
  if (wrong !== undefined) {
    const expected = `expected unqualified-search-registries to list host[:port], not ${quote(wrong, 80)}`;
    return err(mistake(expected, 'unqualified-search-registries'));
  }
  const mode = readText(document, 'short-name-mode');
  if (!mode.ok) return mode;
  if (!MODES.includes(mode.value ?? '')) {
    return err(mistake('expected short-name-mode to be enforcing, permissive or disabled', 'short-name-mode'));
  }
  const helpers = readTexts(document, 'credential-helpers');
  if (!helpers.ok) return helpers;
  const aliases = readAliases(document);
  if (!aliases.ok) return aliases;
  return ok({ registries, unqualifiedSearch: hosts, aliases: aliases.value });
}

/** Registries at one place must agree on what is allowed there. */
function findConflict(registries: readonly Registry[]): Mistake | undefined {
  const first = new Map<string, Registry>();
  for (const registry of registries) {
    const place = registry.location === '' ? registry.prefix : registry.location;
    const other = first.get(place) ?? registry;
    first.set(place, other);
    if (other.isInsecure !== registry.isInsecure || other.isBlocked !== registry.isBlocked) {
      const expected = `expected every [[registry]] of location ${quote(place, 80)} to have the same insecure and blocked`;
      return mistake(expected, registry.prefix);
    }
  }
  return undefined;
}

/** The library passes over what is no table (BurntSushi/toml `unifyMap`). */
function readAliases(document: Table): Result<Readonly<Record<string, string>>, Mistake> {
  const value = valueOf(document, 'aliases');
  if (!isTable(value)) return ok({});
  const aliases: [string, string][] = [];
  for (const [name, target] of Object.entries(value)) {
    if (!isShortRepository(name)) {
      const expected = `expected alias ${quote(name, 80)} to be a name without registry, tag or digest`;
      return err(mistake(expected, 'aliases', name));
    }
    if (typeof target !== 'string' || (target !== '' && !isFullRepository(target))) {
      return err(
        mistake(`expected alias ${quote(name, 80)} to name registry and repository, without tag or digest`, name),
      );
    }
    aliases.push([name, target]);
  }
  return ok(Object.fromEntries(aliases));
}

function isShortRepository(text: string): boolean {
  const reference = parseReference(text);
  return reference.ok && reference.value.isShortName && !/[:@]/u.test(text);
}

function isFullRepository(text: string): boolean {
  const reference = parseReference(text);
  if (!reference.ok || reference.value.isShortName || !isRegistryHost(reference.value.host)) return false;
  return !/[:@]/u.test(text.slice(text.indexOf('/')));
}
