/** Memory and time for long answers, shared by everything that is asked at a time. */
export interface ReplyRoom {
  enter(): ReplyShare;
}

/** What one prediction keeps of it, until it ends: its answers are remembered for so long. */
export interface ReplyShare {
  /** Resolves once so many bytes more may be read, or once nobody else has any. Rejects when `signal` aborts. */
  take(bytes: number, signal: AbortSignal): Promise<void>;
  leave(): void;
}

export type ReplyRoomOptions = {
  readonly maxBytes: number;
  /** Long answers take a hundredth of a second for each megabyte to be compared and read, in which nothing else happens. */
  readonly bytesPerSecond: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
};

type Waiter = { readonly bytes: number; readonly held: () => number; readonly admit: () => void };

export function createReplyRoom({ maxBytes, bytesPerSecond, now }: ReplyRoomOptions): ReplyRoom {
  const waiting = new Set<Waiter>();
  let taken = 0;
  let nextAtMs = 0;
  let timer: NodeJS.Timeout | undefined;
  const admitLater = (waitMs: number): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      admit();
    }, waitMs);
  };
  const admit = (): void => {
    for (const waiter of waiting) {
      // in their order: who wants much is not passed over for ever, nor waits for himself
      if (taken + waiter.bytes > maxBytes && taken > waiter.held()) return;
      const nowMs = now();
      if (nowMs < nextAtMs) return admitLater(nextAtMs - nowMs);
      nextAtMs = nowMs + (waiter.bytes / bytesPerSecond) * 1000;
      taken += waiter.bytes;
      waiting.delete(waiter);
      waiter.admit();
    }
  };
  return {
    enter: () => {
      let own = 0;
      let hasLeft = false;
      const take = (bytes: number, signal: AbortSignal): Promise<void> => {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const giveUp = (): void => {
          waiting.delete(waiter);
          reject(signal.reason instanceof Error ? signal.reason : new Error('given up'));
          admit();
        };
        const waiter: Waiter = {
          bytes,
          held: () => own,
          admit: () => {
            signal.removeEventListener('abort', giveUp);
            if (hasLeft) taken -= bytes;
            else own += bytes;
            resolve();
          },
        };
        if (signal.aborted) giveUp();
        else {
          signal.addEventListener('abort', giveUp, { once: true });
          waiting.add(waiter);
          admit();
        }
        return promise;
      };
      const leave = (): void => {
        hasLeft = true;
        taken -= own;
        own = 0;
        admit();
      };
      return { take, leave };
    },
  };
}
