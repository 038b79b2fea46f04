import { err, ok, type Result } from '../image/result.ts';
import type { Credential, PullSecret } from './credential.ts';
import { decodePullSecret } from './docker-config.ts';
import type { DockerConfigEntry } from './docker-config-entry.ts';
import {
  couldMatch,
  HUB_INDEX,
  isDefaultRegistry,
  matchTargetOf,
  parseKey,
  type ImageName,
  type KeyPattern,
  type MatchTarget,
} from './match.ts';
import { showKey } from './shown-key.ts';

/** All logins of a Pod's pull secrets (pull-parity C8). */
export type Keyring = {
  /**
   * What the kubelet would try for an image, in its order and with its duplicates. Where it is empty the pull is
   * anonymous; where it is not, there is no anonymous attempt, but for an entry without a username (C9).
   */
  readonly credentialsFor: (image: ImageName) => readonly Credential[];
};

type OwnedEntry = {
  readonly secret: string;
  readonly entry: DockerConfigEntry;
  readonly pattern: () => KeyPattern | undefined;
};

/**
 * Builds the keyring from the secrets in the Pod's order. One malformed entry in any of them fails all, as it stops
 * every pull of the Pod (pull-parity C4); `reason` is the sentence in the Pod's status.
 */
export function createKeyring(
  secrets: readonly PullSecret[],
): Result<Keyring, { readonly secret: string; readonly reason: string }> {
  const ring: OwnedEntry[] = [];
  for (const secret of secrets) {
    const entries = decodePullSecret(secret);
    if (!entries.ok) return err({ secret: secret.name, reason: entries.error });
    for (const entry of entries.value) {
      ring.push({ secret: secret.name, entry, pattern: once(() => parseKey(entry.key)) });
    }
  }
  return ok({ credentialsFor: (image) => lookUp(ring, image) });
}

/** Keys are read when an image may fall under them: a secret may have 100,000 entries for one that counts. */
function lookUp(ring: readonly OwnedEntry[], image: ImageName): readonly Credential[] {
  const target = matchTargetOf(image);
  const matching = target === undefined ? [] : ring.filter((owned) => isMatch(owned, target));
  if (matching.length > 0) return inOrder(matching);
  if (!isDefaultRegistry(image.host)) return [];
  return inOrder(ring.filter(({ entry, pattern }) => entry.key.includes(HUB_INDEX) && pattern()?.index === HUB_INDEX));
}

function isMatch({ entry, pattern }: OwnedEntry, target: MatchTarget): boolean {
  return couldMatch(entry.key, target) && pattern()?.matches(target) === true;
}

/** Reverse lexical order of the indexes; the sort is stable, so within one the secrets keep their order. */
function inOrder(matching: readonly OwnedEntry[]): readonly Credential[] {
  const indexed = matching.map((owned) => ({ index: owned.pattern()?.index ?? '', ...owned }));
  return indexed
    .sort((a, b) => compareReversed(a.index, b.index))
    .map(({ secret, entry: { key, username, password } }) => ({ username, password, secret, key: showKey(key) }));
}

/** Go sorts by bytes. Indexes that match an image are ASCII, where code units compare alike. */
function compareReversed(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? 1 : -1;
}

function once<T>(read: () => T): () => T {
  let held: { readonly value: T } | undefined;
  return () => (held ??= { value: read() }).value;
}
