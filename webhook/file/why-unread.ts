import { codeOf } from '../image/error-code.ts';

const WHY: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file or folder'],
  ['ENOTDIR', 'there is no such file or folder'],
  ['EISDIR', 'it is a folder'],
  ['EACCES', 'no permission to read it'],
]);

/** Why the system did not let a file be read, as the end of a sentence; `undefined` where that would be a riddle. */
export function whyUnread(error: unknown): string | undefined {
  return WHY.get(codeOf(error) ?? '');
}

/** The same with words for every other reason. */
export const describeUnread = (error: unknown): string => whyUnread(error) ?? 'it cannot be read';
