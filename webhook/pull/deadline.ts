import type { Prediction } from '../outcome/prediction.ts';

/**
 * Waits for an answer as long as `signal` lets it; then it is what `known` has by that time, or that it was not there.
 * Whoever makes the answer goes on.
 */
export async function untilAborted(
  answer: Promise<Prediction>,
  signal: AbortSignal,
  known: () => Prediction | undefined = () => undefined,
): Promise<Prediction> {
  const { promise, resolve } = Promise.withResolvers<Prediction>();
  const onAbort = (): void => resolve(known() ?? LATE);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([answer, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** What is known when the time is over. */
export const LATE: Prediction = {
  outcome: { kind: 'not-checked', reason: 'deadline', detail: 'the registry had not answered in time' },
  isConclusive: false,
  doubts: [],
  findings: [],
  requests: 0,
  millis: 0,
  course: [],
};
