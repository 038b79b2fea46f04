import type { PullSecret } from '../credentials/credential.ts';
import { configTextOf } from '../credentials/docker-config.ts';
import { createKeyring, type Keyring } from '../credentials/keyring.ts';
import type { PodDemand } from '../admission/ports.ts';
import type { Finding } from '../outcome/finding.ts';
import { assertNever, err, ok, type Result } from '../image/result.ts';

export type SecretRead =
  | { readonly kind: 'found'; readonly secret: PullSecret }
  /** `elsewhere`: other namespaces that have one of that name, as far as they are at hand. */
  | { readonly kind: 'missing'; readonly elsewhere?: readonly string[] }
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

export type MalformedSecret = {
  readonly secret: string;
  readonly reason: string;
  readonly findings: readonly Finding[];
};

/** A Pod that names more is mistaken or hostile; the kubelet would read them all, so what is left out counts as unread. */
const MAX_SECRETS = 16;
/** Of all secrets of a Pod together. Real ones have a few KiB; one of 1 MiB takes half a second to decode. */
const MAX_CONFIG_CHARACTERS = 128 * 1024;

/** The logins of a Pod, as {@link gatherCredentials} finds them. */
export type ReadCredentials = (pod: PodDemand, signal: AbortSignal) => Promise<Result<PodCredentials, MalformedSecret>>;

/** Gathers them once for all images of a Pod; for the next review of the same Pod it looks again. */
export function createCredentialReader(source: SecretSource): ReadCredentials {
  const gathered = new WeakMap<PodDemand, ReturnType<ReadCredentials>>();
  return (pod, signal) => {
    const before = gathered.get(pod);
    if (before !== undefined) return before;
    const now = gatherCredentials(source, pod, signal);
    gathered.set(pod, now);
    // one image's deadline is not the next one's answer
    now.catch(() => gathered.delete(pod));
    return now;
  };
}

/**
 * The logins of a Pod, from its own namespace alone (design, rule 5): its own list, or its ServiceAccount's where that
 * list is empty (pull-parity C1). A missing secret is passed over (C2), a malformed one stops everything (C4).
 */
async function gatherCredentials(
  source: SecretSource,
  pod: PodDemand,
  signal: AbortSignal,
): Promise<Result<PodCredentials, MalformedSecret>> {
  const list = await listOf(source, pod, signal);
  // a list with an empty name is a list, but names nothing (pull-parity C1)
  const named = [...new Set(list.names)].filter((name) => name !== '');
  const wanted = named.slice(0, MAX_SECRETS);
  const reads = withinSize(
    await Promise.all(wanted.map(async (name) => ({ name, read: await source.secret(pod.namespace, name, signal) }))),
  );
  const secrets = reads.flatMap(({ read }) => (read.kind === 'found' ? [read.secret] : []));
  const findings = [...list.findings, ...reads.flatMap(({ name, read }) => findingOf(name, read))];
  const keyring = createKeyring(secrets);
  if (!keyring.ok) return err({ ...keyring.error, findings });
  return ok({
    keyring: keyring.value,
    secrets,
    findings,
    isMissingSome: list.isMissing || reads.some(({ read }) => read.kind === 'missing'),
    isUnread: list.isUnread || named.length > wanted.length || reads.some(({ read }) => isUnreadable(read)),
  });
}

type Read = { readonly name: string; readonly read: SecretRead | { readonly kind: 'too-large' } };

/** In the Pod's order, as far as the limit goes: what is left out counts as unread. */
function withinSize(reads: readonly Read[]): readonly Read[] {
  let left = MAX_CONFIG_CHARACTERS;
  return reads.map((one) => {
    if (one.read.kind !== 'found') return one;
    left -= configTextOf(one.read.secret)?.length ?? 0;
    return left < 0 ? { name: one.name, read: { kind: 'too-large' } } : one;
  });
}

type SecretList = {
  readonly names: readonly string[];
  readonly findings: readonly Finding[];
  readonly isMissing: boolean;
  readonly isUnread: boolean;
};

async function listOf(source: SecretSource, pod: PodDemand, signal: AbortSignal): Promise<SecretList> {
  const empty: SecretList = { names: [], findings: [], isMissing: false, isUnread: false };
  if (pod.imagePullSecrets.length > 0) return { ...empty, names: pod.imagePullSecrets };
  const account = await source.serviceAccount(pod.namespace, pod.serviceAccount, signal);
  if (account.kind === 'found') return { ...empty, names: account.imagePullSecrets };
  if (account.kind !== 'missing') return { ...empty, isUnread: true };
  const finding: Finding = { kind: 'service-account-missing', serviceAccount: pod.serviceAccount };
  return { ...empty, findings: [finding], isMissing: true };
}

function findingOf(secret: string, read: Read['read']): readonly Finding[] {
  switch (read.kind) {
    case 'found':
      return [];
    case 'missing':
      return [
        { kind: 'pull-secret-missing', secret, ...(read.elsewhere?.length ? { elsewhere: read.elsewhere } : {}) },
      ];
    case 'forbidden':
    case 'unavailable':
    case 'too-large':
      return [{ kind: 'pull-secret-unreadable', secret, reason: read.kind }];
    default:
      return assertNever(read);
  }
}

function isUnreadable({ kind }: Read['read']): boolean {
  return kind === 'forbidden' || kind === 'unavailable' || kind === 'too-large';
}
