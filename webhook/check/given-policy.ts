import type { DeclaredFiles } from '../engine/node-setup.ts';
import type { Policy } from '../policy/policy.ts';
import type { LiveCluster } from './live.ts';

/** A policy with the files that it names elsewhere. */
export type GivenPolicy = {
  readonly policy: Policy;
  readonly files: DeclaredFiles;
  /** What it names and what could not be read; then the files are not all that the nodes have. */
  readonly missing: readonly string[];
};

/** The file's policy, or else the cluster's, with what it names: only a cluster has that. */
export async function givenPolicy(
  { policy: fromFile }: { readonly policy: Policy | undefined },
  live: Pick<LiveCluster, 'policy' | 'filesOf'> | undefined,
): Promise<GivenPolicy | undefined> {
  const policy = fromFile ?? live?.policy;
  if (policy === undefined) return undefined;
  if (live !== undefined) return { policy, ...(await live.filesOf(policy)) };
  return { policy, files: {}, missing: filesNamedBy(policy) };
}

/** The objects of a cluster that a policy names for the nodes' files, as messages call them. */
function filesNamedBy({ nodes }: Policy): readonly string[] {
  const { certsDFrom, clientCertificates } = nodes.containerd;
  return [
    ...(certsDFrom === undefined ? [] : [`ConfigMap ${certsDFrom.configMap} (nodes.containerd.certsDFrom)`]),
    ...clientCertificates.map(
      ({ secret, key }) => `Secret ${secret}, key ${key} (nodes.containerd.clientCertificates)`,
    ),
  ];
}
