/** The line, from 1, on which the character at `offset` stands. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

/**
 * The first line on which `needles` stand one after the other, as a table's name and then one of its keys do;
 * `undefined` where they do not. A settings file has no positions once it is parsed, and this finds them again.
 */
export function lineOf(text: string, ...needles: readonly string[]): number | undefined {
  let offset = 0;
  for (const [at, needle] of needles.entries()) {
    const found = text.indexOf(needle, offset);
    if (found < 0) return undefined;
    offset = at === needles.length - 1 ? found : found + needle.length;
  }
  return lineAt(text, offset);
}
