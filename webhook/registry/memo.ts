import type { Result } from '../image/result.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import type { Answer, Ask } from './answer.ts';

type Answered = Result<Answer, PullOutcome>;

/** What one identity asked one endpoint, and what came of it: nothing is asked twice without need. */
export type Memo = { readonly get: (ask: Ask, load: () => Promise<Answered>) => Promise<Answered> };

/** After these the same question may find another answer (pull-parity D8). */
export const SERVER_ERRORS: ReadonlySet<number> = new Set([500, 503, 504]);

export function createMemo(): Memo {
  const known = new Map<string, Promise<Answered>>();
  return {
    get: async (ask, load) => {
      const key = JSON.stringify([ask.method, ask.resource, ask.range, ask.isRepeated]);
      const before = known.get(key);
      if (before !== undefined && serves(await before, ask)) return before;
      // somebody else may have asked again in the meantime
      const now = known.get(key);
      if (now !== undefined && now !== before) return now;
      const asked = load();
      known.set(key, asked);
      return asked;
    },
  };
}

/** The runtime asks again an endpoint that it meets twice: only a server error may have passed since. */
function serves(before: Answered, ask: Ask): boolean {
  if (!before.ok) return true;
  const { status, bytes, isWhole, wasCut } = before.value;
  if (SERVER_ERRORS.has(status)) return !ask.retriesServerErrors;
  return status >= 300 || isWhole || wasCut || bytes.length >= ask.maxBytes;
}
