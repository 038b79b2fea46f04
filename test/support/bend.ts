import { errorAnswer, type Answer } from '../../webhook/demo/answer.ts';
import type { Question } from '../../webhook/demo/question.ts';
import type { Bend } from '../../webhook/demo/registry.ts';
import type { Route } from '../../webhook/demo/route.ts';

/** Which requests a bend is for: every part that is given must agree. */
export type Match = {
  readonly kind?: Route['kind'];
  readonly method?: string;
  readonly repository?: string;
  /** A tag or a digest, as the request has it. */
  readonly reference?: string;
  /** The path as sent, for what no other part names. */
  readonly path?: string | RegExp;
};

export type When = {
  /** How many matching requests are left alone first. Default 0. */
  readonly after?: number;
  /** How many matching requests are bent then. Default: all. */
  readonly times?: number;
};

/** Bends only the requests that match, and of those only as many as `when` says. Counts from its own making. */
export function only(match: Match, bend: Bend, { after = 0, times = Infinity }: When = {}): Bend {
  let seen = 0;
  return (question, answer) => {
    if (!isMatch(match, question)) return answer;
    seen += 1;
    return seen > after && seen <= after + times ? bend(question, answer) : answer;
  };
}

function isMatch({ kind, method, repository, reference, path }: Match, question: Question): boolean {
  const { route, url } = question;
  if (kind !== undefined && route.kind !== kind) return false;
  if (method !== undefined && question.method !== method) return false;
  if (repository !== undefined && !('repository' in route && route.repository === repository)) return false;
  if (reference !== undefined && !('reference' in route && route.reference === reference)) return false;
  if (typeof path === 'string') return url.pathname === path;
  return path?.test(url.pathname) ?? true;
}

/** Fails with the specification's error body; other bodies go through `answer`. */
export const status =
  (code: number, errorCode: string, headers: Answer['headers'] = {}): Bend =>
  () =>
    errorAnswer(code, errorCode, headers);

/** Says just this, whatever the registry would have said; `body` is text or bytes. */
export const reply =
  (code: number, headers: Answer['headers'], body: string | Uint8Array = ''): Bend =>
  () => ({ status: code, headers, body: Buffer.from(body) });

/** Adds headers, or replaces those of the same name (lower case). */
export const withHeaders =
  (headers: Answer['headers']): Bend =>
  (_question, answer) => ({ ...answer, headers: { ...answer.headers, ...headers } });

export const withoutHeader =
  (name: string): Bend =>
  (_question, answer) => ({
    ...answer,
    headers: Object.fromEntries(Object.entries(answer.headers).filter(([one]) => one !== name)),
  });

/** Sends the client elsewhere; a function sees the question, for instance to keep its path. */
export const redirect =
  (location: string | ((question: Question) => string), code = 307): Bend =>
  (question) => ({
    status: code,
    headers: { location: typeof location === 'string' ? location : location(question) },
    body: Buffer.alloc(0),
  });

export const delay =
  (delayMs: number): Bend =>
  (_question, answer) => ({ ...answer, delayMs });

export const neverAnswer: Bend = (_question, answer) => ({ ...answer, delayMs: Infinity });

export const throttle =
  (bytesPerSecond: number): Bend =>
  (_question, answer) => ({ ...answer, bytesPerSecond });

/** Cuts the connection before the status line, or after so many bytes of the body. */
export const cut =
  (cutAt: 'start' | number): Bend =>
  (_question, answer) => ({ ...answer, cutAt });

/** Writes these bytes in place of an HTTP answer and ends the connection. */
export const raw =
  (bytes: string | Uint8Array): Bend =>
  (_question, answer) => ({ ...answer, raw: Buffer.from(bytes) });
