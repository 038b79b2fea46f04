import { err, ok, type Result } from '../image/result.ts';
import type { Identity, PullOutcome } from '../outcome/outcome.ts';
import { retryAfterOf, type Answer, type Ask, type BodyUse } from './answer.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import type { Exchange, Exchanged } from './exchange.ts';
import { authorizationHeader, type Authorization, type LogIn } from './login.ts';
import { SERVER_ERRORS } from './memo.ts';
import type { ClientStyle } from './token.ts';

export type ConversationOptions = {
  readonly exchange: Exchange;
  readonly logIn: LogIn;
  readonly style: ClientStyle;
  readonly identity: Identity;
  /** Monotonic milliseconds. */
  readonly now: () => number;
};

/** Asks until there is an answer to go by: with a login where one is wanted, and again where a runtime would. */
export type Converse = (ask: Ask, body: BodyUse, signal: AbortSignal) => Promise<Result<Exchanged, PullOutcome>>;

/**
 * containerd logs in when the resource itself asks for it; dockerd and containers/image learn from `GET /v2/` alone how
 * to log in, and a later 401 is final (pull-parity D2).
 */
export function createConversation({ exchange, logIn, style, identity, now }: ConversationOptions): Converse {
  let authorization: Authorization = { kind: 'none' };
  /** Those that were not refused everywhere. */
  const served = new WeakSet<Authorization>();
  let pinged: Promise<Result<undefined, PullOutcome>> | undefined;
  /** dockerd goes on without a login where its ping failed, and we where it would log in elsewhere: no refusal is proof. */
  let failedPing: PullOutcome | undefined;

  const ping = async (signal: AbortSignal): Promise<Result<undefined, PullOutcome>> => {
    const body: BodyUse = { kind: 'read', maxBytes: MAX_PING_BYTES };
    const pong = await exchange.ask({ method: 'GET', resource: { kind: 'ping' }, body, headers: {} }, signal);
    if (!pong.ok) return pong;
    const { answer } = pong.value;
    const challenges = challengesOf(pong.value, style);
    if (answer.status === 401 && !answer.isElsewhere && challenges.length > 0) {
      // dockerd answers all, Bearer before Basic, and sends what the last one took (distribution `endpointAuthorizer`)
      for (const one of style === 'docker' ? challenges.map((challenge) => [challenge]) : [challenges]) {
        // the first that cannot be answered ends it
        // oxlint-disable-next-line no-await-in-loop
        const login = await logIn(one, answer.evidence, signal);
        if (!login.ok) return login;
        authorization = login.value;
      }
    } else if (style === 'crio' && answer.status === 401 && answer.isElsewhere) {
      // it would log in where that other origin says: our logins follow no redirect (design, rule 6)
      return err({ kind: 'not-checked', reason: 'untrusted-realm', detail: new URL(answer.evidence.endpoint).host });
    } else if (style === 'crio' && answer.status !== 200 && answer.status !== 401) {
      return err(pingFailure(answer, 'its /v2/ answers neither 200 nor 401'));
    } else if (answer.status === 401 && answer.isElsewhere) {
      failedPing = { kind: 'not-checked', reason: 'untrusted-realm', detail: new URL(answer.evidence.endpoint).host };
    } else if (answer.status === 429 || answer.status >= 500) {
      failedPing = pingFailure(answer, 'its /v2/ fails');
    }
    return ok(undefined);
  };

  return async (ask, body, signal) => {
    if (style !== 'containerd') {
      pinged ??= ping(signal);
      const pong = await pinged;
      if (!pong.ok) return pong;
    }
    const wantsRetry = createRetries(ask, style);
    let { method } = ask;
    let hasLoggedIn = false;
    for (;;) {
      const sentWith = authorization;
      const headers = { ...authorizationHeader(sentWith), ...rangeHeader(ask) };
      // each try hangs on the answer before
      // oxlint-disable-next-line no-await-in-loop
      const got = await exchange.ask({ method, resource: ask.resource, body, headers }, signal);
      if (!got.ok) return got;
      const { answer } = got.value;
      const isAskedAgain = wantsRetry(answer);
      if (answer.status !== 401) served.add(sentWith);
      if (failedPing !== undefined && REFUSALS.has(answer.status)) return err(failedPing);
      if (answer.status === 401 && !answer.isElsewhere) {
        const challenges = challengesOf(got.value, style);
        const refused = { style, sentWith, hasServed: served.has(sentWith), nowMs: now() };
        if (sentWith.kind !== 'none' && (hasLoggedIn || !logsInAgain(challenges, refused))) {
          return refusedAgain(challenges, answer, identity) ?? got;
        }
        if ((style !== 'containerd' && sentWith.kind === 'none') || challenges.length === 0) return got;
        // oxlint-disable-next-line no-await-in-loop
        const login = await logIn(challenges, answer.evidence, signal, sentWith);
        if (!login.ok) return login;
        if (login.value.kind === 'none') return got;
        hasLoggedIn = true;
        authorization = login.value;
      } else if (answer.status === 405 && method === 'HEAD' && ask.resource.kind === 'manifest') {
        method = 'GET';
      } else if (!isAskedAgain) {
        return got;
      }
    }
  };
}

/** What a registry says to whoever has no login, or not enough of one. */
const REFUSALS: ReadonlySet<number> = new Set([401, 403, 404]);

/** `{}` is what most registries say. */
const MAX_PING_BYTES = 1024;

/** Who is told to wait is told so, and for how long. */
function pingFailure(answer: Answer, reason: string): PullOutcome {
  const { evidence, status } = answer;
  return status === 429
    ? { kind: 'rate-limited', retryAfterSeconds: retryAfterOf(answer, Date.now()), evidence }
    : { kind: 'registry-error', reason, evidence };
}

function challengesOf({ reply }: Exchanged, style: ClientStyle): readonly Challenge[] {
  return parseChallenges(reply.headerAll('www-authenticate'), style);
}

function rangeHeader({ range }: Ask): Readonly<Record<string, string>> {
  return range === undefined ? {} : { range: `bytes=${range.from}-` };
}

/** containerd takes so many answers for one question (docker resolver `retryRequest`). */
const MAX_ANSWERS = 6;

/**
 * Whether a question is asked again after an answer: on 408 as often as containerd does, which other runtimes hardly
 * do; after a server error unless the answer before was the same one; and once where a body broke off (pull-parity D8).
 */
function createRetries(ask: Ask, style: ClientStyle): (answer: Answer) => boolean {
  const statuses: number[] = [];
  const left = { timeouts: style === 'containerd' ? MAX_ANSWERS : 1, cuts: 1 };
  return ({ status, wasCut }) => {
    const before = statuses.at(-1);
    statuses.push(status);
    if (status < 300 && wasCut) return left.cuts-- > 0;
    if (statuses.length >= MAX_ANSWERS) return false;
    if (status === 408) return left.timeouts-- > 0;
    return SERVER_ERRORS.has(status) && ask.retriesServerErrors && before !== status;
  };
}

/**
 * Whether the refusal of a login that was good for another question is not the last word: containerd asks for a new
 * token where the challenge says what is wrong with it, where it has run out, and where it is a Basic login that is asked
 * for (docker authorizer `AddResponses`); containers/image where the challenge names a scope that it lacks.
 */
function logsInAgain([challenge]: readonly Challenge[], { style, sentWith, hasServed, nowMs }: Refused): boolean {
  if (challenge === undefined || sentWith.kind !== 'bearer' || style === 'docker') return false;
  const reason = challenge.parameters.get('error') ?? '';
  if (style === 'crio') return reason === 'insufficient_scope' && challenge.parameters.has('scope');
  if (!hasServed) return false;
  return challenge.scheme === 'basic' || reason !== '' || nowMs >= (sentWith.expiresAtMs ?? Infinity);
}

type Refused = {
  readonly style: ClientStyle;
  readonly sentWith: Authorization;
  /** It was good for another question. */
  readonly hasServed: boolean;
  readonly nowMs: number;
};

/** A second 401: with an `error` in the challenge it is the token's scope, else the login itself (pull-parity D3). */
function refusedAgain(
  challenges: readonly Challenge[],
  answer: Answer,
  identity: Identity,
): Result<never, PullOutcome> | undefined {
  const bearer = challenges.find((one) => one.scheme === 'bearer');
  if (bearer?.parameters.get('error') === undefined) return undefined;
  return err({
    kind: 'access-denied',
    reason: identity.by === 'anonymous' ? 'no-credentials' : 'insufficient-scope',
    by: 'registry',
    evidence: answer.evidence,
  });
}
