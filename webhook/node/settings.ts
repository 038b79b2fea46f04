import type { ImageReference } from '../image/reference.ts';
import type { Runtime } from '../outcome/runtime.ts';
import type { EndpointPlan } from './endpoint.ts';
import type { FileTree } from './file-tree.ts';

/** containerd's config_path with `:` in it, and the trees that its parts name, in their order. */
export type ConfigPath = { readonly text: string; readonly trees: readonly FileTree[] };

/** What the nodes are set up with, as far as it was declared. */
export type NodeSetup = {
  /** A tree like `/etc/containerd/certs.d`; `undefined` where none was declared. */
  readonly certsD: FileTree | undefined;
  /** In place of `certsD`, where config_path is a list of folders; absent where it is one. */
  readonly configPath?: ConfigPath;
  readonly docker: {
    /** `daemon.json`, as text with the name that messages use. */
    readonly daemonJson: { readonly name: string; readonly text: string } | undefined;
    /** A tree like `/etc/docker/certs.d`. */
    readonly certsD: FileTree | undefined;
  };
  readonly crio: {
    /** `registries.conf` and its drop-ins, in the order in which they are read. */
    readonly registriesConf: readonly { readonly name: string; readonly text: string }[];
    /** Trees like `/etc/containers/certs.d`, first match wins. */
    readonly certsD: readonly FileTree[];
    /** `policy.json`, which may reject images; `undefined` where none was declared. */
    readonly policyJson: { readonly name: string; readonly text: string } | undefined;
    /** Files of `signature_policy_dir` by namespace: each in place of `policyJson` there. Absent where none was declared. */
    readonly namespacePolicies?: ReadonlyMap<string, { readonly name: string; readonly text: string }>;
    /** `short_name_mode` of crio.conf, which knows no other; absent where it was not declared. */
    readonly shortNameMode?: 'enforcing' | 'disabled';
  };
  /** `host[:port]` or CIDR, allowed plain HTTP or unverified TLS on every runtime. A policy's shorthand for the files. */
  readonly insecureRegistries: readonly string[];
  /** PEM texts that the nodes trust for every host, besides the system's. */
  readonly authorities: readonly string[];
};

/** Nodes about which nothing was declared: every runtime with its defaults. */
export const EMPTY_SETUP: NodeSetup = Object.freeze({
  certsD: undefined,
  docker: Object.freeze({ daemonJson: undefined, certsD: undefined }),
  crio: Object.freeze({ registriesConf: [], certsD: [], policyJson: undefined }),
  insecureRegistries: [],
  authorities: [],
});

/** Which endpoints a runtime so set up would ask for an image of a Pod in `namespace`, in order. */
export type PlanEndpoints = (reference: ImageReference, runtime: Runtime, namespace?: string) => EndpointPlan;
