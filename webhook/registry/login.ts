import { assertNever, err, ok, type Result } from '../image/result.ts';
import type { Evidence, Identity, PullOutcome } from '../outcome/outcome.ts';
import type { Challenge } from './challenge.ts';
import type { RegistryEndpoint } from './endpoint.ts';
import { outcomeOfFailure } from './failure-outcome.ts';
import { field } from '../outcome/printable.ts';
import { mayAskRealm, readRealm, type RealmRules } from './realm.ts';
import type { Note, Send } from './sender.ts';
import { basicAuthorization, fetchToken, type ClientStyle, type Login, type TokenFailure } from './token.ts';
import type { WireHeaders } from './wire.ts';

export type Authorization =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly login: NonNullable<Login> }
  /** `expiresAtMs` is monotonic, `undefined` where the token service named no limit. */
  | { readonly kind: 'bearer'; readonly token: string; readonly expiresAtMs: number | undefined };

export type LoginOptions = {
  readonly endpoint: RegistryEndpoint;
  readonly login: Login;
  readonly identity: Identity;
  readonly style: ClientStyle;
  readonly realms: RealmRules;
  readonly send: Send;
  readonly scheme: () => 'http' | 'https';
  readonly note: Note;
  /** Monotonic milliseconds. */
  readonly now: () => number;
};

/**
 * Finds out how to log in at an endpoint, by the challenge that it sent with the answer in `asked`, and remembers what
 * came of it: the same challenge is not answered twice, also where that failed, unless `stale` tells of the login that it
 * refused meanwhile.
 */
export type LogIn = (
  challenges: readonly Challenge[],
  asked: Evidence,
  signal: AbortSignal,
  stale?: Authorization,
) => Promise<Result<Authorization, PullOutcome>>;

export function createLogIn(options: LoginOptions): LogIn {
  const found = new Map<string, Promise<Result<Authorization, PullOutcome>>>();
  return async (challenges, asked, signal, stale = NO_LOGIN) => {
    const [challenge] = challenges;
    const key = JSON.stringify([authorizationHeader(stale), challenge?.scheme, ...challengeKey(challenge)]);
    const known = found.get(key) ?? findAuthorization(options, challenge, stale, asked, signal);
    found.set(key, known);
    const login = await known;
    return login.ok ? login : err(withAsked(login.error, asked));
  };
}

const NO_LOGIN: Authorization = Object.freeze({ kind: 'none' });

/** What a challenge asks for, without why the last answer to it did not do. */
function challengeKey(challenge: Challenge | undefined): readonly (string | undefined)[] {
  return ['realm', 'service', 'scope'].map((name) => challenge?.parameters.get(name));
}

export function authorizationHeader(authorization: Authorization): WireHeaders {
  switch (authorization.kind) {
    case 'none':
      return {};
    case 'basic':
      return { authorization: basicAuthorization(authorization.login) };
    case 'bearer':
      return { authorization: `Bearer ${authorization.token}` };
    default:
      return assertNever(authorization);
  }
}

async function findAuthorization(
  options: LoginOptions,
  challenge: Challenge | undefined,
  stale: Authorization,
  asked: Evidence,
  signal: AbortSignal,
): Promise<Result<Authorization, PullOutcome>> {
  const { endpoint, login, style } = options;
  if (challenge === undefined) return err(denied(options.identity, 'registry', asked));
  options.note(describeChallenge(challenge));
  if (challenge.scheme === 'basic') {
    const isUsable = login !== undefined && login.username !== '' && login.password !== '';
    if (!isUsable && style !== 'crio') return err(denied(options.identity, 'registry', asked));
    return ok(login === undefined ? { kind: 'none' } : { kind: 'basic', login });
  }
  const realm = readRealm(challenge.parameters.get('realm') ?? '');
  if (!realm.ok) return err({ kind: 'registry-error', reason: realm.error, evidence: asked });
  const sent = login === undefined || login.username === '' || login.password === '' ? undefined : login;
  const at = { scheme: options.scheme(), authority: endpoint.authority };
  if (!mayAskRealm(options.realms, at, realm.value, sent !== undefined)) {
    const { host, protocol } = realm.value;
    options.note(`${host} is not asked: no login goes there (policy network.strictRealms, or http for https)`);
    return protocol === 'http:' && at.scheme === 'https'
      ? err({ kind: 'not-checked', reason: 'login-withheld', detail: `${host}, by plain HTTP` })
      : err({ kind: 'not-checked', reason: 'untrusted-realm', detail: host });
  }
  const token = await fetchToken(
    options.send,
    {
      realm: realm.value,
      service: challenge.parameters.get('service'),
      scopes: scopesOf(options, challenge, stale),
      login: sent,
      style,
      tls: endpoint.tls,
      dialTimeoutMs: endpoint.dialTimeoutMs,
    },
    signal,
  );
  if (!token.ok) return err(tokenOutcome(token.error, options, asked));
  const { expiresInSeconds } = token.value;
  const expiresAtMs = expiresInSeconds === undefined ? undefined : options.now() + expiresInSeconds * 1000;
  return ok({ kind: 'bearer', token: token.value.token, expiresAtMs });
}

/**
 * Our own repository and what the challenge names (pull-parity D4): a proxy has the image under another name, and says so
 * in its challenge alone. dockerd never reads that, containers/image when a token did not do. Of all that a challenge
 * names we only ever ask to read repositories.
 */
function scopesOf({ endpoint, style }: LoginOptions, { parameters }: Challenge, stale: Authorization): string[] {
  const own = `repository:${endpoint.repository}:pull`;
  const heedsChallenge = style === 'containerd' || (style === 'crio' && stale.kind === 'bearer');
  const named = heedsChallenge ? (parameters.get('scope') ?? '').split(' ').slice(0, MAX_SCOPES) : [];
  const readable = named.flatMap((scope) => {
    const groups = /^(?<repository>repository(?:\([a-z]+\))?:[^ ]+):(?<actions>[a-z,*]+)$/u.exec(scope)?.groups;
    const mayRead = groups?.['actions']?.split(',').some((action) => action === 'pull' || action === '*') ?? false;
    return mayRead && scope.length <= MAX_SCOPE_LENGTH ? [`${groups?.['repository']}:pull`] : [];
  });
  return [...new Set([own, ...readable])].toSorted();
}

const MAX_SCOPES = 8;
const MAX_SCOPE_LENGTH = 512;

/** The realm without its query, which is the registry's own. */
function describeChallenge({ scheme, parameters }: Challenge): string {
  if (scheme === 'basic') return 'it asks for a login by Basic';
  const realm = URL.parse(parameters.get('realm') ?? '');
  const where = realm === null ? '' : ` from ${field(`${realm.origin}${realm.pathname}`, 200)}`;
  const service = parameters.get('service');
  return `it asks for a token${where}${service === undefined ? '' : ` (service ${field(service, 96)})`}`;
}

function tokenOutcome(failure: TokenFailure, options: LoginOptions, asked: Evidence): PullOutcome {
  const { method, at } = failure;
  const { origin, pathname, host } = at;
  const seenAt: Evidence = { ...asked, endpoint: origin, path: pathname, method, status: undefined, code: undefined };
  const evidence = origin === asked.endpoint ? seenAt : { ...seenAt, sentBy: asked.endpoint };
  switch (failure.kind) {
    case 'network':
      return outcomeOfFailure(failure.failure, evidence, host);
    case 'redirected':
      return { kind: 'not-checked', reason: 'login-withheld', detail: `${failure.to.host}, by a redirect` };
    case 'unreadable':
      return { kind: 'registry-error', reason: failure.reason, evidence };
    case 'status':
      return tokenRefusal(failure, options.identity, { ...evidence, status: failure.status, code: failure.code });
    default:
      return assertNever(failure);
  }
}

function tokenRefusal(
  failure: Extract<TokenFailure, { kind: 'status' }>,
  identity: Identity,
  evidence: Evidence,
): PullOutcome {
  const { status, retryAfterSeconds } = failure;
  if (status === 401 || status === 403) return denied(identity, 'token-service', evidence);
  if (status === 429) return { kind: 'rate-limited', retryAfterSeconds, evidence };
  return { kind: 'registry-error', reason: 'its token service failed', evidence };
}

function denied(identity: Identity, by: 'registry' | 'token-service', evidence: Evidence): PullOutcome {
  return {
    kind: 'access-denied',
    reason: identity.by === 'anonymous' ? 'no-credentials' : 'rejected',
    by,
    evidence,
  };
}

/** What the registry was asked when it sent us for a login is better evidence than what somebody asked before. */
function withAsked(outcome: PullOutcome, asked: Evidence): PullOutcome {
  return outcome.kind === 'access-denied' && outcome.by === 'registry' ? { ...outcome, evidence: asked } : outcome;
}
