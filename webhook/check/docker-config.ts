import { createKeyring } from '../credentials/keyring.ts';
import type { PullSecret } from '../credentials/credential.ts';
import type { SecretSource } from '../engine/pod-credentials.ts';
import { readText } from '../file/read-text.ts';
import { err, ok, type Result } from '../image/result.ts';

/** The images of the command line belong to no Pod: with `--docker-config` this account stands for theirs. No object is called so. */
export const DOCKER_CONFIG_ACCOUNT = '--docker-config';

export type DockerConfig = {
  /** The pull secret that the file would be. */
  readonly secret: PullSecret;
  /** One line where the logins are elsewhere. */
  readonly notice: string | undefined;
};

/** Reads a config.json. The error is one line for the user, without any content of the file. */
export function readDockerConfig(file: string): Result<DockerConfig> {
  const text = readText(file);
  if (!text.ok) return err(`--docker-config ${file}: ${text.error}`);
  if (text.value === '') return err(`--docker-config ${file}: is empty`);
  const secret: PullSecret = {
    // with the flag before it, so that no Secret of a manifest is called so
    name: `--docker-config ${file}`,
    namespace: '',
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': text.value },
  };
  const keyring = createKeyring([secret]);
  if (!keyring.ok) {
    const reason = keyring.error.reason.replace('the value of .dockerconfigjson ', '');
    return err(`--docker-config ${file}: ${reason}`);
  }
  const notice = namesHelper(text.value)
    ? `--docker-config ${file}: logins that it leaves to a credential helper (credsStore, credHelpers) are not used; ` +
      'nodes run no such helper, and a pull secret holds the login itself'
    : undefined;
  return ok({ secret, notice });
}

function namesHelper(text: string): boolean {
  const config: unknown = JSON.parse(text);
  return typeof config === 'object' && config !== null && ('credsStore' in config || 'credHelpers' in config);
}

/** `source`, and for the images of the command line the logins of a config.json. */
export function withDockerConfig(source: SecretSource, secret: PullSecret): SecretSource {
  return {
    secret: async (namespace, name, signal) =>
      name === secret.name ? { kind: 'found', secret } : source.secret(namespace, name, signal),
    serviceAccount: async (namespace, name, signal) =>
      name === DOCKER_CONFIG_ACCOUNT
        ? { kind: 'found', imagePullSecrets: [secret.name] }
        : source.serviceAccount(namespace, name, signal),
  };
}
