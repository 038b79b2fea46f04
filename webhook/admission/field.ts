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
