import type { Finding } from '../outcome/finding.ts';
import type { PullSecret } from './credential.ts';
import { configTextOf, dataKeyOf, decodePullSecret } from './docker-config.ts';
import type { DockerConfigEntry } from './docker-config-entry.ts';
import type { ImageName } from './match.ts';
import { explainNearMiss, isKeyFor } from './near-miss.ts';
import { showKey } from './shown-key.ts';

/** What is read for advice, over all secrets: real ones have a few KiB, a hostile one 1 MiB and 100,000 entries. */
const MAX_CHARACTERS = 64 * 1024;
/** How many entries that do not match are looked at closely. */
const MAX_ENTRIES = 256;
/** More would explain nothing. */
const MAX_NEAR_MISSES = 8;

type OwnedEntry = { readonly secret: string; readonly entry: DockerConfigEntry };

/** What keeps the secrets from serving the image, though they are there. A malformed one is the keyring's to report. */
export function inspectSecrets(secrets: readonly PullSecret[], image: ImageName): readonly Finding[] {
  return [...secrets.flatMap(inspectKind), ...findTokenOnly(secrets, image)];
}

/** Keys that a small change would make match; nothing where one matches already. */
export function nearMisses(secrets: readonly PullSecret[], image: ImageName): readonly Finding[] {
  const entries = entriesOf(secrets);
  if (entries.some(({ entry }) => isKeyFor(entry.key, image))) return [];
  const findings: Finding[] = [];
  for (const { secret, entry } of entries.slice(0, MAX_ENTRIES)) {
    const reason = explainNearMiss(entry.key, image);
    if (reason === undefined) continue;
    const shown = showKey(entry.key);
    findings.push({ kind: 'key-nearly-matches', secret, entry: shown, image: `${image.host}/${image.path}`, reason });
    if (findings.length === MAX_NEAR_MISSES) break;
  }
  return findings;
}

/** Entries that match, and with which no registry lets anybody in: for where one did not. */
export function oddLogins(secrets: readonly PullSecret[], image: ImageName): readonly Finding[] {
  return entriesOf(secrets).flatMap(({ secret, entry }) => {
    const { username, password, ignoredToken } = entry;
    if (ignoredToken !== undefined || !isKeyFor(entry.key, image)) return [];
    const isOdd = [username, password].some((part) => part !== part.trim());
    const reason = username === '' && password === '' ? 'no-login' : isOdd ? 'white-space' : undefined;
    if (reason === undefined) return [];
    return [{ kind: 'pull-secret-odd-login' as const, secret, entry: showKey(entry.key), reason }];
  });
}

/** The kubelet passes such secrets over without a word (pull-parity C3). */
function inspectKind(secret: PullSecret): readonly Finding[] {
  const key = dataKeyOf(secret.type);
  if (key === undefined) return [{ kind: 'pull-secret-wrong-type', secret: secret.name, type: secret.type }];
  return configTextOf(secret) === undefined ? [{ kind: 'pull-secret-empty', secret: secret.name, key }] : [];
}

/** Logins by token, such as `az acr login` leaves them: to the kubelet they have no password (pull-parity C5). */
function findTokenOnly(secrets: readonly PullSecret[], image: ImageName): readonly Finding[] {
  return entriesOf(secrets).flatMap(({ secret, entry }) => {
    const field = entry.ignoredToken;
    if (field === undefined || entry.password !== '' || !isKeyFor(entry.key, image)) return [];
    return [{ kind: 'pull-secret-token-only' as const, secret, entry: showKey(entry.key), field }];
  });
}

function entriesOf(secrets: readonly PullSecret[]): readonly OwnedEntry[] {
  let left = MAX_CHARACTERS;
  return secrets.flatMap((secret) => {
    left -= configTextOf(secret)?.length ?? 0;
    const entries = left < 0 ? undefined : decodePullSecret(secret);
    return entries?.ok === true ? entries.value.map((entry) => ({ secret: secret.name, entry })) : [];
  });
}
