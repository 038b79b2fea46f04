import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 64 * 1024;

/**
 * The bytes of a file, or `undefined` where it has more than `maxBytes`: what a device or a pipe holds, nobody knows
 * beforehand. Throws as `readFileSync` does.
 */
export function readBoundedFile(path: string, maxBytes: number): Buffer | undefined {
  const file = openSync(path, 'r');
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    while (bytes <= maxBytes) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const count = readSync(file, chunk);
      if (count === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, count));
      bytes += count;
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}
