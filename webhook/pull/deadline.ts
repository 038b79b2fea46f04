import type { Prediction } from '../outcome/prediction.ts';

/** Waits for an answer as long as `signal` lets it; then says that it was not there in time. Whoever makes it goes on. */
export async function untilAborted(answer: Promise<Prediction>, signal: AbortSignal): Promise<Prediction> {
  const { promise, resolve } = Promise.withResolvers<Prediction>();
  const onAbort = (): void => resolve(LATE);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([answer, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

const LATE: Prediction = {
  outcome: { kind: 'not-checked', reason: 'deadline', detail: 'the registry had not answered in time' },
  isConclusive: false,
  doubts: [],
  findings: [],
  requests: 0,
  millis: 0,
  course: [],
};
