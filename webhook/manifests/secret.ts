import { fieldOf, textOf } from '../admission/field.ts';
import { isJsonObject } from '../image/json.ts';
import { err, ok, type Result } from '../image/result.ts';
import { quote } from '../outcome/printable.ts';

/** A Secret of a manifest, values decoded, as the API server would have stored it. */
export type ManifestSecret = {
  /** As the object says; `''` where it does not. */
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
};

/** `at` are the keys that lead to it. */
export type SecretMistake = { readonly at: readonly string[]; readonly reason: string };

/** As Go decodes it: padded, and line breaks do not count. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/u;

/** Reads a Secret's `data` and `stringData`; the latter wins, as in the API server. Mistakes never quote a value. */
export function readSecret(object: Readonly<Record<string, unknown>>): Result<ManifestSecret, SecretMistake> {
  const metadata = fieldOf(object, 'metadata');
  const name = textOf(metadata, 'name');
  const label = name === '' ? 'Secret without a name' : `Secret ${quote(name, 80)}`;
  const entries: [string, string][] = [];
  for (const [key, value] of entriesOf(object, 'data')) {
    const text = value === null ? '' : typeof value === 'string' ? value.replace(/[\r\n]/gu, '') : undefined;
    if (text === undefined || !BASE64.test(text)) {
      const reason = `${label}: data[${quote(key, 80)}] is not base64; plain text belongs under stringData`;
      return err({ at: ['data', key], reason });
    }
    entries.push([key, Buffer.from(text, 'base64').toString('utf8')]);
  }
  for (const [key, value] of entriesOf(object, 'stringData')) {
    if (typeof value !== 'string') {
      return err({ at: ['stringData', key], reason: `${label}: stringData[${quote(key, 80)}] is not a string` });
    }
    entries.push([key, value]);
  }
  return ok({
    namespace: textOf(metadata, 'namespace'),
    name,
    type: textOf(object, 'type') || 'Opaque',
    data: Object.fromEntries(entries),
  });
}

function entriesOf(object: Readonly<Record<string, unknown>>, field: string): readonly (readonly [string, unknown])[] {
  const value = fieldOf(object, field);
  return isJsonObject(value) ? Object.entries(value) : [];
}
