import { err, ok, type Result } from '../image/result.ts';
import { decodeBase64 } from './base64.ts';
import { isJsonObject } from '../image/json.ts';
import { membersOf } from './json-members.ts';
import { describeMismatch, isField } from './go-json.ts';

/** One entry of a docker config, as the kubelet reads it (pull-parity C5). `key` is as written. */
export type DockerConfigEntry = {
  readonly key: string;
  readonly username: string;
  readonly password: string;
  /** A field that the docker CLI would log in with and the kubelet ignores, where it is there and not empty. */
  readonly ignoredToken: 'identitytoken' | 'registrytoken' | undefined;
};

const FIELDS = ['username', 'password', 'email', 'auth'] as const;
const TOKENS = ['identitytoken', 'registrytoken'] as const;
const GO_STRUCT = 'dockerConfigEntryWithAuth';

/**
 * Reads every entry of the text of `{"registry": {...}}`, the last of one key for the last time. `context` is the Go
 * field that holds them, which the error names: `DockerConfigJSON.auths`, or nothing in the older format. The first bad
 * entry ends it, and is told by its place among several.
 */
export function decodeEntries(entries: string, context: string | undefined): Result<readonly DockerConfigEntry[]> {
  const decoded = new Map<string, DockerConfigEntry>();
  const members = membersOf(entries);
  for (const [at, [key, text]] of members.entries()) {
    const entry = decodeEntry(key, text, context);
    // by its place: who mistakes a key for a value, or one field for another, has written secrets there
    if (!entry.ok) return members.length === 1 ? entry : err(`entry ${at + 1} of ${members.length}: ${entry.error}`);
    decoded.set(key, entry.value);
  }
  return ok([...decoded.values()]);
}

/** `null` and `{}` are an entry without a name, which is an anonymous pull (pull-parity C9). */
function decodeEntry(key: string, text: string, context: string | undefined): Result<DockerConfigEntry> {
  const value: unknown = JSON.parse(text);
  if (value !== null && !isJsonObject(value)) {
    const target = context === undefined ? 'Go value' : `Go struct field ${context}`;
    return err(describeMismatch(value, `${target} of type credentialprovider.${GO_STRUCT}`));
  }
  const fields = { username: '', password: '', email: '', auth: '' };
  let ignoredToken: DockerConfigEntry['ignoredToken'];
  for (const [name, written] of value === null ? [] : membersOf(text)) {
    const member: unknown = JSON.parse(written);
    const field = FIELDS.find((known) => isField(name, known));
    if (field === undefined) {
      const isSet = typeof member === 'string' && member !== '';
      ignoredToken ??= isSet ? TOKENS.find((known) => isField(name, known)) : undefined;
    } else if (typeof member === 'string') {
      fields[field] = member;
    } else if (member !== null) {
      return err(describeMismatch(member, `Go struct field ${context ?? GO_STRUCT}.${field} of type string`));
    }
  }
  if (fields.auth === '') return ok({ key, username: fields.username, password: fields.password, ignoredToken });
  const login = decodeAuth(fields.auth);
  return login.ok ? ok({ key, ...login.value, ignoredToken }) : login;
}

/** `auth` wins over the two plain fields, and splits at its first ":". */
function decodeAuth(auth: string): Result<{ readonly username: string; readonly password: string }> {
  const decoded = decodeBase64(auth);
  if (!decoded.ok) return decoded;
  const text = decoded.value.toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return err('unable to parse auth field, must be formatted as base64(username:password)');
  return ok({ username: text.slice(0, colon), password: text.slice(colon + 1) });
}
