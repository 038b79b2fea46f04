import { addAbortSignal, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

/** How bytes are packed, by their own first ones; `none` may be a tar stream, or nothing that anybody knows. */
export type Packing = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/**
 * How unpacking ended. `undecided` is a stream with more after its end, or one that wants more memory than we give:
 * some tools read on there and some do not, so it proves nothing.
 */
export type UnpackEnd = 'whole' | 'broken' | 'undecided';

/** Unpacks a stream in pieces, keeping none of it. */
export type Unpacker = {
  /** Comes back when the piece is unpacked and taken, so that no more than it is ever held. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly end: () => Promise<{ readonly packing: Packing; readonly end: UnpackEnd }>;
  /** Frees what is held; to be called in the end, however it went. */
  readonly close: () => void;
};

type Engine = Transform & { readonly bytesWritten: number };

/** What leaves the decompressor at a time. Larger pieces are fewer trips to its thread. */
const PIECE_BYTES = 128 * 1024;
/** The longest of the signatures, that of xz. */
const SIGNATURE_BYTES = 6;
/** What is no claim about the layer: memory that we refuse, or other bytes after a sound end. */
const UNDECIDED: ReadonlySet<string> = new Set([
  'ZSTD_error_frameParameter_windowTooLarge',
  'ZSTD_error_memory_allocation',
]);

export function createUnpacker(take: (bytes: Uint8Array) => void, signal: AbortSignal): Unpacker {
  let packing: Packing | undefined;
  let head: Uint8Array = new Uint8Array();
  let engine: Engine | undefined;
  let state: UnpackEnd = 'whole';
  let framesBefore = 0;
  let settle: (() => void) | undefined;

  const fail = (error: Error | null | undefined): void => {
    if (error !== undefined && error !== null && state === 'whole') state = judge(error, packing, framesBefore > 0);
  };

  const start = (of: 'gzip' | 'zstd'): Engine => {
    const made: Engine =
      of === 'gzip' ? createGunzip({ chunkSize: PIECE_BYTES }) : createZstdDecompress({ chunkSize: PIECE_BYTES });
    const settleOwn = (error?: Error): void => {
      if (made !== engine) return; // of a frame before
      fail(error);
      settle?.();
    };
    made.on('data', take);
    made.on('error', settleOwn);
    for (const event of ['end', 'close']) made.on(event, () => settleOwn());
    return addAbortSignal(signal, made);
  };

  /** Runs one step of the engine until its callback, its end or its failure, whichever there is. */
  const step = async (run: (done: (error?: Error | null) => void) => void): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    settle = resolve;
    run((error) => {
      fail(error);
      resolve();
    });
    await promise;
  };

  const feed = async (bytes: Uint8Array): Promise<void> => {
    if (packing !== 'gzip' && packing !== 'zstd') {
      take(bytes);
      return;
    }
    let rest = bytes;
    while (rest.length > 0 && state === 'whole') {
      engine ??= start(packing);
      const current = engine;
      const before = current.bytesWritten;
      // each round begins where the one before ended
      // oxlint-disable-next-line no-await-in-loop
      await step((done) => current.write(rest, done));
      const eaten = current.bytesWritten - before;
      if (state !== 'whole' || eaten >= rest.length) return;
      // node:zlib stops at the end of a zstd frame, and a layer may have many (zstd:chunked has one a file)
      current.destroy();
      if (packing === 'gzip' || (eaten === 0 && before === 0)) {
        state = 'undecided';
        return;
      }
      engine = undefined;
      framesBefore += 1;
      rest = rest.subarray(eaten);
    }
  };

  return {
    write: async (bytes) => {
      if (packing !== undefined) return feed(bytes);
      head = Buffer.concat([head, bytes]);
      if (head.length < SIGNATURE_BYTES) return;
      packing = packingOf(head);
      await feed(head);
    },
    end: async () => {
      if (packing === undefined) {
        packing = packingOf(head);
        await feed(head);
      }
      const current = engine;
      if (current !== undefined && state === 'whole' && !current.readableEnded) await step(() => current.end());
      return { packing, end: state };
    },
    close: () => {
      engine?.destroy();
    },
  };
}

function judge(error: Error, packing: Packing | undefined, isLaterFrame: boolean): UnpackEnd {
  const code = 'code' in error ? String(error.code) : '';
  if (UNDECIDED.has(code)) return 'undecided';
  // the first header was known by its signature: this one is what follows a sound end
  const isTrailing =
    packing === 'gzip'
      ? error.message === 'incorrect header check'
      : isLaterFrame && code === 'ZSTD_error_prefix_unknown';
  return isTrailing ? 'undecided' : 'broken';
}

function packingOf(head: Uint8Array): Packing {
  const hex = Buffer.from(head.subarray(0, SIGNATURE_BYTES)).toString('hex');
  if (hex.startsWith('1f8b08')) return 'gzip';
  // a frame, or one to be skipped (RFC 8878, 3.1)
  if (hex.startsWith('28b52ffd') || /^5[0-9a-f]2a4d18/u.test(hex)) return 'zstd';
  if (hex.startsWith('425a68')) return 'bzip2';
  return hex === 'fd377a585a00' ? 'xz' : 'none';
}
