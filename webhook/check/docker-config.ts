import { readFileSync } from 'node:fs';
import type { PullSecret } from '../credentials/credential.ts';
import type { SecretSource } from '../engine/pod-credentials.ts';
import { err, ok, type Result } from '../image/result.ts';

/** The images of the command line belong to no Pod: with `--docker-config` this account stands for theirs. */
export const DOCKER_CONFIG_ACCOUNT = '--docker-config';

/** A config.json as the pull secret that it would be. The error is one line for the user. */
export function readDockerConfig(file: string, namespace: string): Result<PullSecret> {
  try {
    const data = { '.dockerconfigjson': readFileSync(file, 'utf8') };
    return ok({ name: file, namespace, type: 'kubernetes.io/dockerconfigjson', data });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return err(`--docker-config ${file}: ${code === 'ENOENT' ? 'no such file' : 'cannot be read'}`);
  }
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
