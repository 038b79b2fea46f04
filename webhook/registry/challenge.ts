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
 * The challenges that a registry client can answer, Bearer before Basic as containerd sorts them (pull-parity D3). Each
 * header line holds one challenge, as containerd reads it; several on one line are told apart where the grammar allows.
 * Linear in the length of the header; what cannot be read is left out.
 */
export function parseChallenges(headers: readonly string[]): readonly Challenge[] {
  const found = challengesAsSent(headers);
  return [...found.filter(({ scheme }) => scheme === 'bearer'), ...found.filter(({ scheme }) => scheme === 'basic')];
}

/** The same in the registry's order: containers/image answers the first that it can (`setupRequestAuth`). */
export function challengesAsSent(headers: readonly string[]): readonly Challenge[] {
  return headers.flatMap((header) => parseHeader(header.slice(0, MAX_HEADER))).slice(0, MAX_CHALLENGES);
}

function parseHeader(text: string): readonly Challenge[] {
  const found: Challenge[] = [];
  let at = skip(text, 0);
  let parameters: Map<string, string> | undefined;
  while (at < text.length) {
    const word = takeToken(text, at);
    if (word === '') break;
    const next = skipSpace(text, at + word.length);
    if (parameters !== undefined && text[next] === '=') {
      const value = takeValue(text, skipSpace(text, next + 1));
      const name = word.toLowerCase();
      if (!parameters.has(name)) parameters.set(name, value.text);
      at = skip(text, value.end);
      continue;
    }
    const scheme = word.toLowerCase();
    parameters = new Map();
    if (scheme === 'bearer' || scheme === 'basic') found.push({ scheme, parameters });
    if (found.length >= MAX_CHALLENGES) break;
    at = skip(text, next);
  }
  return found;
}

function takeToken(text: string, from: number): string {
  let end = from;
  while (end < text.length && TOKEN.test(text[end] ?? '')) end += 1;
  return text.slice(from, end);
}

function takeValue(text: string, from: number): { readonly text: string; readonly end: number } {
  if (text[from] !== '"') {
    let end = from;
    while (end < text.length && text[end] !== ',' && text[end] !== ' ') end += 1;
    return { text: text.slice(from, end), end };
  }
  let value = '';
  let at = from + 1;
  while (at < text.length && text[at] !== '"') {
    if (text[at] === '\\' && at + 1 < text.length) at += 1;
    value += text[at] ?? '';
    at += 1;
  }
  return { text: value, end: at + 1 };
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  return at;
}

function skip(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t' || text[at] === ',') at += 1;
  return at;
}
