/** What nearly every name is: nothing to replace. */
const PRINTABLE_WORD = /^[\x21-\x7e]*$/u;

/**
 * `text` as one line of printable ASCII (0x20 to 0x7e): runs of white space become one blank, every other character
 * becomes `?`. Names in a request are anybody's writing, and go into logs, terminals and HTTP headers.
 */
export function toPrintable(text: string): string {
  if (PRINTABLE_WORD.test(text)) return text;
  return text
    .replace(/\s+/gu, ' ')
    .replace(/[^\x20-\x7e]/gu, '?')
    .trim();
}

/** Cuts the middle out of what is longer than `max` characters: both ends of a name tell more than its middle. */
export function shortenMiddle(text: string, max: number): string {
  if (text.length <= max) return text;
  if (max <= 3) return text.slice(0, Math.max(0, max));
  const tail = Math.floor((max - 3) / 2);
  return `${text.slice(0, max - 3 - tail)}...${text.slice(text.length - tail)}`;
}

/** Cuts the end off what is longer than `max` characters. */
export function shortenEnd(text: string, max: number): string {
  if (text.length <= max) return text;
  return max <= 3 ? text.slice(0, Math.max(0, max)) : `${text.slice(0, max - 3).trimEnd()}...`;
}

/** A field of unknown origin: printable, at most `max` characters. Megabytes are cut before they are read. */
export function field(text: string, max: number): string {
  return shortenMiddle(toPrintable(shortenMiddle(text, max * 8)), max);
}

/** A field between double quotes that it cannot break out of. */
export function quote(text: string, max: number): string {
  return `"${field(text, max).replaceAll('"', "'")}"`;
}

/** `a, b, c and 5 more`. */
export function listed(items: readonly string[], most = 4, width = 48): string {
  const shown = items.slice(0, most).map((item) => field(item, width));
  const rest = items.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
