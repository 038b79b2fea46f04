import { err, ok, type Result } from '../../image/result.ts';
import { lineAt } from './line.ts';
import type { SyntaxMistake } from './toml.ts';

const TOKEN =
  /[{}[\],:]|"[^"\\\p{Cc}]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\p{Cc}]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy;
const BLANK = /[ \t\r\n]*/uy;

/** Reads JSON. The engine's own message quotes the file and does not always say where, so the place is sought again. */
export function parseJson(text: string): Result<unknown, SyntaxMistake> {
  try {
    return ok(JSON.parse(text));
  } catch {
    const fault = findFault(text);
    return err({ line: lineAt(text, fault.offset), expected: fault.expected });
  }
}

type Expectation = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'next' | 'end';

/** What JSON allows at each point (RFC 8259), in the words of the mistake. */
const EXPECTED: Readonly<Record<Expectation, string>> = {
  value: 'expected a value',
  'first value': 'expected a value or "]"',
  key: 'expected a key in double quotes',
  'first key': 'expected a key in double quotes or "}"',
  colon: 'expected ":" after the key',
  next: 'expected "," or the end of the list or object',
  end: 'expected nothing after the end of the document',
};

/** Walks the tokens until one comes that JSON does not allow there: linear, with a stack of its own. */
function findFault(text: string): { readonly offset: number; readonly expected: string } {
  const open: ('{' | '[')[] = [];
  let expectation: Expectation = 'value';
  let offset = skipBlank(text, 0);
  while (offset < text.length) {
    TOKEN.lastIndex = offset;
    const token = TOKEN.exec(text)?.[0];
    const next: Expectation | undefined = token === undefined ? undefined : follow(token, expectation, open);
    if (token === undefined || next === undefined) return { offset, expected: EXPECTED[expectation] };
    expectation = next;
    offset = skipBlank(text, offset + token.length);
  }
  return { offset: Math.max(0, text.trimEnd().length - 1), expected: `${EXPECTED[expectation]}, but the file ends` };
}

function follow(token: string, expectation: Expectation, open: ('{' | '[')[]): Expectation | undefined {
  if (expectation === 'colon') return token === ':' ? 'value' : undefined;
  if (expectation === 'end') return undefined;
  const inside = open.at(-1);
  if (token === '}' || token === ']') {
    const isAllowed = expectation === 'next' || expectation === (token === '}' ? 'first key' : 'first value');
    if (!isAllowed || inside !== (token === '}' ? '{' : '[')) return undefined;
    open.pop();
    return open.length === 0 ? 'end' : 'next';
  }
  if (expectation === 'next') {
    if (token !== ',') return undefined;
    return inside === '{' ? 'key' : 'value';
  }
  if (expectation === 'key' || expectation === 'first key') return token.startsWith('"') ? 'colon' : undefined;
  if (token === ',' || token === ':') return undefined;
  if (token === '{' || token === '[') {
    open.push(token);
    return token === '{' ? 'first key' : 'first value';
  }
  return open.length === 0 ? 'end' : 'next';
}

function skipBlank(text: string, offset: number): number {
  BLANK.lastIndex = offset;
  return offset + (BLANK.exec(text)?.[0].length ?? 0);
}
