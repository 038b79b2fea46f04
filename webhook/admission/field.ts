import { isJsonObject } from '../image/json.ts';

/** Total readers for fields of untrusted JSON: own properties only, so that `constructor` and `__proto__` are data. */
export function fieldOf(value: unknown, key: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Follows keys inwards: `fieldAt(pod, ['spec', 'os', 'name'])`. */
export function fieldAt(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce(fieldOf, value);
}

/** The text of a field, `''` where there is none: the API server's own reading of an absent string. */
export function textOf(value: unknown, key: string): string {
  const text = fieldOf(value, key);
  return typeof text === 'string' ? text : '';
}

/** The longest name in Kubernetes. */
const MAX_NAME_LENGTH = 253;

/** A name as far as it can be one, and one character more: what waits for registries must not hold megabytes of text. */
export function nameOf(value: unknown, key: string, max = MAX_NAME_LENGTH + 1): string {
  return cutText(textOf(value, key), max);
}

/** A copy of the first `max` characters: what `slice` gives holds on to the whole text. */
export function cutText(text: string, max: number): string {
  return text.length <= max ? text : Buffer.from(text.slice(0, max), 'utf16le').toString('utf16le');
}

/** The entries of a field, none where it is no list. */
export function listOf(value: unknown, key: string): readonly unknown[] {
  const list = fieldOf(value, key);
  return Array.isArray(list) ? list : [];
}

/** A whole number, not below zero, `undefined` otherwise. */
export function wholeOf(value: unknown, key: string): number | undefined {
  const count = fieldOf(value, key);
  return isWhole(count) ? count : undefined;
}

/** A whole number above zero, `undefined` otherwise. */
export function countOf(value: unknown, key: string): number | undefined {
  const count = wholeOf(value, key);
  return count === 0 ? undefined : count;
}

export function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
