import { isJsonObject, type JsonObject } from './json.ts';
import { beyondBounds, type JsonBounds } from './json-bounds.ts';
import { err, ok, type Result } from './result.ts';

// The documents of an image, as Go's encoding/json reads them in every runtime.

/** So many entries with platforms have some 45,000 marks. Go reads no deeper either (encoding/json, `maxNestingDepth`). */
const BOUNDS: JsonBounds = Object.freeze({ depth: 10_000, marks: 64 * 1024 });

/** Whether a document can be read at all without taking more memory and time than it is worth. */
export function isWithinBounds(bytes: Uint8Array): boolean {
  return beyondBounds(bytes, BOUNDS) === undefined;
}

/** Reads an object, whose names are in the spelling of the specification then. The error says what it is not. */
export function parseObject(bytes: Uint8Array): Result<JsonObject> {
  let value: unknown;
  try {
    // Go's encoding/json takes no byte order mark, and without this option the decoder would swallow it
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    value = DECIMAL_SIZE.test(text) ? JSON.parse(text, keepDecimalSize) : JSON.parse(text);
  } catch {
    return err('it is not JSON');
  }
  return isJsonObject(value) ? ok(inGoSpelling(value)) : err('it is not a JSON object');
}

/** 7.0 and 7e0 are whole numbers to JSON.parse, and none to Go. Most texts have no such thing. */
const DECIMAL_SIZE = /"size"\s*:\s*-?\d+[.e]/iu;

/** The third argument has the text of a number as `source`, of which TypeScript's library does not know yet. */
function keepDecimalSize(key: string, value: unknown, ...[context]: readonly unknown[]): unknown {
  if (typeof value !== 'number' || key.toLowerCase() !== 'size' || !isJsonObject(context)) return value;
  const { source } = context;
  return typeof source === 'string' && /[.e]/iu.test(source) ? source : value;
}

const FIELDS: ReadonlyMap<string, string> = new Map(
  (
    'mediaType fsLayers manifests config layers digest size urls platform ' +
    'os architecture variant os.version os.features rootfs diff_ids'
  )
    .split(' ')
    .map((name) => [name.toLowerCase(), name]),
);

const spelled = (name: string): string => FIELDS.get(name.toLowerCase()) ?? name;

/** Go's encoding/json heeds no case in the names of fields. */
export function inGoSpelling(value: JsonObject): JsonObject {
  if (Object.keys(value).every((name) => spelled(name) === name)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [spelled(name), member]));
}

/** Anything but `null` is there, even an empty list. A `null` is to containerd, but not to docker: an oddity. */
export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
