import { readTarHeader, sizeRecord } from './tar-header.ts';

/** How a tar stream ends for Go's archive/tar, which every runtime extracts with. `no-tar` had no sound header at all. */
export type TarEnd = 'whole' | 'no-tar' | 'invalid-header' | 'unexpected-end';

/** Walks the headers of a tar stream without keeping contents; takes it in pieces of any size. */
export type TarScan = {
  readonly write: (bytes: Uint8Array) => void;
  readonly end: () => TarEnd;
};

/** What the next bytes are. Content of `pax` records is kept, as a record may give the size of the file that follows. */
type Step =
  | { readonly kind: 'header' | 'after-zero-block' | 'sparse-map' }
  | { readonly kind: 'content' | 'padding'; left: number }
  | { readonly kind: 'pax'; left: number }
  | { readonly kind: 'done' | 'invalid' };

const BLOCK = 512;
/** Go's limit for one set of records. */
const MAX_PAX_BYTES = 1024 * 1024;
/** Link, symlink, character device, block device, directory, fifo: whatever size is written, no content follows. */
const HEADER_ONLY = '123456';

/** Scans as archive/tar's Reader does (Go, archive/tar/reader.go): its zero blocks, records, sparse maps and padding. */
export function createTarScan(): TarScan {
  const block = Buffer.alloc(BLOCK);
  let filled = 0;
  let hasSoundHeader = false;
  let step: Step = { kind: 'header' };
  let records: Buffer[] = [];
  let recordsPadding = 0;
  let sizeFromRecords: number | undefined;
  let afterMap: number | undefined;

  const takeContent = (size: number): void => {
    step = size > 0 ? { kind: 'content', left: size } : { kind: 'header' };
    recordsPadding = padding(size);
  };

  const takeHeader = (): void => {
    if (block.every((byte) => byte === 0)) {
      step = { kind: step.kind === 'after-zero-block' ? 'done' : 'after-zero-block' };
      return;
    }
    const header = step.kind === 'after-zero-block' ? undefined : readTarHeader(block);
    if (header === undefined || (header.type === 'x' && header.size > MAX_PAX_BYTES)) {
      step = { kind: 'invalid' };
      return;
    }
    hasSoundHeader = true;
    if (header.type === 'x') {
      records = [];
      recordsPadding = padding(header.size);
      step = header.size > 0 ? { kind: 'pax', left: header.size } : { kind: 'header' };
      return;
    }
    // records are about the file after them: what describes the archive or a long name stands between
    const isAboutAnother = 'gLK'.includes(header.type);
    const size = HEADER_ONLY.includes(header.type)
      ? 0
      : ((isAboutAnother ? undefined : sizeFromRecords) ?? header.size);
    if (!isAboutAnother) sizeFromRecords = undefined;
    if (header.hasSparseMap) {
      afterMap = size;
      step = { kind: 'sparse-map' };
    } else {
      takeContent(size);
    }
  };

  const takeBlock = (): void => {
    filled = 0;
    if (step.kind !== 'sparse-map') takeHeader();
    else if (block[504] === 0) takeContent(afterMap ?? 0);
  };

  const finishPart = (): void => {
    if (step.kind === 'pax') {
      const size = sizeRecord(Buffer.concat(records));
      if (size === 'invalid') {
        step = { kind: 'invalid' };
        return;
      }
      sizeFromRecords = size ?? sizeFromRecords;
    }
    const isPadded = step.kind !== 'padding' && recordsPadding > 0;
    step = isPadded ? { kind: 'padding', left: recordsPadding } : { kind: 'header' };
  };

  return {
    write: (bytes) => {
      for (let at = 0; at < bytes.length && step.kind !== 'done' && step.kind !== 'invalid';) {
        if ('left' in step) {
          const count = Math.min(step.left, bytes.length - at);
          if (step.kind === 'pax') records.push(Buffer.from(bytes.subarray(at, at + count)));
          step.left -= count;
          at += count;
          if (step.left === 0) finishPart();
        } else {
          const count = Math.min(BLOCK - filled, bytes.length - at);
          block.set(bytes.subarray(at, at + count), filled);
          filled += count;
          at += count;
          if (filled === BLOCK) takeBlock();
        }
      }
    },
    end: () => {
      if (step.kind === 'invalid') return hasSoundHeader ? 'invalid-header' : 'no-tar';
      const mayEnd =
        step.kind === 'done' || step.kind === 'padding' || (step.kind !== 'sparse-map' && !('left' in step));
      if (mayEnd && filled === 0) return 'whole';
      return hasSoundHeader ? 'unexpected-end' : 'no-tar';
    },
  };
}

const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;
