import { canonicalName, parseReference } from '../image/reference.ts';

/** The names under which an image is looked up in patterns: as written, and in full where it is an image name at all. */
export function imageNames(image: string): readonly string[] {
  const reference = parseReference(image);
  return reference.ok ? [image, canonicalName(reference.value)] : [image];
}

/** No image name is longer (see `parseReference`); what is longer is only matched by `*`. */
const MAX_NAME_LENGTH = 1024;

/**
 * Whether an image pattern covers one of the names. A pattern is anchored at the host: a `*` before its first `/`
 * stays before the first `/` of the name, so `*.example.com/app` never covers `evil.test/x.example.com/app`, and
 * `reg.example` does not cover `reg.example:5000`, which is another registry.
 * - without `*`: the name itself, or what follows it at a `/`, `:` or `@`: `ghcr.io/team` covers `ghcr.io/team/app:1`;
 * - with `*`: the whole name, with or without its tag and digest: `ghcr.io/*` + `/app` covers `ghcr.io/a/b/app:1`;
 * - a pattern of a host alone covers all of that host: `*.example.com`; `*` covers everything.
 */
export function matchesImage(pattern: string, names: readonly string[]): boolean {
  if (pattern === '*') return true;
  return names.some(
    (name) =>
      name.length <= MAX_NAME_LENGTH && (pattern.includes('*') ? isGlobOf(pattern, name) : isPrefixOf(pattern, name)),
  );
}

function isPrefixOf(pattern: string, name: string): boolean {
  if (!name.startsWith(pattern)) return false;
  const rest = name.slice(pattern.length);
  if (rest === '' || pattern.endsWith('/') || rest.startsWith('/') || rest.startsWith('@')) return true;
  // before a slash the colon begins a port, and a host with a port is another host
  return rest.startsWith(':') && !rest.includes('/');
}

function isGlobOf(pattern: string, name: string): boolean {
  const wanted = splitFirst(pattern);
  const given = splitFirst(name);
  if (wanted.rest === undefined) {
    const isHostPattern = pattern.includes('.') && !pattern.includes(':');
    return given.rest === undefined ? matchesGlob(pattern, name) : isHostPattern && matchesGlob(pattern, given.first);
  }
  if (given.rest === undefined || !matchesGlob(wanted.first, given.first)) return false;
  const bare = withoutVersion(given.rest);
  return matchesGlob(wanted.rest, given.rest) || matchesGlob(wanted.rest, bare);
}

function splitFirst(text: string): { readonly first: string; readonly rest: string | undefined } {
  const slash = text.indexOf('/');
  return slash < 0 ? { first: text, rest: undefined } : { first: text.slice(0, slash), rest: text.slice(slash + 1) };
}

function withoutVersion(path: string): string {
  const end = path.search(/[:@]/u);
  return end < 0 ? path : path.slice(0, end);
}

/** Whether `pattern` covers the whole of `text`; `*` stands for any characters, also none. Never backtracks over one `*`. */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let position = 0;
  let star = -1;
  let resume = 0;
  while (position < text.length) {
    if (pattern[at] === '*') {
      star = at;
      resume = position;
      at += 1;
    } else if (at < pattern.length && pattern[at] === text[position]) {
      at += 1;
      position += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      position = resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
