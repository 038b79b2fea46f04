import type * as z from 'zod';
import { knownKeys } from './json-schema.ts';
import { quote } from './quote.ts';
import { nearestWord } from './spelling.ts';

/** One thing that is wrong in a policy document: where, and in a sentence that names the remedy. */
export type PolicyMistake = {
  /** `rules[0].set.action`; empty for the document as a whole. */
  readonly path: string;
  /** Counts from 1; `undefined` where no line is to blame. */
  readonly line: number | undefined;
  readonly message: string;
};

/** One line for each mistake: `policy.yaml:7: rules[0].set.action: "block" is not ...`. */
export function formatMistakes(name: string, mistakes: readonly PolicyMistake[]): string {
  return mistakes
    .map(({ path, line, message }) => {
      const place = line === undefined ? name : `${name}:${line}`;
      return path === '' ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
    })
    .join('\n');
}

export type Located = { readonly path: readonly PropertyKey[]; readonly message: string };
type Issue = z.core.$ZodIssue;

/** What zod found, in our words; an object with three unknown keys has three mistakes. */
export function describeIssue(issue: Issue, base: readonly PropertyKey[] = []): readonly Located[] {
  const path = [...base, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      return describeUnknownKeys(issue.keys, path);
    case 'invalid_union':
      return describeUnion(issue, path);
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.map(({ message }) => ({ path, message }));
    case 'invalid_type':
    case 'invalid_value':
      return [{ path, message: describeMismatch([issue], issue.input) }];
    case 'too_small':
      return [{ path, message: ownWords(issue.message, `must be at least ${issue.minimum}`) }];
    case 'too_big':
      return [{ path, message: ownWords(issue.message, `must be at most ${issue.maximum}`) }];
    case 'invalid_format':
    case 'not_multiple_of':
    case 'custom':
      return [{ path, message: issue.message }];
    default:
      return [{ path, message: 'is not what is expected here' }];
  }
}

/** The one alternative that was meant, where its shape tells; else all that there are. */
function describeUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: readonly PropertyKey[],
): readonly Located[] {
  const meant = issue.errors.filter((issues) => !issues.some(isOfOtherShape));
  const only = meant[0];
  if (only !== undefined && meant.length === 1) return only.flatMap((one) => describeIssue(one, path));
  return [
    {
      path,
      message: describeMismatch(
        issue.errors.flatMap((issues) => issues.slice(0, 1)),
        issue.input,
      ),
    },
  ];
}

function isOfOtherShape(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function describeMismatch(issues: readonly Issue[], input: unknown): string {
  const words = issues.flatMap((issue) => (issue.code === 'invalid_value' ? issue.values.map(String) : []));
  const types = issues.flatMap((issue) => (issue.code === 'invalid_type' ? [describeType(issue)] : []));
  const near = typeof input === 'string' ? nearestWord(input, words) : undefined;
  if (near !== undefined) return `${quote(String(input))} is not known here, did you mean "${near}"?`;
  const expected = joinOr([...words, ...types]);
  return input === undefined
    ? `is missing: expected ${expected}`
    : `expected ${expected}, found ${describeValue(input)}`;
}

function describeUnknownKeys(keys: readonly string[], path: readonly PropertyKey[]): readonly Located[] {
  const known = knownKeys(path);
  return keys.map((key) => ({ path: [...path, key], message: `unknown key, ${suggestKey(key, known)}` }));
}

function joinOr(parts: readonly string[]): string {
  const last = parts.at(-1) ?? '';
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(', ')} or ${last}`;
}

function suggestKey(key: string, known: readonly string[]): string {
  const near = nearestWord(key, known);
  return near === undefined ? `known here: ${known.join(', ')}` : `did you mean "${near}"?`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = Object.freeze({
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of settings',
  record: 'a map',
});

function describeType(issue: Extract<Issue, { code: 'invalid_type' }>): string {
  const own = /^expected (?<what>.+)$/u.exec(issue.message)?.groups?.['what'];
  return own ?? TYPE_NAMES[issue.expected] ?? issue.expected;
}

function describeValue(value: unknown): string {
  if (value === null) return 'nothing';
  if (typeof value === 'string') return `the text ${quote(value)}`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'number' || typeof value === 'boolean' ? `the ${typeof value} ${value}` : 'a map';
}

/** What the schema says itself, else a sentence in place of zod's `Too big: expected number to be <=512`. */
function ownWords(message: string, sentence: string): string {
  return /^Too (?:small|big): /u.test(message) ? sentence : message;
}
