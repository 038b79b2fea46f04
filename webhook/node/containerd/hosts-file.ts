import { err, ok, type Result } from '../../image/result.ts';
import type { SettingsProblem } from '../endpoint.ts';
import { mistake, toProblem, type Mistake } from '../mistakes/mistake.ts';
import { isTable, readText, valueOf, type Table, withKnownKeys } from '../mistakes/shape.ts';
import { parseToml } from '../mistakes/toml.ts';
import { decodeHostEntry, type HostEntry } from './host-entry.ts';
import type { HostsDialect } from './hosts-dialect.ts';

/** A hosts.toml: its tables in file order, then what stands at its root (pull-parity E4). */
export type HostsFile = { readonly hosts: readonly HostEntry[]; readonly root: HostEntry; readonly hasServer: boolean };

const CONSEQUENCE =
  'containerd ignores the whole file and goes on with the certificate files beside it and the default server';

const NO_MARK = 'expected no byte order mark before the first line';
const HOST_WANTED =
  'expected a [host] table, which containerd 1.7 does not do without (an empty one at the end of the file is enough)';
const NO_BRACKET =
  'expected a host without brackets, as containerd 1.7 takes the first ] for the end of the table name';

/** Reads hosts.toml as containerd does; a mistake anywhere makes it ignore the file (pull-parity E3). */
export function parseHostsFile(
  file: { readonly name: string; readonly text: string },
  dialect: HostsDialect,
): Result<HostsFile, SettingsProblem> {
  const document = parseToml(file.text);
  if (!document.ok) {
    const { line, expected } = document.error;
    return err({ file: file.name, line, reason: `${expected}; ${CONSEQUENCE}` });
  }
  const tables = readHostTables(document.value);
  if (tables === undefined) {
    return err(toProblem(mistake('expected host to hold tables, written [host."URL"]', 'host'), file, CONSEQUENCE));
  }
  const quirk = quirkOf(file.text, document.value, dialect);
  if (quirk !== undefined) return err(toProblem(quirk, file, CONSEQUENCE));
  const root = withKnownKeys(document.value, ['server'], dialect.goToml === 1 ? 'capitals' : 'any');
  const server = readText(root, 'server');
  if (!server.ok) return err(toProblem(server.error, file, CONSEQUENCE));

  const hosts: HostEntry[] = [];
  const written = hostOrder(file.text);
  for (const url of dialect.goToml === 1 ? new Set([...written, ...Object.keys(tables)]) : written) {
    const table = valueOf(tables, url);
    const entry = decodeHostEntry(isTable(table) ? table : {}, url, dialect);
    if (!entry.ok) return err(toProblem({ ...entry.error, at: [url, ...entry.error.at] }, file, CONSEQUENCE));
    hosts.push(entry.value);
  }
  const last = decodeHostEntry(root, server.value ?? '', dialect);
  if (!last.ok) return err(toProblem(last.error, file, CONSEQUENCE));
  return ok({ hosts, root: last.value, hasServer: last.value.server !== undefined });
}

/** What TOML allows and the go-toml of a containerd refuses. */
function quirkOf(text: string, document: Table, { goToml }: HostsDialect): Mistake | undefined {
  if (goToml === 2) return text.startsWith('\ufeff') ? mistake(NO_MARK) : undefined;
  if (!Object.hasOwn(document, 'host')) return mistake(HOST_WANTED);
  const bracketed = Object.keys(readHostTables(document) ?? {}).find((url) => url.includes(']'));
  return bracketed === undefined ? undefined : mistake(NO_BRACKET, bracketed);
}

function readHostTables(document: Table): Table | undefined {
  const value = valueOf(document, 'host');
  if (value === undefined) return {};
  return isTable(value) && Object.values(value).every(isTable) ? value : undefined;
}

const HEADER = /^[ \t]*(?<header>\[[ \t]*(?:host|"host"|'host')[ \t]*\..*\])[ \t\r]*(?:#[^\n]*)?$/u;

/**
 * The hosts in the order of their `[host."URL"]` headers, as containerd's `getSortedHosts` walks them: since 2.0 a host
 * that is written inline or with dotted keys is not seen, and subtables such as `[host."URL".header]` right below their host
 * are not counted again.
 */
function hostOrder(text: string): readonly string[] {
  const order: string[] = [];
  for (const line of text.split('\n')) {
    const header = HEADER.exec(line)?.groups?.['header'];
    const parsed = header === undefined ? undefined : parseToml(header);
    const tables = parsed?.ok === true ? readHostTables(parsed.value) : undefined;
    const url = Object.keys(tables ?? {})[0];
    if (url !== undefined && url !== '' && url !== order.at(-1)) order.push(url);
  }
  return order;
}
