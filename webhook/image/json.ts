/** A JSON object as it came: nothing about its fields is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Neither `null` nor a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
