import { err, ok, type Result } from '../image/result.ts';
import { readBoundedFile } from './bounded-file.ts';
import { describeUnread } from './why-unread.ts';

/** Far beyond any manifest or settings file; a file that large is something else. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Reads a file of text in UTF-8. The error completes `FILE: ` and `FILE cannot be read: `. */
export function readText(path: string): Result<string> {
  try {
    const bytes = readBoundedFile(path, MAX_FILE_BYTES);
    return bytes === undefined ? err(TOO_LARGE) : decodeText(bytes);
  } catch (error) {
    return err(describeUnread(error));
  }
}

export const TOO_LARGE = `it is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB, as no manifest or settings file is`;

/** A replacement character in an image's name would be judged as if somebody had written it. */
export function decodeText(bytes: Uint8Array): Result<string> {
  try {
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return err('it is no text in UTF-8');
  }
}
