import { isTextList } from '../../image/json.ts';
import { err, ok, type Result } from '../../image/result.ts';
import { quote } from '../../outcome/printable.ts';
import { cleanPrefix, parseEndpointUrl } from '../endpoint-url.ts';
import { mistake, type Mistake } from '../mistakes/mistake.ts';
import { readFlag, readText, readTexts, valueOf, isTable, type Table, withKnownKeys } from '../mistakes/shape.ts';
import { parseGoDuration } from './duration.ts';
import type { HostsDialect } from './hosts-dialect.ts';

/** One `[host."URL"]` table, or the keys at the root of hosts.toml. Files are named, not read yet. */
export type HostEntry = {
  /** `undefined` where none was written, or one without a host; `unusable` where no request can be sent to it. */
  readonly server: HostServer | 'unusable' | undefined;
  readonly canPull: boolean;
  readonly canResolve: boolean;
  /** `undefined` and an empty list differ: the latter is a TLS setting too (pull-parity E6). */
  readonly authorityFiles: readonly string[] | undefined;
  readonly clientFiles: readonly ClientFiles[];
  readonly skipVerify: boolean | undefined;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly dialTimeoutMs: number | undefined;
};

export type HostServer = { readonly scheme: 'http' | 'https'; readonly authority: string; readonly pathPrefix: string };
/** `key` is `undefined` where one file holds both. */
export type ClientFiles = { readonly certificate: string; readonly key: string | undefined };

/** What applies where nothing is configured. */
export const EMPTY_ENTRY: HostEntry = Object.freeze({
  server: undefined,
  canPull: true,
  canResolve: true,
  authorityFiles: undefined,
  clientFiles: [],
  skipVerify: undefined,
  headers: {},
  dialTimeoutMs: undefined,
});

const KEYS = ['capabilities', 'ca', 'client', 'skip_verify', 'override_path', 'header', 'dial_timeout'];
const CAPABILITIES = ['pull', 'resolve', 'push'];

/** Reads the keys of one host as containerd's `parseHostConfig` does; the first mistake spoils the whole file. */
export function decodeHostEntry(written: Table, server: string, dialect: HostsDialect): Result<HostEntry, Mistake> {
  const table = withKnownKeys(written, KEYS, dialect.goToml === 1 ? 'capitals' : 'any');
  const capabilities = readTexts(table, 'capabilities');
  if (!capabilities.ok) return capabilities;
  const names = (capabilities.value ?? []).map((name) => name.toLowerCase());
  const known = dialect.knowsReferrers ? [...CAPABILITIES, 'referrers'] : CAPABILITIES;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const since = unknown === 'referrers' ? ', which containerd knows since 2.2' : '';
    const expected = `expected capabilities among ${known.join(', ')}, not ${quote(unknown, 40)}${since}`;
    return err(mistake(expected, 'capabilities'));
  }
  const authorityFiles = readFileNames(table, 'ca');
  if (!authorityFiles.ok) return authorityFiles;
  const clientFiles = readClientFiles(table);
  if (!clientFiles.ok) return clientFiles;
  const skipVerify = readFlag(table, 'skip_verify');
  if (!skipVerify.ok) return skipVerify;
  const isPathOverridden = readFlag(table, 'override_path');
  if (!isPathOverridden.ok) return isPathOverridden;
  const headers = readHeaders(table);
  if (!headers.ok) return headers;
  const dialTimeoutMs = dialect.honoursDialTimeout ? readDialTimeout(table) : ok(undefined);
  if (!dialTimeoutMs.ok) return dialTimeoutMs;
  const address = readServer(server, isPathOverridden.value ?? false);
  if (!address.ok) return address;
  return ok({
    server: address.value,
    canPull: names.length === 0 || names.includes('pull'),
    canResolve: names.length === 0 || names.includes('resolve'),
    authorityFiles: authorityFiles.value,
    clientFiles: clientFiles.value,
    skipVerify: skipVerify.value,
    headers: headers.value,
    dialTimeoutMs: dialTimeoutMs.value,
  });
}

/**
 * A scheme is only looked for by its first letters, so `httpbin.example:5000` is taken for a URL without a host, and
 * `httpss://reg.example` for one of a protocol that nobody speaks.
 */
function readServer(server: string, isPathOverridden: boolean): Result<HostEntry['server'], Mistake> {
  if (server === '') return ok(undefined);
  const written = server.startsWith('http') ? server : `https://${server}`;
  const [, scheme = '', address] = /^([^:/?#]*):(\/\/[^/?#].*)$/u.exec(written) ?? [];
  const url = parseEndpointUrl(`https:${address ?? '//none'}`);
  if (url === undefined) return err(mistake('expected a registry as http(s)://host[:port][/path]', server));
  if (address === undefined) return ok(undefined);
  if (!/^https?$/iu.test(scheme)) return ok('unusable');
  const path = cleanPrefix(url.path);
  const isComplete = isPathOverridden || path.endsWith('/v2');
  return ok({
    scheme: scheme.toLowerCase() === 'http' ? 'http' : 'https',
    authority: url.authority,
    pathPrefix: isComplete ? path : `${path}/v2`,
  });
}

function readFileNames(table: Table, key: string): Result<readonly string[] | undefined, Mistake> {
  const value = valueOf(table, key);
  if (value === undefined) return ok(undefined);
  if (typeof value === 'string') return ok([value]);
  return isTextList(value) ? ok(value) : err(mistake(`expected ${key} to be a file or a list of files`, key));
}

function readClientFiles(table: Table): Result<readonly ClientFiles[], Mistake> {
  const value = valueOf(table, 'client');
  if (value === undefined) return ok([]);
  const list: readonly unknown[] | undefined =
    typeof value === 'string' ? [value] : Array.isArray(value) ? value : undefined;
  const wrong = mistake(
    'expected client to be a file, a list of files or a list of [certificate, key] pairs',
    'client',
  );
  if (list === undefined) return err(wrong);
  const files: ClientFiles[] = [];
  for (const one of list) {
    if (typeof one === 'string') files.push({ certificate: one, key: undefined });
    else if (isTextList(one) && one.length === 2) files.push({ certificate: one[0] ?? '', key: one[1] ?? '' });
    else return err(wrong);
  }
  return ok(files);
}

/** No value is named in a mistake: a header may be an Authorization. */
function readHeaders(table: Table): Result<Readonly<Record<string, readonly string[]>>, Mistake> {
  const value = valueOf(table, 'header');
  if (value === undefined) return ok({});
  if (!isTable(value)) return err(mistake('expected header to be a table of names and values', 'header'));
  const headers: [string, readonly string[]][] = [];
  for (const [name, one] of Object.entries(value)) {
    const values = typeof one === 'string' ? [one] : one;
    if (!isTextList(values)) {
      return err(mistake(`expected header ${quote(name, 60)} to be a string or a list of strings`, name));
    }
    headers.push([name, values]);
  }
  return ok(Object.fromEntries(headers));
}

function readDialTimeout(table: Table): Result<number | undefined, Mistake> {
  const text = readText(table, 'dial_timeout');
  if (!text.ok || text.value === undefined || text.value === '') return text.ok ? ok(undefined) : text;
  const ms = parseGoDuration(text.value);
  return ms === undefined
    ? err(mistake('expected dial_timeout to be a duration such as "5s" or "1m30s"', 'dial_timeout'))
    : ok(ms);
}
