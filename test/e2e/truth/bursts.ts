import type { Bend } from '../../../webhook/demo/registry.ts';
import { only, type Match } from '../../support/bend.ts';

/** Far less than a kubelet waits between two tries, and more than one pull of these tests takes between requests. */
export const PAUSE_MS = 5_000;

/** Bends the first request after each pause: every pull meets it once, the engine's as well as each try of the node's. */
export function firstOfBurst(match: Match, bend: Bend): Bend {
  let lastMs = -Infinity;
  return only(match, (question, answer) => {
    const nowMs = Date.now();
    const isFirst = nowMs - lastMs > PAUSE_MS;
    lastMs = nowMs;
    return isFirst ? bend(question, answer) : answer;
  });
}
