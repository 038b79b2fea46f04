import { err, type Result } from '../image/result.ts';
import type { RegistryErrorCode } from '../outcome/outcome.ts';
import { retryAfterSeconds } from './budget.ts';
import { decoded } from './encoding.ts';
import { targetAt } from './endpoint.ts';
import { readErrorBody } from './error-body.ts';
import type { NetworkFailure } from './failure.ts';
import { askToken, type Answered, type TokenQuestion } from './ask-token.ts';
import type { Send } from './sender.ts';
import { MAX_TOKEN_BYTES, readToken, type Token, type TokenName } from './token-answer.ts';
import type { WireTarget } from './wire.ts';

/** A user's name and password, or nothing. Structural, so that this layer need not know the keyring. */
export type Login = { readonly username: string; readonly password: string } | undefined;

/** How a runtime talks to registries and token services (pull-parity D2 to D4). */
export type ClientStyle = 'containerd' | 'docker' | 'crio';

export type TokenRequest = {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  /** With a name and a password: no runtime sends half a login. */
  readonly login: Login;
  readonly style: ClientStyle;
  readonly tls: WireTarget['tls'];
  readonly dialTimeoutMs: number;
};

/** `at` is who was asked last. */
export type TokenFailure = { readonly method: 'GET' | 'POST'; readonly at: URL } & (
  | { readonly kind: 'network'; readonly failure: NetworkFailure }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly code: RegistryErrorCode | undefined;
      readonly retryAfterSeconds: number | undefined;
    }
  /** It sends on to another origin, and a login would go along. */
  | { readonly kind: 'redirected'; readonly to: URL }
  | { readonly kind: 'unreadable'; readonly reason: string }
);

/** On these a token service is taken to know no POST, and is asked by GET (containerd authorizer, with its registries' dates). */
const POST_UNKNOWN: ReadonlySet<number> = new Set([400, 401, 404, 405]);

/**
 * Fetches a token as the runtime does: containerd posts a password and falls back to GET; dockerd and containers/image
 * send Basic with GET (pull-parity D4, D5). Redirects are followed as Go does it, but no login goes to another origin.
 */
export async function fetchToken(
  send: Send,
  request: TokenRequest,
  signal: AbortSignal,
): Promise<Result<Token, TokenFailure>> {
  const { login } = request;
  const purpose = { text: ` for a token${login === undefined ? ', without a login' : ''}` };
  if (login !== undefined && request.style === 'containerd') {
    const sent = await askToken(send, postRequest(request, login), request, signal, purpose);
    if (!sent.ok) return sent;
    if (!POST_UNKNOWN.has(sent.value.reply.status))
      return judge(sent.value, { names: ['access_token'], style: request.style, signal });
    sent.value.reply.drop(); // the token service may not know POST
  }
  const sent = await askToken(send, getRequest(request), request, signal, purpose);
  return sent.ok ? judge(sent.value, { names: NAMES[request.style], style: request.style, signal }) : sent;
}

function postRequest(request: TokenRequest, login: NonNullable<Login>): TokenQuestion {
  const { realm, service, scopes } = request;
  const form = new URLSearchParams({ grant_type: 'password' });
  if (service !== undefined) form.set('service', service);
  form.set('client_id', 'containerd-client');
  form.set('scope', scopes.join(' '));
  form.set('username', login.username);
  form.set('password', login.password);
  return {
    target: targetAt(request, realm),
    method: 'POST',
    path: `${realm.pathname}${realm.search}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    body: form.toString(),
  };
}

function getRequest(request: TokenRequest): TokenQuestion {
  const { realm, service, scopes, login, style } = request;
  const query = new URLSearchParams(realm.search);
  if (service !== undefined) query.append('service', service);
  for (const scope of scopes) query.append('scope', scope);
  if (login !== undefined && style !== 'containerd') query.append('account', login.username);
  return {
    target: targetAt(request, realm),
    method: 'GET',
    path: `${realm.pathname}?${query.toString()}`,
    headers: login === undefined ? {} : { authorization: basicAuthorization(login) },
  };
}

export function basicAuthorization(login: NonNullable<Login>): string {
  return `Basic ${Buffer.from(`${login.username}:${login.password}`, 'utf8').toString('base64')}`;
}

/** `access_token` beats `token`, but not in containers/image (pull-parity D5). */
const NAMES: Readonly<Record<ClientStyle, readonly TokenName[]>> = Object.freeze({
  containerd: ['access_token', 'token'],
  docker: ['access_token', 'token'],
  crio: ['token', 'access_token'],
});

/** Who reads an answer: where a runtime looks for the token, and whether it unpacks what comes packed. */
type Reader = {
  readonly names: readonly TokenName[];
  readonly style: ClientStyle;
  readonly signal: AbortSignal;
};

async function judge(
  { reply: sent, at, method }: Answered,
  { names, style, signal }: Reader,
): Promise<Result<Token, TokenFailure>> {
  const { status } = sent;
  const reply = (style === 'containerd' ? decoded(sent, signal) : undefined) ?? sent;
  const body = await reply.read(MAX_TOKEN_BYTES);
  if (body.ending === 'timeout') {
    return err({ kind: 'network', method, at, failure: { kind: 'timeout', during: 'answer' } });
  }
  if (status >= 400) {
    const { code } = readErrorBody(body.bytes);
    const wait = retryAfterSeconds(reply.header('retry-after'), Date.now());
    return err({ kind: 'status', method, at, status, code, retryAfterSeconds: wait });
  }
  const token = readToken(body, names);
  return token.ok ? token : err({ kind: 'unreadable', method, at, reason: token.error });
}
