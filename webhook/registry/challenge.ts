import type { ClientStyle } from './token.ts';

/** One challenge of a `WWW-Authenticate` header (RFC 9110 section 11.6.1). Parameter names in lower case. */
export type Challenge = {
  readonly scheme: 'bearer' | 'basic';
  readonly parameters: ReadonlyMap<string, string>;
};

/** As much as the transport takes of a whole header: no challenge is ever read in part. */
const MAX_HEADER = 32 * 1024;
const MAX_CHALLENGES = 16;
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]/u;

/**
 * The challenges that a registry client can answer. Each header line holds one, and what follows its first odd character
 * is not read: containerd's own parser, which dockerd and containers/image have too, leaves out the rest of such a line.
 * Bearer comes before Basic, as containerd sorts them (pull-parity D3); containers/image answers the first that it can
 * (`setupRequestAuth`), in the registry's order.
 */
export function parseChallenges(headers: readonly string[], style: ClientStyle): readonly Challenge[] {
  const found = headers.flatMap((header) => parseHeader(header.slice(0, MAX_HEADER), style)).slice(0, MAX_CHALLENGES);
  if (style === 'crio') return found;
  return [...found.filter(({ scheme }) => scheme === 'bearer'), ...found.filter(({ scheme }) => scheme === 'basic')];
}

/** `parseValueAndParams`, linear in the length of the header. An empty value is one to containerd alone. */
function parseHeader(text: string, style: ClientStyle): readonly Challenge[] {
  const word = takeToken(text, 0);
  const scheme = word.toLowerCase();
  if (scheme !== 'bearer' && scheme !== 'basic') return [];
  const parameters = new Map<string, string>();
  let at = word.length;
  for (;;) {
    at = skipSpace(text, at);
    const name = takeToken(text, at);
    at += name.length;
    if (name === '' || text[at] !== '=') break;
    const value = takeValue(text, at + 1);
    if (value.text === '' && style !== 'containerd') break;
    parameters.set(name.toLowerCase(), value.text);
    at = skipSpace(text, value.end);
    if (text[at] !== ',') break;
    at += 1;
  }
  return [{ scheme, parameters }];
}

function takeToken(text: string, from: number): string {
  let end = from;
  while (end < text.length && TOKEN.test(text[end] ?? '')) end += 1;
  return text.slice(from, end);
}

/** A token or a text in quotes; one whose quotes never end is empty. */
function takeValue(text: string, from: number): { readonly text: string; readonly end: number } {
  if (text[from] !== '"') {
    const token = takeToken(text, from);
    return { text: token, end: from + token.length };
  }
  let value = '';
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === '"') return { text: value, end: at + 1 };
    if (text[at] === '\\') at += 1;
    value += text[at] ?? '';
  }
  return { text: '', end: text.length };
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  return at;
}
