const WHY: ReadonlyMap<unknown, string> = new Map([
  ['ENOENT', 'there is no such file or folder'],
  ['ENOTDIR', 'there is no such file or folder'],
  ['EISDIR', 'it is a folder'],
  ['EACCES', 'no permission to read it'],
]);

/** Why the system did not let a file be read, as the end of a sentence; `undefined` where that would be a riddle. */
export function whyUnread(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? WHY.get(error.code) : undefined;
}
