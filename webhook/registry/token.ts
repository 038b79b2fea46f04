import { err, ok, type Result } from '../image/result.ts';
import type { NetworkFailure } from './failure.ts';
import { readErrorBody } from './error-body.ts';
import type { RegistryErrorCode } from '../outcome/outcome.ts';
import type { Transport, WireReply, WireTarget } from './transport.ts';

/** A user's name and password, or nothing. Structural, so that this layer need not know the keyring. */
export type Login = { readonly username: string; readonly password: string } | undefined;

/** How a runtime talks to registries and token services (pull-parity D2 to D4). */
export type ClientStyle = 'containerd' | 'docker' | 'crio';

export type TokenRequest = {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly login: Login;
  readonly style: ClientStyle;
  readonly tls: WireTarget['tls'];
  readonly dialTimeoutMs: number;
};

export type TokenFailure =
  | { readonly kind: 'network'; readonly failure: NetworkFailure }
  | { readonly kind: 'status'; readonly method: 'GET' | 'POST'; readonly status: number; readonly code: RegistryErrorCode | undefined }
  | { readonly kind: 'redirected' }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Tokens are a few kilobytes; some carry group lists. */
const MAX_TOKEN_BYTES = 64 * 1024;
/** A token goes into a header: visible ASCII only. */
const TOKEN_SHAPE = /^[\x21-\x7e]+$/u;
/** On these a token service is taken to know no POST, and is asked by GET (containerd authorizer, with its registries' dates). */
const POST_UNKNOWN: ReadonlySet<number> = new Set([400, 401, 404, 405]);

type Send = (request: TokenRequest, signal: AbortSignal) => Promise<Result<WireReply, TokenFailure>>;

/**
 * Fetches a token as the runtime does: containerd posts a password and falls back to GET; dockerd and containers/image
 * send Basic with GET. `note` is told of each request, without its query.
 */
export async function fetchToken(
  transport: Transport,
  request: TokenRequest,
  note: (text: string) => void,
  signal: AbortSignal,
): Promise<Result<string, TokenFailure>> {
  const post: Send = (ask, until) => sendPost(transport, ask, until);
  const get: Send = (ask, until) => sendGet(transport, ask, until);
  const where = `${request.realm.origin}${request.realm.pathname}`;
  // containerd takes a login with an empty password for none
  const login = request.login?.password === '' && request.style === 'containerd' ? undefined : request.login;
  const asked: TokenRequest = { ...request, login };
  if (login !== undefined && request.style === 'containerd') {
    note(`POST ${where} for a token, with the login`);
    const reply = await post(asked, signal);
    if (!reply.ok) return reply;
    if (reply.value.status < 400) return readToken(reply.value);
    if (!POST_UNKNOWN.has(reply.value.status)) return statusFailure('POST', reply.value);
    reply.value.drop();
    note(`answered ${reply.value.status}: the token service may not know POST, GET is next`);
  }
  note(`GET ${where} for a token, ${login === undefined ? 'without a login' : 'with the login'}`);
  const reply = await get(asked, signal);
  if (!reply.ok) return reply;
  if (reply.value.status >= 300 && reply.value.status < 400) {
    reply.value.drop();
    return err({ kind: 'redirected' });
  }
  return reply.value.status < 300 ? readToken(reply.value) : statusFailure('GET', reply.value);
}

function target(request: TokenRequest): WireTarget {
  const scheme = request.realm.protocol === 'http:' ? 'http' : 'https';
  return { scheme, authority: request.realm.host, tls: request.tls, dialTimeoutMs: request.dialTimeoutMs };
}

async function sendPost(
  transport: Transport,
  request: TokenRequest,
  signal: AbortSignal,
): Promise<Result<WireReply, TokenFailure>> {
  const form = new URLSearchParams({ grant_type: 'password' });
  if (request.service !== undefined) form.set('service', request.service);
  form.set('client_id', 'containerd-client');
  if (request.scopes.length > 0) form.set('scope', request.scopes.join(' '));
  form.set('username', request.login?.username ?? '');
  form.set('password', request.login?.password ?? '');
  const reply = await transport.send(
    {
      target: target(request),
      method: 'POST',
      path: `${request.realm.pathname}${request.realm.search}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: form.toString(),
    },
    signal,
  );
  return reply.ok ? reply : err({ kind: 'network', failure: reply.error });
}

async function sendGet(
  transport: Transport,
  request: TokenRequest,
  signal: AbortSignal,
): Promise<Result<WireReply, TokenFailure>> {
  const query = new URLSearchParams(request.realm.search);
  if (request.service !== undefined) query.set('service', request.service);
  for (const scope of request.scopes) query.append('scope', scope);
  if (request.login !== undefined && request.style !== 'containerd') query.set('account', request.login.username);
  const text = query.toString();
  const reply = await transport.send(
    {
      target: target(request),
      method: 'GET',
      path: text === '' ? request.realm.pathname : `${request.realm.pathname}?${text}`,
      headers: request.login === undefined ? {} : { authorization: basicAuthorization(request.login) },
    },
    signal,
  );
  return reply.ok ? reply : err({ kind: 'network', failure: reply.error });
}

export function basicAuthorization(login: NonNullable<Login>): string {
  return `Basic ${Buffer.from(`${login.username}:${login.password}`, 'utf8').toString('base64')}`;
}

async function statusFailure(method: 'GET' | 'POST', reply: WireReply): Promise<Result<string, TokenFailure>> {
  const body = await reply.read(MAX_TOKEN_BYTES);
  return err({ kind: 'status', method, status: reply.status, code: readErrorBody(body.bytes).code });
}

async function readToken(reply: WireReply): Promise<Result<string, TokenFailure>> {
  const { bytes, isWhole } = await reply.read(MAX_TOKEN_BYTES);
  if (!isWhole) return err({ kind: 'unreadable', reason: 'the token service sent more than a token, or broke off' });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return err({ kind: 'unreadable', reason: 'the token service did not answer in JSON' });
  }
  const token = tokenIn(value);
  if (token === undefined || !TOKEN_SHAPE.test(token)) {
    return err({ kind: 'unreadable', reason: 'the token service did not include a token in its answer' });
  }
  return ok(token);
}

/** `access_token` beats `token` (pull-parity D5). */
function tokenIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  return [fields['access_token'], fields['token']].find((one) => typeof one === 'string' && one !== '') as
    string | undefined;
}
