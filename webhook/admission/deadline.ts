/** The time that one review has. */
export type Deadline = {
  /** Aborts a little before `ended`, so that whoever listens can still say what it knows. */
  readonly signal: AbortSignal;
  /** Resolves when the time is over, or when nobody waits for the answer any more. Never rejects. */
  readonly ended: Promise<void>;
  /** For the owner, when every answer is there: the time no longer runs, and nothing is aborted. */
  end(): void;
};

/** What a prediction has between the abort and the end: enough to put an answer together, not to ask again. */
const LAST_WORD_MS = 100;

/**
 * Milliseconds for one review: the policy's, but below the API server's own time by a quarter and, where it gives two
 * seconds or more, by one second at least: it rounds the `?timeout=` that it sends up to whole seconds.
 */
export function reviewBudgetMs(reviewMs: number, timeoutMs: number | undefined): number {
  if (timeoutMs === undefined) return reviewMs;
  const margin = Math.max(timeoutMs / 4, Math.min(1000, timeoutMs / 2));
  return Math.min(reviewMs, timeoutMs - margin);
}

export function startDeadline(budgetMs: number, caller: AbortSignal): Deadline {
  const asking = new AbortController();
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const lastWordMs = Math.min(LAST_WORD_MS, budgetMs / 4);
  const stopAsking = (): void => asking.abort(new DOMException('the time for this review is over', 'TimeoutError'));
  const stop = (): void => {
    stopAsking();
    resolve();
  };
  let timer = setTimeout(() => {
    stopAsking();
    timer = setTimeout(stop, lastWordMs);
  }, budgetMs - lastWordMs);
  if (caller.aborted) stop();
  else caller.addEventListener('abort', stop, { once: true });
  return {
    signal: asking.signal,
    ended,
    end: () => {
      clearTimeout(timer);
      caller.removeEventListener('abort', stop);
    },
  };
}
