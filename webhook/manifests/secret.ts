import { err, ok, type Result } from '../image/result.ts';

/** A Secret of a manifest, values decoded, as the API server would have stored it. */
export type ManifestSecret = {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
};

const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/u;

/** Reads a Secret's `data` and `stringData`; the latter wins, as in the API server. Errors never quote a value. */
export function readSecret(object: Readonly<Record<string, unknown>>, namespace: string): Result<ManifestSecret> {
  const metadata = fieldsOf(object['metadata']);
  const name = typeof metadata['name'] === 'string' ? metadata['name'] : '';
  const entries: [string, string][] = [];
  for (const [key, value] of Object.entries(fieldsOf(object['data']))) {
    if (typeof value !== 'string' || !BASE64.test(value)) {
      return err(`Secret ${name}: data[${JSON.stringify(key)}] is not base64; plain text belongs under stringData`);
    }
    entries.push([key, Buffer.from(value, 'base64').toString('utf8')]);
  }
  for (const [key, value] of Object.entries(fieldsOf(object['stringData']))) {
    if (typeof value !== 'string') return err(`Secret ${name}: stringData[${JSON.stringify(key)}] is not a string`);
    entries.push([key, value]);
  }
  return ok({
    namespace: typeof metadata['namespace'] === 'string' && metadata['namespace'] !== '' ? metadata['namespace'] : namespace,
    name,
    type: typeof object['type'] === 'string' ? object['type'] : 'Opaque',
    data: Object.fromEntries(entries),
  });
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
