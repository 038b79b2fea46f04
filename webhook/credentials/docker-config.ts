import { err, ok, type Result } from '../image/result.ts';
import type { PullSecret } from './credential.ts';
import { decodeEntries, type DockerConfigEntry } from './docker-config-entry.ts';
import { isJsonObject } from '../image/json.ts';
import { membersOf } from './json-members.ts';
import { describeMismatch, isField } from './go-json.ts';

type DataKey = '.dockerconfigjson' | '.dockercfg';

/** The one data key that counts in a secret of each type; other types are not looked at (pull-parity C3). */
const DATA_KEYS: ReadonlyMap<string, DataKey> = new Map([
  ['kubernetes.io/dockerconfigjson', '.dockerconfigjson'],
  ['kubernetes.io/dockercfg', '.dockercfg'],
]);

const AUTHS = 'DockerConfigJSON.auths';
const HEADERS = 'DockerConfigJSON.HttpHeaders';

/** The data key that counts in a secret of `type`, `undefined` where the kubelet ignores the type. */
export function dataKeyOf(type: string): DataKey | undefined {
  return DATA_KEYS.get(type);
}

/** The text under that key, `undefined` where it is absent or empty. */
export function configTextOf(secret: PullSecret): string | undefined {
  const key = dataKeyOf(secret.type);
  if (key === undefined || !Object.hasOwn(secret.data, key)) return undefined;
  const text = secret.data[key];
  return text === '' ? undefined : text;
}

/**
 * Reads one pull secret as Go's encoding/json reads it into the kubelet's structs; one that the kubelet ignores has
 * no entries. The error is the sentence that the Pod's status would show (pull-parity C4), after the
 * place of the entry among several, without any content.
 */
export function decodePullSecret(secret: PullSecret): Result<readonly DockerConfigEntry[]> {
  const key = dataKeyOf(secret.type);
  const text = configTextOf(secret);
  if (key === undefined || text === undefined) return ok([]);
  const document = parseJson(text, key);
  if (!document.ok) return document;
  const value = document.value;
  if (value === null) return ok([]);
  const isLegacy = key === '.dockercfg';
  if (isJsonObject(value)) return isLegacy ? decodeEntries(text, undefined) : decodeConfig(text);
  return err(describeMismatch(value, `Go value of type credentialprovider.DockerConfig${isLegacy ? '' : 'JSON'}`));
}

/** `JSON.parse` takes the grammar that Go takes; its message quotes the text, so it is never passed on. */
function parseJson(text: string, key: DataKey): Result<unknown> {
  if (text.startsWith('\uFEFF')) return err(`the value of ${key} starts with a byte order mark, which JSON forbids`);
  try {
    return ok(JSON.parse(text));
  } catch {
    return err(`the value of ${key} is not valid JSON`);
  }
}

/**
 * `{"auths": {...}, "HttpHeaders": {...}}`. Two of "auths" fill the same map, in one spelling too. A bad entry is reported before
 * a member of the wrong type, whichever comes first, and headers must be sound though nothing uses them.
 */
function decodeConfig(config: string): Result<readonly DockerConfigEntry[]> {
  const entries = new Map<string, DockerConfigEntry>();
  const mismatches: string[] = [];
  for (const [name, text] of membersOf(config)) {
    const member: unknown = JSON.parse(text);
    if (isField(name, 'HttpHeaders')) {
      mismatches.push(...findHeaderMismatches(member, text));
    } else if (isField(name, 'auths') && isJsonObject(member)) {
      const decoded = decodeEntries(text, AUTHS);
      if (!decoded.ok) return decoded;
      for (const entry of decoded.value) entries.set(entry.key, entry);
    } else if (isField(name, 'auths') && member === null) {
      entries.clear();
    } else if (isField(name, 'auths')) {
      mismatches.push(describeMismatch(member, `Go struct field ${AUTHS} of type credentialprovider.DockerConfig`));
    }
  }
  const first = mismatches[0];
  return first === undefined ? ok([...entries.values()]) : err(first);
}

function findHeaderMismatches(headers: unknown, text: string): readonly string[] {
  if (headers === null) return [];
  if (!isJsonObject(headers))
    return [describeMismatch(headers, `Go struct field ${HEADERS} of type map[string]string`)];
  const values = membersOf(text).map(([, value]): unknown => JSON.parse(value));
  const bad = values.find((value) => value !== null && typeof value !== 'string');
  return bad === undefined ? [] : [describeMismatch(bad, `Go struct field ${HEADERS} of type string`)];
}
