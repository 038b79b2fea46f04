import { setTimeout as sleep } from 'node:timers/promises';
import type { Bend } from '../../webhook/demo/registry.ts';

/** When a question came and when it was answered, in monotonic milliseconds. */
export type Span = { readonly from: number; readonly to: number };

/** How long a server takes for an answer, and what that shows of its clients. */
export type Pace = {
  readonly bend: Bend;
  /** How long every answer takes from now on, as over a network. */
  readonly slowDown: (delayMs: number) => void;
  /** The most questions that were being answered at one moment since the last `reset`. */
  readonly mostAtOnce: () => number;
  /** Every question since the last `reset`. */
  readonly spans: () => readonly Span[];
  readonly reset: () => void;
};

export function createPace(): Pace {
  let delayMs = 0;
  let now = 0;
  let most = 0;
  const spans: Span[] = [];
  return {
    bend: async (_question, answer) => {
      const from = performance.now();
      now += 1;
      most = Math.max(most, now);
      if (delayMs > 0) await sleep(delayMs);
      now -= 1;
      spans.push({ from, to: performance.now() });
      return answer;
    },
    slowDown: (milliseconds) => {
      delayMs = milliseconds;
    },
    mostAtOnce: () => most,
    spans: () => spans,
    reset: () => {
      spans.length = 0;
      most = 0;
    },
  };
}

/** How many questions followed one upon the other: the longest chain in which each came after the one before was answered. */
export function countRounds(spans: readonly Span[]): number {
  const chains: { readonly to: number; readonly length: number }[] = [];
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const before = chains.filter((chain) => chain.to <= from).map(({ length }) => length);
    chains.push({ to, length: Math.max(0, ...before) + 1 });
  }
  return Math.max(0, ...chains.map(({ length }) => length));
}
