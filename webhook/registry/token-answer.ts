import { err, ok, type Result } from '../image/result.ts';
import type { Reading } from './wire.ts';

/** Tokens are a few kilobytes; some carry group lists. */
export const MAX_TOKEN_BYTES = 64 * 1024;
/** A token goes into a header: visible ASCII only. */
const TOKEN_SHAPE = /^[\x21-\x7e]+$/u;

/** The token in a token service's answer (Docker Registry v2 authentication, "Token Response Fields"). */
export function readToken({ bytes, ending }: Reading): Result<string> {
  if (ending !== 'whole') return err('the token service sent more than a token, or broke off');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return err('the token service did not answer in JSON');
  }
  const token = tokenIn(value);
  return token !== undefined && TOKEN_SHAPE.test(token)
    ? ok(token)
    : err('the token service did not include a token in its answer');
}

/** `access_token` beats `token` (pull-parity D5). */
function tokenIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const tokens = [
    Object.hasOwn(value, 'access_token') && 'access_token' in value ? value.access_token : undefined,
    Object.hasOwn(value, 'token') && 'token' in value ? value.token : undefined,
  ];
  return tokens.find((one): one is string => typeof one === 'string' && one !== '');
}
