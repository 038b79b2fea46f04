import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';
import type { SecretSource } from './engine/pod-credentials.ts';
import { createKubeApi, type KubeApi } from './kube/api.ts';
import { watchNodes, type NodeWatch } from './kube/nodes.ts';
import { createSecretReader, type SecretReader } from './kube/secrets.ts';
import { createServiceAccountReader } from './kube/service-accounts.ts';

const IN_CLUSTER_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** The cluster that `serve` works for: its API, what is watched of it, and what is read when it is asked for. */
export type Cluster = {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly nodes: NodeWatch;
  readonly secretReader: SecretReader;
  readonly secrets: SecretSource;
  readonly close: () => Promise<void>;
};

export type ClusterOptions = {
  /** Of the process: a Pod's says that it is one. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The time for one Secret or ServiceAccount, by the policy in force. */
  readonly secretMs: () => number;
  /** Told why Nodes are not read, when that begins. */
  readonly onNodesUnread: (reason: string) => void;
};

/** Throws one line for the user where a kubeconfig cannot be used. */
export function openCluster(kube: NonNullable<Config['kube']>, options: ClusterOptions): Cluster {
  const isInCluster = options.environment['KUBERNETES_SERVICE_HOST'] !== undefined && kube.kubeconfig === undefined;
  const api = createKubeApi(
    isInCluster
      ? { from: 'in-cluster' }
      : kube.kubeconfig === undefined
        ? { from: 'default' }
        : { from: 'file', file: kube.kubeconfig },
  );
  const secretReader = createSecretReader(api, { timeoutMs: options.secretMs });
  const accounts = createServiceAccountReader(api, { timeoutMs: options.secretMs });
  const nodes = watchNodes({ api, onFailure: options.onNodesUnread });
  return {
    api,
    namespace: kube.namespace ?? ownNamespace(api),
    nodes,
    secretReader,
    secrets: {
      secret: (namespace, name, signal) => secretReader.read(namespace, name, signal),
      serviceAccount: (namespace, name, signal) => accounts.read(namespace, name, signal),
    },
    close: async () => {
      await nodes.close();
      await api.close();
    },
  };
}

function ownNamespace(api: KubeApi): string {
  try {
    return readFileSync(IN_CLUSTER_NAMESPACE, 'utf8').trim();
  } catch {
    return api.namespace ?? 'pullguard';
  }
}
