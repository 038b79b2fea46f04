import type { Bend } from '../../../webhook/demo/registry.ts';
import { only, type Match } from '../../support/bend.ts';

/** Far less than a kubelet waits between two tries, and more than one pull of these tests takes between requests. */
export const PAUSE_MS = 5_000;

/** Bends the first requests after each pause: every pull meets them, the engine's as well as each try of the node's. */
export function firstOfBurst(match: Match, bend: Bend, times = 1): Bend {
  let lastMs = -Infinity;
  let seen = 0;
  return only(match, (question, answer) => {
    const nowMs = Date.now();
    seen = nowMs - lastMs > PAUSE_MS ? 1 : seen + 1;
    lastMs = nowMs;
    return seen <= times ? bend(question, answer) : answer;
  });
}
