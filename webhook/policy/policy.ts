import type { Action, ActionPair } from '../outcome/action.ts';
import type { FindingKind } from '../outcome/finding.ts';
import type { OutcomeKind } from '../outcome/outcome.ts';

export const MODES = ['observe', 'warn', 'enforce'] as const;
export type Mode = (typeof MODES)[number];

/** A policy with every default filled in: what `policy.yaml` becomes. */
export type Policy = {
  readonly mode: Mode;
  readonly actions: Readonly<Record<OutcomeKind, ActionPair>>;
  readonly findings: Readonly<Record<FindingKind, Action>>;
  /** What a Pod with a controlling owner meets (design, rule 4). */
  readonly controllerPods: 'warn' | 'enforce';
  /** Images that a mutating webhook will replace: the exact strings; `auto` stands for those that Istio writes. */
  readonly placeholders: readonly string[];
  readonly exempt: { readonly namespaces: readonly string[]; readonly images: readonly string[] };
  readonly nodes: NodeDeclaration;
  readonly limits: Limits;
  readonly network: NetworkRules;
  readonly hints: Hints;
  readonly rules: readonly Rule[];
};

/** What a rule says of actions: one half, or both. */
export type ActionChoice = { readonly proven: Action | undefined; readonly unproven: Action | undefined };

/** The first rule that matches and sets a field decides that field; the halves of `action` are fields of their own. */
export type Rule = {
  readonly name: string | undefined;
  /** Each list that is given must have a match; patterns are globs with `*` (namespaces, kinds) or image patterns. */
  readonly match: {
    readonly namespaces: readonly string[] | undefined;
    readonly images: readonly string[] | undefined;
    readonly kinds: readonly string[] | undefined;
    readonly causes: readonly OutcomeKind[] | undefined;
  };
  readonly set: {
    readonly mode: Mode | undefined;
    readonly action: ActionChoice | undefined;
    readonly controllerPods: 'warn' | 'enforce' | undefined;
    readonly exempt: boolean | undefined;
    readonly maxPullSeconds: number | undefined;
  };
};

/** When a kubelet asks the registry again for an image that its node holds (KEP-2535). */
export const PULL_VERIFICATIONS = [
  'NeverVerify',
  'NeverVerifyPreloadedImages',
  'NeverVerifyAllowlistedImages',
  'AlwaysVerify',
] as const;
export type PullVerification = (typeof PULL_VERIFICATIONS)[number];

/** What the nodes are declared to be (design, rule 2). Texts are those of the nodes' own files. */
export type NodeDeclaration = {
  /** As `--runtime` takes it; each was checked by the schema. */
  readonly runtimes: readonly string[];
  readonly settings: 'partial' | 'complete';
  readonly platforms: { readonly list: readonly string[]; readonly isExhaustive: boolean };
  readonly credentialProviders: 'possible' | 'none' | readonly string[];
  readonly kubelet: {
    /** As in the kubelet's configuration; `undefined` leaves it to the kubelet's version (pull-parity B5). */
    readonly imagePullCredentialsVerificationPolicy: PullVerification | undefined;
    /** Images as written without tag and digest, or a prefix of them that ends in `/*`. */
    readonly preloadedImagesVerificationAllowlist: readonly string[];
  };
  readonly containerd: {
    /** `config_path` of the registry settings, where it is not `/etc/containerd/certs.d` alone. */
    readonly configPath: string | undefined;
    /** Relative path in `certs.d` to text: `reg.example:5000/hosts.toml`. */
    readonly certsD: Readonly<Record<string, string>>;
    /** A ConfigMap of Pullguard's own namespace with more such files, keys `HOST_PORT___FILE`. */
    readonly certsDFrom: { readonly configMap: string } | undefined;
    /** Secrets of Pullguard's own namespace with client certificates, by the path that hosts.toml names. */
    readonly clientCertificates: readonly { readonly path: string; readonly secret: string; readonly key: string }[];
  };
  readonly docker: { readonly daemonJson: string | undefined; readonly certsD: Readonly<Record<string, string>> };
  readonly crio: {
    readonly registriesConf: string | undefined;
    /** Name in `registries.conf.d` to text, the drop-ins: `50-team.conf`. */
    readonly registriesConfD: Readonly<Record<string, string>>;
    readonly certsD: Readonly<Record<string, string>>;
    readonly policyJson: string | undefined;
    /** Files of `signature_policy_dir`, by namespace. */
    readonly namespacePolicies: Readonly<Record<string, string>>;
    /** `short_name_mode` of crio.conf. */
    readonly shortNameMode: 'enforcing' | 'disabled' | undefined;
  };
  readonly insecureRegistries: readonly string[];
  /** PEM texts. */
  readonly certificateAuthorities: readonly string[];
  readonly throughput: {
    /** What one node gets from a host that has no entry of its own. */
    readonly bytesPerSecond: number | undefined;
    readonly hosts: Readonly<Record<string, HostThroughput>>;
  };
  /** Schedulable nodes; `undefined` leaves it to the Node objects. */
  readonly count: number | undefined;
  /** Pulls that one node makes at a time: 1 with `serializeImagePulls`, `Infinity` where the kubelet sets no limit. */
  readonly parallelImagePulls: number;
  /** `registryBurst`: pulls that a kubelet starts at once; `undefined` where nothing is said of it, or for no limit. */
  readonly registryBurst: number | undefined;
  /** Seconds without progress after which a runtime ends a pull; 0 for never, `undefined` for its default. */
  readonly stallSeconds: {
    readonly containerd: number | undefined;
    readonly docker: number | undefined;
    readonly crio: number | undefined;
  };
};

/** Bytes per second: what one node gets from a host, and what all nodes together get. */
export type HostThroughput = { readonly perNode: number | undefined; readonly total: number | undefined };

export type Limits = {
  /** Our own deadline for one review, below `timeoutSeconds`. */
  readonly reviewMs: number;
  readonly registryMs: number;
  readonly secretMs: number;
  readonly maxImages: number;
  readonly maxHosts: number;
  readonly maxPullSeconds: number | undefined;
  /** Requests a minute to one registry, beyond which answers are `pullable` with `depth: exists`. */
  readonly requestsPerMinute: number;
  readonly connectionsPerHost: number;
};

/** What is looked for beside the verdict, to shorten somebody's search: it costs requests and never changes a verdict. */
export type Hints = {
  /** Lists the tags of a repository that lacks the one asked for, and names those like it. */
  readonly similarTags: boolean;
};

export type NetworkRules = {
  /** `host:port` allowed although its address is loopback, link-local or the cluster's own. */
  readonly allow: readonly string[];
  /** CIDRs refused besides the built-in ones: Service and Pod ranges. */
  readonly blockedRanges: readonly string[];
  /** Credentials go only to token realms on the registry's own host, or to a pair listed in `realms`. */
  readonly strictRealms: boolean;
  readonly realms: readonly { readonly registry: string; readonly realm: string }[];
};
