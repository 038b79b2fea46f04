import { isGoTime } from '../image/go-time.ts';
import { isJsonObject } from '../image/json.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { Reading } from './wire.ts';

/** Tokens are a few kilobytes; some carry group lists. */
export const MAX_TOKEN_BYTES = 64 * 1024;
/** A token goes into a header: visible ASCII only. */
const TOKEN_SHAPE = /^[\x21-\x7e]+$/u;

export type TokenName = 'access_token' | 'token';

/** A token and how long it is good for, where the token service says so. */
export type Token = { readonly token: string; readonly expiresInSeconds: number | undefined };

/** What Go's structs take for each field of an answer; of another type it fails the whole of it (pull-parity D5). */
const FIELDS: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['token', isText],
  ['access_token', isText],
  ['refresh_token', isText],
  ['expires_in', (value) => Number.isSafeInteger(value)],
  ['issued_at', (value) => typeof value === 'string' && isGoTime(value)],
]);

/**
 * The token in a token service's answer (Docker Registry v2 authentication, "Token Response Fields"). `names` are those
 * under which the runtime looks for it, the first that is not empty.
 */
export function readToken({ bytes, ending }: Reading, names: readonly TokenName[]): Result<Token> {
  if (ending !== 'whole') return err('the token service sent more than a token, or broke off');
  let value: unknown;
  try {
    value = parseFirst(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  } catch {
    return err('the token service did not answer in JSON');
  }
  const fields = fieldsOf(value);
  if (fields === undefined) return err('the token service answered in JSON that no runtime reads');
  const { texts, expiresInSeconds } = fields;
  const token = names.map((name) => texts.get(name)).find((one) => one !== undefined);
  return token !== undefined && TOKEN_SHAPE.test(token)
    ? ok({ token, expiresInSeconds })
    : err('the token service did not include a token in its answer');
}

/** Go's decoder reads one value, and pays no heed to what comes after it. */
function parseFirst(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const end = /after JSON at position (?<end>\d+)/u.exec(String(error))?.groups?.['end'];
    if (end === undefined) throw error;
    return JSON.parse(text.slice(0, Number(end)));
  }
}

type Fields = Pick<Token, 'expiresInSeconds'> & {
  /** Those that are not empty. */
  readonly texts: ReadonlyMap<string, string>;
};

/** Go heeds no case in names, and takes null for nothing. */
function fieldsOf(value: unknown): Fields | undefined {
  if (!isJsonObject(value)) return undefined;
  const texts = new Map<string, string>();
  let expiresInSeconds: number | undefined;
  for (const [written, field] of Object.entries(value)) {
    const name = written.toLowerCase();
    const isSound = FIELDS.get(name);
    if (isSound === undefined || field === null) continue;
    if (!isSound(field)) return undefined;
    if (typeof field === 'string' && field !== '') texts.set(name, field);
    // what is not positive is no limit to containerd
    if (typeof field === 'number') expiresInSeconds = field > 0 ? field : undefined;
  }
  return { texts, expiresInSeconds };
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}
