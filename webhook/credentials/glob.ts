/** A shell pattern for one label of a host name, ready to be asked. */
export type Glob = (text: string) => boolean;

type Range = readonly [low: number, high: number];
type Token =
  | { readonly kind: 'any-text' }
  | { readonly kind: 'any-character' }
  | { readonly kind: 'class'; readonly isNegated: boolean; readonly ranges: readonly Range[] }
  | { readonly kind: 'literal'; readonly code: number };

/** Builds Go's `filepath.Match` for `pattern`: `*`, `?`, `[...]` and `\`. A malformed pattern matches nothing. */
export function createGlob(pattern: string): Glob {
  if (!/[*?[\\]/u.test(pattern)) return (text) => text === pattern;
  const tokens = tokenize(Array.from(pattern));
  return tokens === undefined ? () => false : (text) => matches(tokens, Array.from(text));
}

/** Walks both once, going back to the last `*` only: at worst the product of the two lengths. */
function matches(tokens: readonly Token[], text: readonly string[]): boolean {
  if (tokens.filter((token) => token.kind !== 'any-text').length > text.length) return false;
  let at = 0;
  let token = 0;
  let afterStar = -1;
  let starAt = 0;
  while (at < text.length) {
    const current = tokens[token];
    if (current?.kind === 'any-text') {
      token += 1;
      afterStar = token;
      starAt = at;
    } else if (current !== undefined && matchesOne(current, text[at] ?? '')) {
      token += 1;
      at += 1;
    } else if (afterStar >= 0) {
      starAt += 1;
      token = afterStar;
      at = starAt;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every((rest) => rest.kind === 'any-text');
}

function matchesOne(token: Token, character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  if (token.kind === 'literal') return token.code === code;
  if (token.kind !== 'class') return true;
  return token.ranges.some(([low, high]) => low <= code && code <= high) !== token.isNegated;
}

function tokenize(pattern: readonly string[]): readonly Token[] | undefined {
  const tokens: Token[] = [];
  let at = 0;
  while (at < pattern.length) {
    const character = pattern[at];
    if (character === '[') {
      const read = readClass(pattern, at + 1);
      if (read === undefined) return undefined;
      tokens.push(read.token);
      at = read.next;
      continue;
    }
    if (character === '*' && tokens.at(-1)?.kind !== 'any-text') tokens.push({ kind: 'any-text' });
    else if (character === '?') tokens.push({ kind: 'any-character' });
    else if (character !== '*') {
      if (character === '\\') at += 1;
      const code = pattern[at]?.codePointAt(0);
      if (code === undefined) return undefined;
      tokens.push({ kind: 'literal', code });
    }
    at += 1;
  }
  return tokens;
}

function readClass(
  pattern: readonly string[],
  from: number,
): { readonly token: Token; readonly next: number } | undefined {
  const isNegated = pattern[from] === '^';
  const ranges: Range[] = [];
  let at = isNegated ? from + 1 : from;
  while (pattern[at] !== ']' || ranges.length === 0) {
    const low = readMember(pattern, at);
    if (low === undefined) return undefined;
    const high = pattern[low.next] === '-' ? readMember(pattern, low.next + 1) : low;
    if (high === undefined) return undefined;
    ranges.push([low.code, high.code]);
    at = high.next;
  }
  return { token: { kind: 'class', isNegated, ranges }, next: at + 1 };
}

/** One bound of a range. It may not be "-" or "]" unescaped, and the class must go on after it. */
function readMember(
  pattern: readonly string[],
  from: number,
): { readonly code: number; readonly next: number } | undefined {
  const first = pattern[from];
  if (first === undefined || first === '-' || first === ']') return undefined;
  const at = first === '\\' ? from + 1 : from;
  const code = pattern[at]?.codePointAt(0);
  return code === undefined || at + 1 >= pattern.length ? undefined : { code, next: at + 1 };
}
