import { err, ok, type Result } from '../image/result.ts';
import type { Evidence, Identity, PullOutcome } from '../outcome/outcome.ts';
import { retryAfterSeconds, type Budget } from './budget.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import { MAX_ERROR_BYTES, readErrorBody, type ErrorBody } from './error-body.ts';
import type { NetworkFailure } from './failure.ts';
import { outcomeOfFailure } from './failure-outcome.ts';
import { mayAskRealm, type RealmRules } from './realm.ts';
import { basicAuthorization, fetchToken, type ClientStyle, type Login, type TokenFailure } from './token.ts';
import { splitAuthority, type Transport, type WireReply, type WireTarget } from './transport.ts';

/** The part of a node's endpoint that this layer needs; `node/` describes each field. */
export type RegistryEndpoint = {
  readonly scheme: 'https' | 'http' | 'https-then-http';
  readonly authority: string;
  readonly pathPrefix: string;
  readonly repository: string;
  readonly namespace: string | undefined;
  readonly tls: WireTarget['tls'];
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly dialTimeoutMs: number;
  readonly declaredBy: string | undefined;
};

export type Resource =
  | { readonly kind: 'ping' }
  | { readonly kind: 'manifest'; readonly key: string; readonly accept: string }
  | { readonly kind: 'blob'; readonly digest: string }
  | { readonly kind: 'tags'; readonly limit: number };

export type Ask = {
  readonly method: 'HEAD' | 'GET';
  readonly resource: Resource;
  /** How many bytes of a good answer to read; 0 reads the header only. */
  readonly maxBytes: number;
  /** Ask once more after 500, 503 or 504 (pull-parity D8). */
  readonly retriesServerErrors: boolean;
};

/** An HTTP answer, good or bad, after logins and redirects. */
export type Answer = {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly bytes: Uint8Array;
  readonly isWhole: boolean;
  readonly wasCut: boolean;
  readonly error: ErrorBody;
  /** A redirect led to another origin, which answered. */
  readonly isElsewhere: boolean;
  readonly evidence: Evidence;
};

export type RegistryClient = {
  readonly endpoint: RegistryEndpoint;
  readonly identity: Identity;
  /** Answers, or the outcome that ended the attempt: no answer, or no way to log in. */
  readonly ask: (ask: Ask, signal: AbortSignal) => Promise<Result<Answer, PullOutcome>>;
  /** The body as it comes, for reading layers whole. */
  readonly open: (ask: Ask, signal: AbortSignal) => Promise<Result<{ readonly answer: Answer; readonly reply: WireReply }, PullOutcome>>;
};

export type ClientOptions = {
  readonly transport: Transport;
  readonly endpoint: RegistryEndpoint;
  readonly login: Login;
  readonly identity: Identity;
  readonly style: ClientStyle;
  readonly budget: Budget;
  readonly realms: RealmRules;
  readonly countRequest: () => void;
  readonly note: (text: string) => void;
  readonly now: () => number;
};

/** Go's net/http gives up at ten (pull-parity D15). */
const MAX_REDIRECTS = 10;
/** containerd asks up to five times on 408 (pull-parity D8); more than one repetition proves nothing new. */
const MAX_TIMEOUT_RETRIES = 1;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const RETRIED: ReadonlySet<number> = new Set([500, 503, 504]);

type Authorization =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly token: string };

type Exchange = { readonly answer: Answer; readonly reply: WireReply };

/**
 * Talks to one endpoint as one identity, in one runtime's manner, and remembers: no request is sent twice, the login is
 * found once. Credentials go to the endpoint itself and to the realm that it names, nowhere else (design, rule 6).
 */
export function createRegistryClient(options: ClientOptions): RegistryClient {
  const { endpoint, transport } = options;
  const answers = new Map<string, Promise<Result<Answer, PullOutcome>>>();
  let scheme: 'http' | 'https' = endpoint.scheme === 'http' ? 'http' : 'https';
  let mayFallBack = endpoint.scheme === 'https-then-http';
  let authorization: Authorization = { kind: 'none' };
  let pinged: Promise<Result<undefined, PullOutcome>> | undefined;
  let loginInFlight: Promise<Result<Authorization, PullOutcome>> | undefined;

  const target = (): WireTarget => ({
    scheme,
    authority: endpoint.authority,
    tls: endpoint.tls,
    dialTimeoutMs: endpoint.dialTimeoutMs,
  });
  const evidence = (method: Evidence['method'], path: string, status?: number, error?: ErrorBody): Evidence => ({
    endpoint: `${scheme}://${endpoint.authority}`,
    method,
    path,
    status,
    code: error?.code,
    askedAs: options.identity,
    declaredBy: endpoint.declaredBy,
  });
  const authorizationHeader = (): Record<string, string> => {
    if (authorization.kind === 'bearer') return { authorization: `Bearer ${authorization.token}` };
    if (authorization.kind === 'basic' && options.login !== undefined) {
      return { authorization: basicAuthorization(options.login) };
    }
    return {};
  };

  /** One request with its redirects; falls back to HTTP where the endpoint may. */
  const exchange = async (ask: Ask, method: 'HEAD' | 'GET', signal: AbortSignal): Promise<Result<Exchange, PullOutcome>> => {
    const path = pathOf(endpoint, ask.resource);
    const bare = path.split('?', 1)[0] ?? path;
    const rest = options.budget.restMs(endpoint.authority);
    if (rest > 0) {
      options.note(`${endpoint.authority} answered 429 a moment ago and is left alone`);
      return err({ kind: 'rate-limited', retryAfterSeconds: Math.ceil(rest / 1000), evidence: evidence(method, bare) });
    }
    const headers = {
      ...endpoint.headers,
      ...('accept' in ask.resource ? { accept: ask.resource.accept } : { accept: '*/*' }),
      ...authorizationHeader(),
    };
    const sent = await send(method, { target: target(), path, headers }, signal);
    if (!sent.ok && mayFallBack && fallsBack(sent.error, options.style, endpoint)) {
      options.note(`HTTPS failed (${sent.error.kind}): the settings allow plain HTTP here`);
      scheme = 'http';
      mayFallBack = false;
      return exchange(ask, method, signal);
    }
    if (!sent.ok) return err(outcomeOfFailure(sent.error, evidence(method, bare), endpoint.authority));
    mayFallBack = false;
    return follow({ ask, method, path: bare, headers }, sent.value, signal);
  };

  const send = async (
    method: 'HEAD' | 'GET',
    request: { readonly target: WireTarget; readonly path: string; readonly headers: Record<string, string | readonly string[]> },
    signal: AbortSignal,
  ): Promise<Result<WireReply, NetworkFailure>> => {
    options.countRequest();
    options.budget.noteRequest(request.target.authority);
    const sent = await transport.send({ method, ...request }, signal);
    const where = `${method} ${request.target.scheme}://${request.target.authority}${request.path.split('?', 1)[0] ?? ''}`;
    options.note(`${where}: ${sent.ok ? String(sent.value.status) : `no answer (${sent.error.kind})`}`);
    if (sent.ok) options.budget.noteAnswer(request.target.authority, sent.value.status, sent.value.header);
    return sent;
  };

  /** Goes where the registry sends us, never with a login to another origin. */
  const follow = async (
    asked: {
      readonly ask: Ask;
      readonly method: 'HEAD' | 'GET';
      readonly path: string;
      readonly headers: Record<string, string | readonly string[]>;
    },
    first: WireReply,
    signal: AbortSignal,
  ): Promise<Result<Exchange, PullOutcome>> => {
    let reply = first;
    let at = new URL(`${scheme}://${endpoint.authority}${asked.path}`);
    const origin = at.origin;
    for (let hops = 0; REDIRECTS.has(reply.status); hops += 1) {
      const next = parseLocation(reply.header('location'), at);
      const proof = evidence(asked.method, asked.path, reply.status);
      reply.drop();
      if (next === undefined) {
        return err({ kind: 'registry-error', reason: 'it redirects without saying where', evidence: proof });
      }
      if (hops >= MAX_REDIRECTS) {
        return err({ kind: 'registry-error', reason: `it redirects more than ${MAX_REDIRECTS} times`, evidence: proof });
      }
      at = next;
      const { authorization: login, ...others } = asked.headers;
      const isOwn = at.origin === origin;
      const sent = await send(
        asked.method,
        {
          target: {
            scheme: at.protocol === 'http:' ? 'http' : 'https',
            authority: at.host,
            tls: endpoint.tls,
            dialTimeoutMs: endpoint.dialTimeoutMs,
          },
          path: `${at.pathname}${at.search}`,
          headers: isOwn && login !== undefined ? { ...others, authorization: login } : dropDeclared(others, endpoint, isOwn),
        },
        signal,
      );
      if (!sent.ok) {
        const failed = { ...evidence(asked.method, at.pathname), endpoint: at.origin };
        return err(outcomeOfFailure(sent.error, failed, at.host));
      }
      reply = sent.value;
    }
    const got = await answerOf(asked, reply, at, origin);
    if (got.answer.wasCut && signal.aborted) {
      return err(outcomeOfFailure({ kind: 'timeout', during: 'answer' }, got.answer.evidence, at.host));
    }
    return ok(got);
  };

  const answerOf = async (
    asked: { readonly ask: Ask; readonly method: 'HEAD' | 'GET'; readonly path: string },
    reply: WireReply,
    at: URL,
    origin: string,
  ): Promise<Exchange> => {
    const isGood = reply.status < 300;
    const limit = isGood ? asked.ask.maxBytes : MAX_ERROR_BYTES;
    const wantsBody = asked.method === 'GET' && limit > 0;
    const body = wantsBody
      ? await reply.read(limit)
      : { bytes: new Uint8Array(), isWhole: asked.method === 'HEAD', wasCut: false };
    if (!wantsBody && asked.method === 'GET' && asked.ask.maxBytes === 0) reply.drop();
    if (asked.method === 'HEAD') await reply.read(0).catch(() => undefined);
    const error = isGood ? { isRegistryError: false, code: undefined } : readErrorBody(body.bytes);
    const isElsewhere = at.origin !== origin;
    const proof = evidence(asked.method, asked.path, reply.status, error);
    return {
      reply,
      answer: {
        status: reply.status,
        header: reply.header,
        bytes: body.bytes,
        isWhole: body.isWhole,
        wasCut: body.wasCut,
        error,
        isElsewhere,
        evidence: isElsewhere ? { ...proof, endpoint: at.origin, path: at.pathname } : proof,
      },
    };
  };

  /** The login that a challenge asks for, found once however many requests wait for it. */
  const logIn = (challenges: readonly Challenge[], signal: AbortSignal): Promise<Result<Authorization, PullOutcome>> => {
    loginInFlight ??= findLogin(challenges, signal).finally(() => {
      loginInFlight = undefined;
    });
    return loginInFlight;
  };

  const findLogin = async (
    challenges: readonly Challenge[],
    signal: AbortSignal,
  ): Promise<Result<Authorization, PullOutcome>> => {
    const challenge = challenges[0];
    const proof = evidence('HEAD', `${endpoint.pathPrefix}/${endpoint.repository}`, 401);
    if (challenge === undefined) return err(denied('registry', proof));
    if (challenge.scheme === 'basic') {
      const hasBoth = (options.login?.username ?? '') !== '' && (options.login?.password ?? '') !== '';
      if (!hasBoth && options.style !== 'crio') return err(denied('registry', proof));
      return ok(options.login === undefined ? { kind: 'none' } : { kind: 'basic' });
    }
    const realmText = challenge.parameters.get('realm') ?? '';
    const realm = URL.parse(realmText);
    if (realm === null || (realm.protocol !== 'https:' && realm.protocol !== 'http:')) {
      const reason = realmText === '' ? 'its challenge names no realm' : 'its challenge names a realm that is no URL';
      return err({ kind: 'registry-error', reason, evidence: proof });
    }
    const login = options.login?.username === '' ? undefined : options.login;
    if (!mayAskRealm(options.realms, { scheme, authority: endpoint.authority }, realm, login !== undefined)) {
      return err({ kind: 'not-checked', reason: 'untrusted-realm', detail: realm.host });
    }
    const scopes = new Set([
      ...(challenge.parameters.get('scope') ?? '').split(' ').filter((one) => isOwnPullScope(one, endpoint.repository)),
      `repository:${endpoint.repository}:pull`,
    ]);
    options.countRequest();
    const token = await fetchToken(
      transport,
      {
        realm,
        service: challenge.parameters.get('service'),
        scopes: [...scopes].toSorted(),
        login,
        style: options.style,
        tls: endpoint.tls,
        dialTimeoutMs: endpoint.dialTimeoutMs,
      },
      options.note,
      signal,
    );
    if (token.ok) return ok({ kind: 'bearer', token: token.value });
    return err(tokenOutcome(token.error, realm, proof));
  };

  const denied = (by: 'registry' | 'token-service', proof: Evidence): PullOutcome => ({
    kind: 'access-denied',
    reason: options.identity.by === 'anonymous' ? 'no-credentials' : 'rejected',
    by,
    evidence: proof,
  });

  const tokenOutcome = (failure: TokenFailure, realm: URL, proof: Evidence): PullOutcome => {
    const atRealm: Evidence = { ...proof, endpoint: realm.origin, path: realm.pathname, method: 'GET', status: undefined };
    if (failure.kind === 'network') return outcomeOfFailure(failure.failure, atRealm, realm.host);
    if (failure.kind === 'redirected') return { kind: 'not-checked', reason: 'untrusted-realm', detail: realm.host };
    if (failure.kind === 'unreadable') return { kind: 'registry-error', reason: failure.reason, evidence: atRealm };
    const answered: Evidence = { ...atRealm, method: failure.method, status: failure.status, code: failure.code };
    if (failure.status === 401 || failure.status === 403) return denied('token-service', answered);
    if (failure.status === 429) return { kind: 'rate-limited', retryAfterSeconds: undefined, evidence: answered };
    return { kind: 'registry-error', reason: 'its token service failed', evidence: answered };
  };

  /** dockerd and containers/image learn from `GET /v2/` alone how to log in (pull-parity D2). */
  const ping = (signal: AbortSignal): Promise<Result<undefined, PullOutcome>> => {
    pinged ??= (async () => {
      const ask: Ask = { method: 'GET', resource: { kind: 'ping' }, maxBytes: 1024, retriesServerErrors: false };
      const pong = await exchange(ask, 'GET', signal);
      if (!pong.ok) return pong;
      const { answer, reply } = pong.value;
      const challenges = parseChallenges(reply.headerAll('www-authenticate'));
      if (answer.status === 401 && challenges.length > 0) {
        const login = await logIn(challenges, signal);
        if (!login.ok) return login;
        authorization = login.value;
      } else if (options.style === 'crio' && answer.status !== 200 && answer.status !== 401) {
        return err({ kind: 'registry-error', reason: 'its /v2/ answers neither 200 nor 401', evidence: answer.evidence });
      }
      return ok(undefined);
    })();
    return pinged;
  };

  const negotiate = async (ask: Ask, signal: AbortSignal): Promise<Result<Exchange, PullOutcome>> => {
    if (options.style !== 'containerd') {
      const pong = await ping(signal);
      if (!pong.ok) return pong;
    }
    let method = ask.method;
    let serverErrors = 0;
    let timeouts = 0;
    for (;;) {
      const sentWith = authorization;
      // each try hangs on the answer before
      // oxlint-disable-next-line no-await-in-loop
      const got = await exchange(ask, method, signal);
      if (!got.ok) return got;
      const { answer, reply } = got.value;
      if (answer.status === 401 && !answer.isElsewhere && options.style === 'containerd') {
        const challenges = parseChallenges(reply.headerAll('www-authenticate'));
        if (challenges.length === 0) return got;
        if (sentWith.kind !== 'none') return refusedAgain(challenges, answer, got);
        if (authorization.kind === 'none') {
          const login = await logIn(challenges, signal);
          if (!login.ok) return err(withAsked(login.error, answer.evidence));
          authorization = login.value;
        }
        continue;
      }
      if (answer.status === 405 && method === 'HEAD' && ask.resource.kind === 'manifest') {
        method = 'GET';
        continue;
      }
      if (answer.status === 408 && timeouts < MAX_TIMEOUT_RETRIES) {
        timeouts += 1;
        continue;
      }
      if (RETRIED.has(answer.status) && ask.retriesServerErrors && serverErrors === 0) {
        serverErrors += 1;
        continue;
      }
      return got;
    }
  };

  /** A second 401: with an `error` in the challenge it is the token's scope, else the login itself (pull-parity D3). */
  const refusedAgain = (
    challenges: readonly Challenge[],
    answer: Answer,
    got: Result<Exchange, PullOutcome>,
  ): Result<Exchange, PullOutcome> => {
    const bearer = challenges.find((one) => one.scheme === 'bearer');
    if (bearer?.parameters.get('error') === undefined) return got;
    return err({
      kind: 'access-denied',
      reason: options.identity.by === 'anonymous' ? 'no-credentials' : 'insufficient-scope',
      by: 'registry',
      evidence: answer.evidence,
    });
  };

  return {
    endpoint,
    identity: options.identity,
    ask: async (ask, signal) => {
      const key = JSON.stringify([ask.method, ask.resource, ask.maxBytes > 0]);
      const known = answers.get(key);
      if (known !== undefined) {
        const before = await known;
        // the runtime asks an endpoint that it meets twice again; only a server error may have passed since
        if (!(before.ok && RETRIED.has(before.value.status) && ask.retriesServerErrors)) return before;
      }
      const asked = negotiate(ask, signal).then((got): Result<Answer, PullOutcome> => (got.ok ? ok(got.value.answer) : got));
      answers.set(key, asked);
      return asked;
    },
    open: (ask, signal) => negotiate(ask, signal),
  };
}

/** What the registry was asked when it sent us for a login is better evidence than the login's own path. */
function withAsked(outcome: PullOutcome, asked: Evidence): PullOutcome {
  return outcome.kind === 'access-denied' && outcome.by === 'registry' ? { ...outcome, evidence: asked } : outcome;
}

function pathOf(endpoint: RegistryEndpoint, resource: Resource): string {
  const repository = `${endpoint.pathPrefix}/${endpoint.repository}`;
  const query = endpoint.namespace === undefined ? '' : `?ns=${encodeURIComponent(endpoint.namespace)}`;
  if (resource.kind === 'ping') return `${endpoint.pathPrefix}/`;
  if (resource.kind === 'manifest') return `${repository}/manifests/${resource.key}${query}`;
  if (resource.kind === 'blob') return `${repository}/blobs/${resource.digest}${query}`;
  return `${repository}/tags/list?n=${resource.limit}${query.replace('?', '&')}`;
}

function parseLocation(location: string | undefined, from: URL): URL | undefined {
  if (location === undefined || location.length > 16 * 1024) return undefined;
  const url = URL.parse(location, from.href);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url : undefined;
}

/** Headers that the settings declare for an endpoint may hold its secrets: they stay with it. */
function dropDeclared(
  headers: Record<string, string | readonly string[]>,
  endpoint: RegistryEndpoint,
  isOwn: boolean,
): Record<string, string | readonly string[]> {
  if (isOwn) return headers;
  const declared = new Set(Object.keys(endpoint.headers).map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !declared.has(name.toLowerCase())));
}

/** Whatever scope a challenge names, we ask for our own repository and for reading alone. */
function isOwnPullScope(scope: string, repository: string): boolean {
  return scope === `repository:${repository}:pull`;
}

/** When HTTPS may give way to HTTP: containerd's httpFallback (pull-parity E6); the others on any failure (E9, E11). */
function fallsBack(failure: NetworkFailure, style: ClientStyle, endpoint: RegistryEndpoint): boolean {
  if (failure.kind === 'blocked' || failure.kind === 'dns') return false;
  if (style !== 'containerd') return true;
  if (failure.kind === 'http-answer') return true;
  if (failure.kind === 'timeout' && failure.during === 'handshake') return true;
  const hasPort = splitAuthority(endpoint.authority, 0).port !== 0;
  return !hasPort && (failure.kind === 'refused' || (failure.kind === 'timeout' && failure.during === 'connect'));
}

/** Seconds that a 429 asks to wait. */
export function retryAfterOf(answer: Answer, nowMs: number): number | undefined {
  return retryAfterSeconds(answer.header('retry-after'), nowMs);
}
