import type { Manifests } from './manifests.ts';

type SecretFound = {
  readonly kind: 'found';
  readonly secret: {
    readonly name: string;
    readonly namespace: string;
    readonly type: string;
    readonly data: Readonly<Record<string, string>>;
  };
};
type AccountFound = { readonly kind: 'found'; readonly imagePullSecrets: readonly string[] };
type Missing = { readonly kind: 'missing' };
/** The namespaces of the manifests that have one of that name. */
type SecretMissing = Missing & { readonly elsewhere: readonly string[] };

export type ManifestSecretSource = {
  readonly secret: (namespace: string, name: string) => Promise<SecretFound | SecretMissing>;
  readonly serviceAccount: (namespace: string, name: string) => Promise<AccountFound | Missing>;
};

/**
 * Secrets and ServiceAccounts as the manifests have them. `default` exists in every namespace, so that where the
 * manifests do not give it, it is there without pull secrets; any other ServiceAccount is missing.
 */
export function manifestSecretSource(manifests: Pick<Manifests, 'secrets' | 'serviceAccounts'>): ManifestSecretSource {
  const secrets = new Map(manifests.secrets.map((secret) => [key(secret.namespace, secret.name), secret]));
  const accounts = new Map(manifests.serviceAccounts.map((account) => [key(account.namespace, account.name), account]));
  return {
    secret: async (namespace, name) => {
      const secret = secrets.get(key(namespace, name));
      if (secret !== undefined) return { kind: 'found', secret };
      const elsewhere = manifests.secrets.filter((one) => one.name === name).map((one) => one.namespace);
      return { kind: 'missing', elsewhere: [...new Set(elsewhere)] };
    },
    serviceAccount: async (namespace, name) => {
      const account = accounts.get(key(namespace, name));
      if (account !== undefined) return { kind: 'found', imagePullSecrets: account.imagePullSecrets };
      return name === 'default' ? { kind: 'found', imagePullSecrets: [] } : { kind: 'missing' };
    },
  };
}

const key = (namespace: string, name: string): string => `${namespace}/${name}`;
