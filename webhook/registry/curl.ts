import { splitAuthority } from './authority.ts';
import type { RegistryEndpoint } from './endpoint.ts';
import type { WireRequest } from './wire.ts';

/** What a request does not tell, and curl must be told. */
export type CurlFacts = {
  /** `headers` are those that the settings declare: they may hold secrets. `files` name the certificates. */
  readonly endpoint: Pick<RegistryEndpoint, 'headers' | 'files'>;
  /** The addresses that a user gave a name by `--add-host`; none where DNS tells. */
  readonly addressesOf: (name: string) => readonly string[];
};

/** A redirect's target: what its query says is the registry's and may let anybody in. */
export type UrlOrigin = 'ours' | 'redirect';

/** Parameters of our own requests, whose values are no secrets. Any other may be. */
const OPEN_PARAMETERS: ReadonlySet<string> = new Set([
  'ns',
  'n',
  'last',
  'service',
  'scope',
  'grant_type',
  'client_id',
]);
const MASK = '***';

/** Path and query, the values of parameters that may be secret masked: `/x?ns=reg.example&sig=***`. */
export function maskedPath(path: string, from: UrlOrigin = 'ours'): string {
  const [bare, query] = cutQuery(path);
  if (query === undefined) return bare;
  const parts = query.split('&').map((part) => {
    const name = part.split('=', 1)[0] ?? '';
    return part === name || (from === 'ours' && OPEN_PARAMETERS.has(name)) ? part : `${name}=${MASK}`;
  });
  return `${bare}?${parts.join('&')}`;
}

/**
 * The request as a curl command for a POSIX shell, on one line. What is secret is a variable: USERNAME, PASSWORD, TOKEN,
 * LOCATION for the target of a redirect, HEADER_X_NAME for a header that the settings declare. The process substitution
 * for several CA files is bash's.
 */
export function curlCommand(request: WireRequest, facts: CurlFacts, from: UrlOrigin = 'ours'): string {
  const { target, method, path } = request;
  return [
    'curl',
    ...output(method, path, from),
    ...(target.scheme === 'https' ? tlsOptions(request, facts) : []),
    ...resolveOptions(request, facts),
    ...headerOptions(request, facts),
    ...bodyOptions(request),
    urlWord(request, from),
  ].join(' ');
}

/** Layers are not for a terminal; of everything else the body tells something. */
function output(method: string, path: string, from: UrlOrigin): readonly string[] {
  if (method === 'HEAD') return ['-sSI'];
  return from === 'redirect' || path.includes('/blobs/') ? ['-sS', '-D', '-', '-o', '/dev/null'] : ['-sSi'];
}

function tlsOptions({ target }: WireRequest, { endpoint }: CurlFacts): readonly string[] {
  const { isVerified, authorities, clientPairs } = target.tls;
  const named = endpoint.files?.authorities ?? [];
  // those that no file holds come from the policy
  const files = [...named.map(quoted), ...(authorities.length > named.length ? ['"$POLICY_CA"'] : [])];
  const pair = endpoint.files?.clientPairs[0];
  return [
    ...(isVerified ? [] : ['-k']),
    ...(authorities.length === 0 || !isVerified ? [] : ['--cacert', oneFile(files)]),
    ...(clientPairs.length === 0 ? [] : clientOptions(pair)),
  ];
}

function oneFile(files: readonly string[]): string {
  return files.length === 1 ? (files[0] ?? '') : `<(cat ${files.join(' ')})`;
}

function clientOptions(pair: { readonly certificate: string; readonly key: string } | undefined): readonly string[] {
  if (pair === undefined) return ['--cert', '"$CLIENT_CERT"', '--key', '"$CLIENT_KEY"'];
  return ['--cert', quoted(pair.certificate), '--key', quoted(pair.key)];
}

function resolveOptions({ target }: WireRequest, { addressesOf }: CurlFacts): readonly string[] {
  const { host, port } = splitAuthority(target.authority, target.scheme === 'https' ? 443 : 80);
  const addresses = addressesOf(host).map((address) => (address.includes(':') ? `[${address}]` : address));
  return addresses.length === 0 ? [] : ['--resolve', quoted(`${host}:${port}:${addresses.join(',')}`)];
}

function headerOptions({ headers }: WireRequest, { endpoint }: CurlFacts): readonly string[] {
  const declared = new Map(Object.entries(endpoint.headers).map(([name, value]) => [name.toLowerCase(), value]));
  return Object.entries(headers).flatMap(([name, value]) => {
    if (declared.get(name.toLowerCase()) === value) return declaredHeader(name, value);
    if (name === 'authorization') {
      return String(value).startsWith('Basic ')
        ? ['-u', '"$USERNAME:$PASSWORD"']
        : ['-H', '"Authorization: Bearer $TOKEN"'];
    }
    // curl's own
    if (name === 'content-type' || (name === 'accept' && value === '*/*')) return [];
    return ['-H', quoted(`${name}: ${String(value)}`)];
  });
}

/** Each value of a header that the settings declare, from a variable named after it. */
function declaredHeader(name: string, values: string | readonly string[]): readonly string[] {
  const variable = `HEADER_${name.toUpperCase().replaceAll(/[^A-Z0-9]/gu, '_')}`;
  const count = typeof values === 'string' ? 1 : values.length;
  return Array.from({ length: count }, (_, at) => at).flatMap((at) => [
    '-H',
    `${quoted(`${name}: `)}"$${variable}${at === 0 ? '' : `_${at + 1}`}"`,
  ]);
}

/** Only token services are sent one: a form with the login in it. */
function bodyOptions({ body }: WireRequest): readonly string[] {
  if (body === undefined) return [];
  return [...new URLSearchParams(body)].flatMap(([name, value]) => {
    const variable = { username: 'USERNAME', password: 'PASSWORD' }[name];
    if (variable !== undefined) return ['--data-urlencode', `"${name}=$${variable}"`];
    return OPEN_PARAMETERS.has(name) ? ['--data-urlencode', quoted(`${name}=${value}`)] : [];
  });
}

function urlWord({ target, path }: WireRequest, from: UrlOrigin): string {
  const url = `${target.scheme}://${target.authority}${maskedPath(path, from)}`;
  if (!url.includes(`=${MASK}`)) return quoted(`${target.scheme}://${target.authority}${path}`);
  if (from === 'redirect') return '"$LOCATION"';
  // dockerd and CRI-O name the user to a token service; whatever else is masked is the realm's own
  const word = quoted(url).replaceAll(`account=${MASK}`, `account='"$USERNAME"'`).replaceAll(MASK, `'"$REALM_VALUE"'`);
  return word.replace(/''$/u, '');
}

function cutQuery(path: string): readonly [string, string | undefined] {
  const at = path.indexOf('?');
  return at < 0 ? [path, undefined] : [path.slice(0, at), path.slice(at + 1)];
}

/** A word of a POSIX shell, as it stands where nothing in it means something there. */
function quoted(text: string): string {
  return /^[A-Za-z0-9@%+=:,./_-]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
