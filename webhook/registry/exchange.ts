import { err, ok, type Result } from '../image/result.ts';
import type { Evidence, Identity, PullOutcome } from '../outcome/outcome.ts';
import { answerOf, readBody, type Answer, type BodyUse } from './answer.ts';
import { splitAuthority } from './authority.ts';
import { decoded, isOddlyTransferred } from './encoding.ts';
import { pathOf, targetAt, type RegistryEndpoint, type Resource } from './endpoint.ts';
import type { NetworkFailure } from './failure.ts';
import { outcomeOfFailure } from './failure-outcome.ts';
import { followRedirects, headersElsewhere, MAX_REQUESTS, type Hop, type RedirectFailure } from './redirect.ts';
import type { Note, Send } from './sender.ts';
import type { ClientStyle } from './token.ts';
import type { WireHeaders, WireReply } from './wire.ts';

export type ExchangeOptions = {
  readonly endpoint: RegistryEndpoint;
  readonly identity: Identity;
  readonly style: ClientStyle;
  readonly send: Send;
  readonly note: Note;
};

export type Question = {
  readonly method: 'HEAD' | 'GET';
  readonly resource: Resource;
  readonly body: BodyUse;
  /** The login and whatever else belongs to this question alone. */
  readonly headers: WireHeaders;
};

/** An answer, and the reply behind it for reading headers that repeat and bodies that are streamed. */
export type Exchanged = { readonly answer: Answer; readonly reply: WireReply };

export type Exchange = {
  /** One request with its redirects. */
  readonly ask: (question: Question, signal: AbortSignal) => Promise<Result<Exchanged, PullOutcome>>;
  /** What is spoken with the endpoint: `http` once HTTPS gave way to it. */
  readonly scheme: () => 'http' | 'https';
};

/** Asks one endpoint; over HTTP where HTTPS fails and the endpoint may fall back (pull-parity E6, E9, E11). */
export function createExchange(options: ExchangeOptions): Exchange {
  const { endpoint, send } = options;
  let scheme: 'http' | 'https' = endpoint.scheme === 'http' ? 'http' : 'https';
  let mayFallBack = endpoint.scheme === 'https-then-http';

  const evidence = (method: Evidence['method'], origin: string, path: string): Evidence => ({
    endpoint: origin,
    method,
    path,
    status: undefined,
    code: undefined,
    askedAs: options.identity,
    declaredBy: endpoint.declaredBy,
  });

  const ask = async (question: Question, signal: AbortSignal): Promise<Result<Exchanged, PullOutcome>> => {
    const { method, resource } = question;
    const { authority, tls, dialTimeoutMs } = endpoint;
    const tried = scheme;
    const path = pathOf(endpoint, resource);
    const accept = resource.kind === 'manifest' ? resource.accept : '*/*';
    const headers = joinHeaders(endpoint.headers, { accept, ...question.headers });
    const sent = await send(
      { method, target: { scheme: tried, authority, tls, dialTimeoutMs }, path, headers },
      signal,
    );
    if (!sent.ok) {
      const hasGivenWay = tried === 'https' && scheme === 'http'; // while this request was on its way
      if (hasGivenWay || (mayFallBack && fallsBack(sent.error, options.style, authority))) {
        if (!hasGivenWay) options.note(`HTTPS failed (${sent.error.kind}): the settings allow plain HTTP here`);
        scheme = 'http';
        mayFallBack = false;
        return ask(question, signal);
      }
      const origin = `${tried}://${authority}`;
      return err(outcomeOfFailure(sent.error, evidence(method, origin, bare(path)), authority));
    }
    mayFallBack = false;
    return arrive(question, sent.value, { origin: `${tried}://${authority}`, path: bare(path), headers }, signal);
  };

  const arrive = async (
    question: Question,
    first: WireReply,
    asked: { readonly origin: string; readonly path: string; readonly headers: WireHeaders },
    signal: AbortSignal,
  ): Promise<Result<Exchanged, PullOutcome>> => {
    const { method } = question;
    const hop: Hop = (at, isOwn) => {
      const headers = isOwn ? asked.headers : headersElsewhere(asked.headers, endpoint.headers);
      const request = { method, target: targetAt(endpoint, at), path: `${at.pathname}${at.search}`, headers };
      return send(request, signal, { text: ', where it is redirected to', from: 'redirect' });
    };
    const own = new URL(`${asked.origin}${asked.path}`);
    const proof = evidence(method, asked.origin, asked.path);
    const arrived = await followRedirects({ reply: first, at: own }, hop);
    if (!arrived.ok) return err(redirectOutcome(arrived.error, proof));
    const { at } = arrived.value;
    const isElsewhere = at.origin !== own.origin;
    const seenAt = isElsewhere ? sentOn(proof, at) : proof;
    const reply = asContent(arrived.value.reply, method, options.style, signal);
    if (reply === undefined) {
      arrived.value.reply.drop();
      const reason = 'it answers in an encoding that was not asked for';
      return err({ kind: 'registry-error', reason, evidence: { ...seenAt, status: arrived.value.reply.status } });
    }
    const body = await readBody(reply, method, question.body);
    if (body.ending === 'timeout' || (body.ending === 'cut' && signal.aborted)) {
      const failure: NetworkFailure = { kind: 'timeout', during: 'answer' };
      return err(
        outcomeOfFailure(failure, { ...seenAt, status: reply.status }, isElsewhere ? at.host : endpoint.authority),
      );
    }
    const answer = answerOf(reply, body, seenAt, { isElsewhere, isLoggedIn: !isElsewhere && hasLogin(asked.headers) });
    if (answer.status >= 400 && method !== 'HEAD') options.note(saidBy(answer));
    return ok({ reply, answer });
  };

  return { ask, scheme: () => scheme };
}

/**
 * We ask for content as it is. What comes encoded all the same containerd decodes, and HEAD has nothing to decode;
 * `undefined` for what proves nothing, as its digest and its length are others.
 */
function asContent(
  reply: WireReply,
  method: Evidence['method'],
  style: ClientStyle,
  signal: AbortSignal,
): WireReply | undefined {
  if (reply.status >= 300) return reply;
  if (isOddlyTransferred(reply)) return undefined;
  if (method === 'HEAD') return reply;
  const content = decoded(reply, signal);
  return content === reply || style === 'containerd' ? content : undefined;
}

/** What an error body tells, in the registry's own code. */
function saidBy({ error }: Answer): string {
  if (!error.isRegistryError) return 'its body is not the error document of a registry';
  return error.code === undefined
    ? 'its error code is none that the specification lists'
    : `its error code: ${error.code}`;
}

const hasLogin = (headers: WireHeaders): boolean =>
  Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');

const bare = (path: string): string => path.split('?', 1)[0] ?? path;

/** Go has them from the address, and containerd names itself first: what the settings declare of them goes nowhere. */
const NEVER_DECLARED: readonly string[] = ['host', 'user-agent'];

/** Names differ in case, headers do not: a login takes the place of one that the settings declare. */
function joinHeaders(declared: WireHeaders, ours: WireHeaders): WireHeaders {
  const names = new Set([...NEVER_DECLARED, ...Object.keys(ours).map((name) => name.toLowerCase())]);
  return {
    ...Object.fromEntries(Object.entries(declared).filter(([name]) => !names.has(name.toLowerCase()))),
    ...ours,
  };
}

/** Of a request to where a redirect leads. */
function sentOn(proof: Evidence, at: URL): Evidence {
  const seenAt = { ...proof, endpoint: at.origin, path: at.pathname };
  return at.origin === proof.endpoint ? seenAt : { ...seenAt, askedAs: { by: 'anonymous' }, sentBy: proof.endpoint };
}

function redirectOutcome(failure: RedirectFailure, proof: Evidence): PullOutcome {
  if (failure.kind === 'network') {
    const { at } = failure;
    return outcomeOfFailure(failure.failure, sentOn(proof, at), at.host);
  }
  const reason =
    failure.kind === 'nowhere'
      ? 'it redirects without saying where'
      : `it redirects more than ${MAX_REQUESTS - 1} times`;
  return { kind: 'registry-error', reason, evidence: { ...proof, status: failure.status } };
}

/** HTTP would meet the same. */
const NEVER_FALLS_BACK: ReadonlySet<NetworkFailure['kind']> = new Set(['blocked', 'dns', 'resting', 'unsendable']);

/** When HTTPS may give way to HTTP: containerd's httpFallback (pull-parity E6); the others on any failure (E9, E11). */
function fallsBack(failure: NetworkFailure, style: ClientStyle, authority: string): boolean {
  if (NEVER_FALLS_BACK.has(failure.kind)) return false;
  if (style !== 'containerd') return true;
  if (failure.kind === 'http-answer') return true;
  if (failure.kind === 'timeout' && failure.during === 'handshake') return true;
  const hasPort = splitAuthority(authority, 0).port !== 0;
  return !hasPort && (failure.kind === 'refused' || (failure.kind === 'timeout' && failure.during === 'connect'));
}
