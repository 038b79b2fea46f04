/** A JSON object as it came: nothing about its fields is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Total readers for fields of untrusted JSON: own properties only, so that `constructor` and `__proto__` are data. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

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

/** A whole number above zero, `undefined` otherwise. */
export function countOf(value: unknown, key: string): number | undefined {
  const count = fieldOf(value, key);
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : undefined;
}
