import { err } from '../image/result.ts';
import type { Identity } from '../outcome/outcome.ts';
import { field } from '../outcome/printable.ts';
import type { Budget } from './budget.ts';
import { curlCommand, maskedPath, type CurlFacts, type UrlOrigin } from './curl.ts';
import type { SendRequest, WireRequest } from './wire.ts';

export type SenderOptions = {
  readonly send: SendRequest;
  readonly budget: Budget;
  readonly countRequest: () => void;
  /** Hears of each request and what came of it. */
  readonly note: Note;
  /** What it takes to repeat a request; nothing of that is told where it is absent. */
  readonly facts?: CurlFacts & { readonly identity: Identity };
};

/**
 * Takes down a step in words, and the command that repeats it where there is one: never a secret, nor a value of a query
 * that may be one.
 */
export type Note = (text: string, command?: () => string) => void;

/** Why a request is sent: `text` completes what is noted of it, ` for a token`. */
export type Purpose = { readonly text: string; readonly from?: UrlOrigin };

export type Send = (...request: [...Parameters<SendRequest>, purpose?: Purpose]) => ReturnType<SendRequest>;

const PLAIN: Purpose = Object.freeze({ text: '' });

/**
 * The one way out to registries and token services: counted, noted, within the budget, and not at all where a 429 came
 * from a moment ago (design, rule 9). Where a server closed a connection that it had kept open, a GET or HEAD is sent
 * once more, as Go's net/http does.
 */
export function createSender({ send, budget, countRequest, note, facts }: SenderOptions): Send {
  const sendOnce = async (request: WireRequest, signal: AbortSignal, purpose: Purpose): ReturnType<SendRequest> => {
    const { method, target, path } = request;
    const restMs = budget.restMs(target.authority);
    if (restMs > 0) {
      note(`${target.authority} answered 429 a moment ago and is left alone`);
      return err({ kind: 'resting', restMs });
    }
    countRequest();
    budget.noteRequest(target.authority);
    const sent = await send(request, signal);
    const url = `${target.scheme}://${target.authority}${maskedPath(path, purpose.from)}`;
    const who = facts === undefined ? '' : loginIn(request, facts);
    note(
      `${method} ${field(url, MAX_URL)}${purpose.text}${who}: ${sent.ok ? String(sent.value.status) : `no answer (${sent.error.kind})`}`,
      facts === undefined ? undefined : () => curlCommand(request, facts, purpose.from),
    );
    if (sent.ok) budget.noteAnswer(target.authority, sent.value.status, sent.value.header);
    return sent;
  };
  return async (request, signal, purpose = PLAIN) => {
    const sent = await sendOnce(request, signal, purpose);
    if (sent.ok || sent.error.kind !== 'reset' || !sent.error.wasKeptAlive) return sent;
    return request.method === 'POST' || signal.aborted ? sent : sendOnce(request, signal, purpose);
  };
}

const MAX_URL = 600;

/** Whose login goes along, by the names of secret and entry. */
function loginIn({ headers, body }: WireRequest, { identity }: { readonly identity: Identity }): string {
  const { authorization } = headers;
  if (typeof authorization === 'string' && authorization.startsWith('Bearer ')) return ', with the token';
  const hasLogin = body !== undefined || typeof authorization === 'string';
  if (!hasLogin || identity.by === 'anonymous') return '';
  return `, with the login of pull secret "${field(identity.secret, 64)}", entry "${field(identity.key, 96)}"`;
}
