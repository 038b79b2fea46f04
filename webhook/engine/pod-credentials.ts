import type { PullSecret } from '../credentials/credential.ts';
import { createKeyring, type Keyring } from '../credentials/keyring.ts';
import type { PodDemand } from '../admission/ports.ts';
import type { Finding } from '../outcome/finding.ts';
import { err, ok, type Result } from '../image/result.ts';

export type SecretRead =
  | { readonly kind: 'found'; readonly secret: PullSecret }
  | { readonly kind: 'missing' }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'unavailable'; readonly reason: string };

export type ServiceAccountRead =
  | { readonly kind: 'found'; readonly imagePullSecrets: readonly string[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Where pull secrets come from: the API, the manifests of a `check`, or nowhere. */
export type SecretSource = {
  readonly secret: (namespace: string, name: string, signal: AbortSignal) => Promise<SecretRead>;
  readonly serviceAccount: (namespace: string, name: string, signal: AbortSignal) => Promise<ServiceAccountRead>;
};

/** What a Pod's pulls may use. */
export type PodCredentials = {
  readonly keyring: Keyring;
  readonly secrets: readonly PullSecret[];
  readonly findings: readonly Finding[];
  /** A Secret or ServiceAccount is not there (yet). */
  readonly isMissingSome: boolean;
  /** A Secret or ServiceAccount could not be read, so its logins are unknown. */
  readonly isUnread: boolean;
};

export type MalformedSecret = { readonly secret: string; readonly reason: string; readonly findings: readonly Finding[] };

/** A Pod that names more is mistaken or hostile; the kubelet would read them all. */
const MAX_SECRETS = 16;

/**
 * The logins of a Pod, from its own namespace alone (design, rule 5): its own list, or its ServiceAccount's where that
 * list is empty (pull-parity C1). A missing secret is passed over (C2), a malformed one stops everything (C4).
 */
export async function gatherCredentials(
  source: SecretSource,
  pod: PodDemand,
  signal: AbortSignal,
): Promise<Result<PodCredentials, MalformedSecret>> {
  const findings: Finding[] = [];
  let isMissingSome = false;
  let isUnread = false;
  let names = pod.imagePullSecrets;
  if (names.length === 0) {
    const account = await source.serviceAccount(pod.namespace, pod.serviceAccount, signal);
    if (account.kind === 'found') names = account.imagePullSecrets;
    else if (account.kind === 'missing') {
      findings.push({ kind: 'service-account-missing', serviceAccount: pod.serviceAccount });
      isMissingSome = true;
    } else {
      isUnread = true;
    }
  }
  const wanted = [...new Set(names)].filter((name) => name !== '').slice(0, MAX_SECRETS);
  const reads = await Promise.all(
    wanted.map(async (name) => ({ name, read: await source.secret(pod.namespace, name, signal) })),
  );
  const secrets: PullSecret[] = [];
  for (const { name, read } of reads) {
    if (read.kind === 'found') secrets.push(read.secret);
    else if (read.kind === 'missing') {
      findings.push({ kind: 'pull-secret-missing', secret: name });
      isMissingSome = true;
    } else {
      findings.push({ kind: 'pull-secret-unreadable', secret: name, reason: read.kind });
      isUnread = true;
    }
  }
  const keyring = createKeyring(secrets);
  if (!keyring.ok) return err({ ...keyring.error, findings });
  return ok({ keyring: keyring.value, secrets, findings, isMissingSome, isUnread });
}
