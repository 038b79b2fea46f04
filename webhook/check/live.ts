import type { DeclaredFiles } from '../engine/node-setup.ts';
import type { SecretSource } from '../engine/pod-credentials.ts';
import { err, ok, type Result } from '../image/result.ts';
import { createKubeApi, type KubeApi } from '../kube/api.ts';
import { readConfigMap } from '../kube/config-map-watch.ts';
import { describeFailure } from '../kube/failure.ts';
import { readNodes, type NodesRead } from '../kube/node-list.ts';
import { viewNodes, type NodeView } from '../kube/node-view.ts';
import { createSecretReader, MAX_TTL_MS } from '../kube/secrets.ts';
import { createServiceAccountReader } from '../kube/service-accounts.ts';
import type { Manifests } from '../manifests/manifests.ts';
import { manifestSecretSource } from '../manifests/secret-source.ts';
import { POLICY_KEY, readDeclaredFiles } from '../policy-source.ts';
import { readPolicy } from '../policy/load.ts';
import type { Policy } from '../policy/policy.ts';

/** A cluster that a check reads from: never written to. */
export type LiveCluster = {
  readonly api: KubeApi;
  /** Of the context, where it names one. */
  readonly namespace: string | undefined;
  /** The policy in force there; `undefined` where Pullguard is not installed or may not be read. */
  readonly policy: Policy | undefined;
  /** Its Nodes, as of now; where they could not be read, nothing about them is known. */
  readonly nodes: NodeView;
  /** Said once before the results: why the policy is not the cluster's. */
  readonly policyNotices: readonly string[];
  /** The same of the Nodes. */
  readonly nodesNotices: readonly string[];
  /** What a policy names in Pullguard's own namespace there. */
  readonly filesOf: (policy: Policy) => Promise<{ readonly files: DeclaredFiles; readonly missing: readonly string[] }>;
};

/** Where `install.yaml` puts the policy. */
const NAMESPACE = 'pullguard';
const NAME = 'pullguard-policy';
/** A person waits, but a proxy may be slow to answer the first call. */
const READ_TIMEOUT_MS = 10_000;
/** A run speaks of one moment: it need not look again so soon as a webhook must. */
const READING = Object.freeze({ timeoutMs: READ_TIMEOUT_MS, ttlMs: MAX_TTL_MS, negativeTtlMs: MAX_TTL_MS });

/**
 * Opens the cluster of a kubeconfig, for a command of that name, and reads the policy and the Nodes there. The error is
 * one line for the user.
 */
export async function openLive(
  flags: { readonly kubeconfig: string | undefined; readonly context: string | undefined },
  command: 'check' | 'scan',
): Promise<Result<LiveCluster>> {
  let api: KubeApi;
  try {
    api = createKubeApi(
      flags.kubeconfig === undefined
        ? { from: 'default', context: flags.context }
        : { from: 'file', file: flags.kubeconfig, context: flags.context },
    );
  } catch (error) {
    return err(error instanceof Error ? error.message : 'the kubeconfig cannot be used');
  }
  const map = await readConfigMap(api, NAMESPACE, NAME);
  const where = `ConfigMap ${NAMESPACE}/${NAME}`;
  if (map.kind === 'unavailable') {
    await api.close();
    return err(`the cluster at ${api.server} ${map.reason}`);
  }
  const policy = map.kind === 'found' ? readPolicy(map.data[POLICY_KEY] ?? '', where) : undefined;
  const nodes = await readNodes(api);
  return ok({
    api,
    namespace: api.namespace,
    policy: policy?.ok === true ? policy.value : undefined,
    nodes: nodes.kind === 'found' ? nodes.nodes : viewNodes({ nodes: () => [], areAll: () => false }),
    policyNotices: policy?.ok === true ? [] : [`${where} ${STATE[map.kind]}: the defaults of "${command}" hold`],
    nodesNotices: noticesOf(nodes),
    filesOf: (named) => {
      const secrets = createSecretReader(api, { timeoutMs: READ_TIMEOUT_MS });
      return readDeclaredFiles({ api, secrets, namespace: NAMESPACE }, named);
    },
  });
}

const STATE = Object.freeze({ found: 'has mistakes', missing: 'is not there', forbidden: 'may not be read' });

/** What is not known of Nodes is said. */
function noticesOf(read: NodesRead): readonly string[] {
  if (read.kind === 'found') {
    return read.isWhole ? [] : ['there are more Nodes than are read: what the others hold is not known'];
  }
  const why =
    read.kind === 'forbidden'
      ? 'may not be read ("list" on nodes is refused, 403)'
      : `could not be read (the API server ${describeFailure(read)})`;
  return [`the Nodes ${why}: --runtime and --platform say what they are, and what they hold is not known`];
}

/** Secrets and ServiceAccounts: those of the manifests, as they are about to be applied, and behind them the live ones. */
export function liveSecretSource(
  api: KubeApi,
  manifests: Pick<Manifests, 'secrets' | 'serviceAccounts'>,
): SecretSource {
  const given = manifestSecretSource(manifests);
  const secrets = createSecretReader(api, READING);
  const accounts = createServiceAccountReader(api, READING);
  const accountsGiven = new Set(manifests.serviceAccounts.map(({ namespace, name }) => `${namespace}/${name}`));
  return {
    secret: async (namespace, name, signal) => {
      const own = await given.secret(namespace, name);
      if (own.kind === 'found') return own;
      const read = await secrets.read(namespace, name, signal);
      return read.kind === 'missing' ? own : read;
    },
    serviceAccount: async (namespace, name, signal) =>
      accountsGiven.has(`${namespace}/${name}`)
        ? given.serviceAccount(namespace, name)
        : accounts.read(namespace, name, signal),
  };
}
