import { err, ok, type Result } from '../image/result.ts';
import { readDocument } from './document.ts';
import { describeIssue, formatMistakes, type Located, type PolicyMistake } from './mistake.ts';
import type { Policy } from './policy.ts';
import { policySchema } from './schema.ts';

export { formatMistakes, type PolicyMistake };

/** What a ConfigMap can hold at most. */
const MAX_CHARACTERS = 1024 * 1024;
/** More than anybody mends in one go. */
const MAX_MISTAKES = 50;

/**
 * Reads a policy document. `name` is how messages call it: `policy.yaml`. An empty text, or one of comments alone, is
 * the default policy. Never throws; the error holds every mistake, in the order of the document's lines.
 */
export function readPolicy(text: string, name: string): Result<Policy, readonly PolicyMistake[]> {
  if (text.length > MAX_CHARACTERS) {
    return err([{ path: '', line: undefined, message: `has more than ${MAX_CHARACTERS} characters` }]);
  }
  const document = readDocument(text, name);
  if (document.value === undefined) return err(inOrder(document.mistakes));
  if (isConfigMap(document.value)) {
    const around = document.locate({ path: ['kind'], message: AROUND });
    return err(inOrder([...document.mistakes, around]));
  }
  const parsed = policySchema.safeParse(document.withoutEmpty ?? {}, { reportInput: true });
  // a key that has no value yet is dropped above, so its spelling is judged in the document as it is written
  const written = policySchema.safeParse(document.value ?? {}, { reportInput: true });
  const issues = [
    ...(parsed.error?.issues.filter(({ code }) => code !== 'unrecognized_keys') ?? []),
    ...(written.error?.issues.filter(({ code }) => code === 'unrecognized_keys') ?? []),
  ];
  const found = issues.flatMap((issue): readonly Located[] => describeIssue(issue)).map((one) => document.locate(one));
  const mistakes = [...document.mistakes, ...found.filter(({ path }) => !isAmong(path, document.mistakes))];
  return parsed.success && mistakes.length === 0 ? ok(parsed.data) : err(inOrder(mistakes));
}

const AROUND = 'is the ConfigMap around a policy: give the text below its key policy.yaml alone';

function isConfigMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'ConfigMap';
}

/** A place where a private key stands has no other mistake worth naming. */
function isAmong(path: string, mistakes: readonly PolicyMistake[]): boolean {
  return path !== '' && mistakes.some((one) => one.path === path);
}

function inOrder(mistakes: readonly PolicyMistake[]): readonly PolicyMistake[] {
  const distinct = new Map(mistakes.map((one) => [`${one.line} ${one.path} ${one.message}`, one]));
  const sorted = [...distinct.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const more = sorted.length - MAX_MISTAKES;
  if (more <= 0) return sorted;
  return [...sorted.slice(0, MAX_MISTAKES), { path: '', line: undefined, message: `and ${more} more mistakes` }];
}

/** What is in force where nobody wrote a policy: the empty document. */
export const DEFAULT_POLICY: Policy = readDefault();

function readDefault(): Policy {
  const policy = readPolicy('', 'the default policy');
  if (policy.ok) return policy.value;
  throw new Error(formatMistakes('the default policy', policy.error));
}
