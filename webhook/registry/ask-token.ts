import { err, ok, type Result } from '../image/result.ts';
import { targetAt } from './endpoint.ts';
import { followRedirects } from './redirect.ts';
import type { Purpose, Send } from './sender.ts';
import type { TokenFailure, TokenRequest } from './token.ts';
import type { WireReply, WireRequest } from './wire.ts';

/** Who answered, and to which method: a redirect may change both. */
export type Answered = { readonly reply: WireReply; readonly at: URL; readonly method: 'GET' | 'POST' };

/** Sends a question for a token, and goes where it is sent on to as Go's net/http does (pull-parity D5). */
export async function askToken(
  send: Send,
  first: TokenQuestion,
  request: TokenRequest,
  signal: AbortSignal,
  purpose: Purpose,
): Promise<Result<Answered, TokenFailure>> {
  let last = first;
  const reply = await send(first, signal, purpose);
  if (!reply.ok) return err({ kind: 'network', method: first.method, at: request.realm, failure: reply.error });
  let withheldFrom: URL | undefined;
  const arrived = await followRedirects({ reply: reply.value, at: request.realm }, async (at, isOwn, status) => {
    const next = sentOn(last, { at, isOwn, status }, request);
    if (next === undefined) {
      withheldFrom = at;
      return err({ kind: 'unsendable', reason: 'no login goes along' });
    }
    last = next;
    return send(next, signal, { ...purpose, from: 'redirect' });
  });
  const { method } = last;
  if (arrived.ok) return ok({ ...arrived.value, method });
  if (withheldFrom !== undefined) return err({ kind: 'redirected', method, at: request.realm, to: withheldFrom });
  return arrived.error.kind === 'network'
    ? err({ kind: 'network', method, at: arrived.error.at, failure: arrived.error.failure })
    : err({ kind: 'unreadable', method, at: request.realm, reason: REDIRECTS_BADLY[arrived.error.kind] });
}

const REDIRECTS_BADLY = Object.freeze({
  nowhere: 'its token service redirects without saying where',
  'too-many': 'its token service redirects in a circle',
} as const);

export type TokenQuestion = WireRequest & { readonly method: 'GET' | 'POST' };
type Onward = { readonly at: URL; readonly isOwn: boolean; readonly status: number };

/**
 * The request that Go's net/http sends on: 301 to 303 make a GET of a POST, without its body; 307 and 308 repeat it. To
 * another host it takes no Basic login along, but to a name below and to another port it does: `undefined` where a login
 * would come to another origin (design, rule 6).
 */
function sentOn(last: TokenQuestion, { at, isOwn, status }: Onward, request: TokenRequest): TokenQuestion | undefined {
  const next = { target: targetAt(request, at), path: `${at.pathname}${at.search}` };
  if (at.username !== '' || at.password !== '') return undefined;
  if (last.method === 'POST' && status <= 303) return { ...next, method: 'GET', headers: {} };
  if (isOwn) return { ...last, ...next };
  if (last.body !== undefined) return undefined;
  if (last.headers['authorization'] === undefined) return { ...last, ...next };
  const { hostname } = request.realm;
  const takesAlong = at.hostname === hostname || at.hostname.endsWith(`.${hostname}`);
  return takesAlong ? undefined : { ...next, method: 'GET', headers: {} };
}
