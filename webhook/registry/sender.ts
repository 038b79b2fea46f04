import { err } from '../image/result.ts';
import type { Budget } from './budget.ts';
import type { SendRequest, WireRequest } from './wire.ts';

export type SenderOptions = {
  readonly send: SendRequest;
  readonly budget: Budget;
  readonly countRequest: () => void;
  /** Hears of each request and what came of it: never its query, its headers or its body. */
  readonly note: (text: string) => void;
};

/** Sends a request; `purpose` completes what is noted of it: ` for a token`. */
export type Send = (...request: [...Parameters<SendRequest>, purpose?: string]) => ReturnType<SendRequest>;

/**
 * The one way out to registries and token services: counted, noted, within the budget, and not at all where a 429 came
 * from a moment ago (design, rule 9). Where a server closed a connection that it had kept open, a GET or HEAD is sent
 * once more, as Go's net/http does.
 */
export function createSender({ send, budget, countRequest, note }: SenderOptions): Send {
  const sendOnce = async (request: WireRequest, signal: AbortSignal, purpose: string): ReturnType<SendRequest> => {
    const { method, target, path } = request;
    const restMs = budget.restMs(target.authority);
    if (restMs > 0) {
      note(`${target.authority} answered 429 a moment ago and is left alone`);
      return err({ kind: 'resting', restMs });
    }
    countRequest();
    budget.noteRequest(target.authority);
    const sent = await send(request, signal);
    const where = `${method} ${target.scheme}://${target.authority}${path.split('?', 1)[0] ?? ''}${purpose}`;
    note(`${where}: ${sent.ok ? String(sent.value.status) : `no answer (${sent.error.kind})`}`);
    if (sent.ok) budget.noteAnswer(target.authority, sent.value.status, sent.value.header);
    return sent;
  };
  return async (request, signal, purpose = '') => {
    const sent = await sendOnce(request, signal, purpose);
    if (sent.ok || sent.error.kind !== 'reset' || !sent.error.wasKeptAlive) return sent;
    return request.method === 'POST' || signal.aborted ? sent : sendOnce(request, signal, purpose);
  };
}
