/** Bytes of request bodies that may be in the process at one time. */
export interface BodyBudget {
  /** Takes `bytes`, or `undefined` where they do not fit. The answer gives them back, once. */
  take(bytes: number): (() => void) | undefined;
}

export function createBodyBudget(maxBytes: number): BodyBudget {
  let taken = 0;
  return {
    take: (bytes) => {
      if (taken + bytes > maxBytes) return undefined;
      taken += bytes;
      let isHeld = true;
      return () => {
        if (isHeld) taken -= bytes;
        isHeld = false;
      };
    },
  };
}
