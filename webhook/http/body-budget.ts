/** Memory for the request bodies that are being read, shared by all of them. */
export interface BodyBudget {
  /** For one body. `giveWay` is called at most once, where others need the room. */
  open(giveWay: () => void): BodyShare;
}

export interface BodyShare {
  /** Takes so many bytes more; false where the body had to give way. */
  grow(bytes: number): boolean;
  /** Gives everything back. */
  close(): void;
}

type Share = { bytes: number; readonly giveWay: () => void };

/**
 * Where there is no room left, the body that holds most of it gives way, the oldest of several: real reviews are small
 * and read at once, so whoever sends large ones slowly keeps nobody out but himself.
 */
export function createBodyBudget(maxBytes: number): BodyBudget {
  const shares = new Set<Share>();
  let taken = 0;
  const release = (share: Share): void => {
    if (shares.delete(share)) taken -= share.bytes;
  };
  const makeRoom = (): void => {
    if (taken <= maxBytes) return;
    let largest: Share | undefined;
    for (const share of shares) if (largest === undefined || share.bytes > largest.bytes) largest = share;
    if (largest === undefined) return;
    release(largest);
    largest.giveWay();
    makeRoom();
  };
  return {
    open: (giveWay) => {
      const share: Share = { bytes: 0, giveWay };
      shares.add(share);
      return {
        grow: (bytes) => {
          if (!shares.has(share)) return false;
          share.bytes += bytes;
          taken += bytes;
          makeRoom();
          return shares.has(share);
        },
        close: () => release(share),
      };
    },
  };
}
