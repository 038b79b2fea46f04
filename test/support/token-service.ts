import { randomBytes } from 'node:crypto';
import { errorAnswer, jsonAnswer, type Answer } from '../../webhook/demo/answer.ts';
import { serveAnswers, type LoopbackServer, type ServerOptions } from '../../webhook/demo/loopback-server.ts';
import type { Question } from '../../webhook/demo/question.ts';
import type { Bend } from '../../webhook/demo/registry.ts';
import { createRequestLog, type RequestLog } from './request-log.ts';

export type TokenServiceOptions = ServerOptions & {
  /** Passwords by user. */
  readonly logins?: Readonly<Record<string, string>>;
  /** Whether a GET without a login gets a token. Default true. */
  readonly isAnonymousAllowed?: boolean;
  /** Whose token is good for which repository; `user` is `undefined` for anonymous. Default: everybody for all. */
  readonly mayPull?: (user: string | undefined, repository: string) => boolean;
  /** What a request for a refused repository gets: a token without it (Docker Hub), or a 403 (ghcr). */
  readonly onRefusal?: 'token-without-access' | 'denied';
  /** Methods other than these get 405. Default both. */
  readonly methods?: readonly ('GET' | 'POST')[];
  /** The member of a GET's answer that carries the token; a POST's is always `access_token`. Default `token`. */
  readonly field?: 'token' | 'access_token';
  /** Seconds. Default 300; `undefined` leaves `expires_in` out, which means 60. */
  readonly expiresIn?: number | undefined;
  readonly service?: string;
  readonly now?: () => number;
  /** Applied to the token answers: silence, errors, other bodies. */
  readonly bends?: readonly Bend[];
};

/** A token server as the distribution project describes it (Docker Registry v2 authentication, token and OAuth2). */
export interface TokenService extends LoopbackServer {
  readonly realm: string;
  readonly log: RequestLog;
  /** How many tokens were given out. */
  readonly issuedCount: number;
  /** Makes a registry ask for this service's tokens. */
  readonly bearerAuth: Bend;
}

type Grant = { readonly repositories: ReadonlySet<string>; readonly expiresAtMs: number };

export async function startTokenService(options: TokenServiceOptions = {}): Promise<TokenService> {
  const { service = 'test-registry', now = Date.now, bends = [] } = options;
  const log = createRequestLog();
  const grants = new Map<string, Grant>();
  const issue = (repositories: ReadonlySet<string>): string => {
    const token = randomBytes(16).toString('hex');
    grants.set(token, {
      repositories,
      expiresAtMs: now() + ('expiresIn' in options ? (options.expiresIn ?? 60) : 300) * 1000,
    });
    return token;
  };
  const server = await serveAnswers(options, async (question) => {
    log.record(question);
    let answer = tokenAnswer(question, options, issue);
    // oxlint-disable-next-line no-await-in-loop -- each bend builds on the one before it
    for (const bend of bends) answer = await bend(question, answer);
    return answer;
  });
  const realm = `${server.origin}/token`;
  return {
    ...server,
    realm,
    log,
    get issuedCount() {
      return grants.size;
    },
    bearerAuth: ({ headers, route }, answer) => {
      const token = /^Bearer (?<token>.+)$/iu.exec(headers.authorization ?? '')?.groups?.['token'];
      const grant = grants.get(token ?? '');
      const repository = 'repository' in route ? route.repository : undefined;
      const isLive = grant !== undefined && grant.expiresAtMs > now();
      if (isLive && (repository === undefined || grant.repositories.has(repository))) return answer;
      const scope = repository === undefined ? '' : `,scope="repository:${repository}:pull"`;
      const reason = token === undefined ? '' : `,error="${isLive ? 'insufficient_scope' : 'invalid_token'}"`;
      return errorAnswer(401, 'UNAUTHORIZED', {
        'www-authenticate': `Bearer realm="${realm}",service="${service}"${scope}${reason}`,
      });
    },
  };
}

function tokenAnswer(
  question: Question,
  options: TokenServiceOptions,
  issue: (repositories: ReadonlySet<string>) => string,
): Answer {
  const { logins = {}, isAnonymousAllowed = true, mayPull = () => true, methods = ['GET', 'POST'] } = options;
  const isPost = question.method === 'POST';
  if (!methods.some((method) => method === question.method)) return errorAnswer(405, 'UNSUPPORTED');
  const form = isPost ? new URLSearchParams(question.body) : question.url.searchParams;
  const login = isPost ? formLogin(form) : basicLogin(question.headers.authorization);
  const isKnown = login !== undefined && Object.hasOwn(logins, login.user) && logins[login.user] === login.password;
  if (login === undefined ? isPost || !isAnonymousAllowed : !isKnown) return errorAnswer(401, 'UNAUTHORIZED');

  const asked = pulledRepositories(form.getAll('scope'));
  const granted = asked.filter((repository) => mayPull(login?.user, repository));
  if (granted.length < asked.length && options.onRefusal === 'denied') return errorAnswer(403, 'DENIED');
  const token = issue(new Set(granted));
  const expiry = 'expiresIn' in options ? { expires_in: options.expiresIn } : { expires_in: 300 };
  return jsonAnswer(200, { [isPost ? 'access_token' : (options.field ?? 'token')]: token, ...expiry });
}

type Login = { readonly user: string; readonly password: string };

function basicLogin(header: string | undefined): Login | undefined {
  if (header === undefined) return undefined;
  const text = Buffer.from(header.replace(/^Basic /iu, ''), 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function formLogin(form: URLSearchParams): Login | undefined {
  const user = form.get('username');
  return user === null ? undefined : { user, password: form.get('password') ?? '' };
}

/** The repositories of `repository:NAME:ACTIONS` scopes that ask for pull; several scopes may share one parameter. */
function pulledRepositories(scopes: readonly string[]): readonly string[] {
  return scopes
    .flatMap((scope) => scope.split(' '))
    .map((scope) => /^repository:(?<name>[^:]+):(?<actions>.+)$/u.exec(scope)?.groups)
    .filter((groups) => groups?.['actions']?.split(',').includes('pull') === true)
    .map((groups) => groups?.['name'] ?? '');
}
