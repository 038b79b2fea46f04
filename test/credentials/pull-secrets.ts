import type { Credential, PullSecret } from '../../webhook/credentials/credential.ts';
import { createKeyring } from '../../webhook/credentials/keyring.ts';
import type { ImageName } from '../../webhook/credentials/match.ts';

/** A secret of the usual type, with `text` where the kubelet looks. */
export function secretWith(text: string, name = 'pull'): PullSecret {
  return { name, namespace: 'team', type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': text } };
}

/** A secret of the older type, which has no "auths" around its entries. */
export function legacySecretWith(text: string, name = 'pull'): PullSecret {
  return { name, namespace: 'team', type: 'kubernetes.io/dockercfg', data: { '.dockercfg': text } };
}

/** A secret with one login for each key; the password is the key, so that a test sees which one was taken. */
export function secretFor(keys: readonly string[], name = 'pull'): PullSecret {
  const entries = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify({ username: name, password: key })}`);
  return secretWith(`{"auths":{${entries.join(',')}}}`, name);
}

/** What a keyring of these secrets tries for the image. Throws where the keyring cannot be built. */
export function credentialsFrom(secrets: readonly PullSecret[], image: ImageName): readonly Credential[] {
  const keyring = createKeyring(secrets);
  if (!keyring.ok) throw new Error(`secret "${keyring.error.secret}": ${keyring.error.reason}`);
  return keyring.value.credentialsFor(image);
}

/** `reg.io:5000/team/app` as the host and the path that a reference would have. */
export function imageOf(name: string): ImageName {
  const slash = name.indexOf('/');
  return { host: name.slice(0, slash), path: name.slice(slash + 1) };
}

export const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
