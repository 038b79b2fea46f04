/**
 * One place where a runtime would ask for an image, in the order it would. The registry layer takes it as it is.
 */
export type Endpoint = {
  /** `https-then-http`: containerd and dockerd try HTTPS first and fall back (pull-parity E6, E9). */
  readonly scheme: 'https' | 'http' | 'https-then-http';
  /** Host with port where one is written, as in a URL: `reg.example:5000`, `[::1]:5000`. */
  readonly authority: string;
  /** What stands before `/<repository>/manifests/...`: `/v2` unless `override_path`. No trailing slash. */
  readonly pathPrefix: string;
  /** The repository's path there; CRI-O's `location` may change it. */
  readonly repository: string;
  /** Sent as `?ns=` (pull-parity D16), `undefined` for the image's own host. */
  readonly namespace: string | undefined;
  readonly canPull: boolean;
  readonly canResolve: boolean;
  /** Which references this endpoint serves: CRI-O's `pull-from-mirror`. */
  readonly serves: 'all' | 'digest-only' | 'tag-only';
  readonly tls: EndpointTls;
  /** Sent with every request to this endpoint (`[host.*.header]`). May hold secrets: never printed. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** The files that `tls` was read from, as far as it was; absent where it was read from none. */
  readonly files?: TlsFiles;
  readonly dialTimeoutMs: number;
  readonly role: 'mirror' | 'upstream';
  /** The kubelet's credentials go here too: false for CRI-O's mirrors on another domain (pull-parity C12). */
  readonly takesCredentials: boolean;
  /** The settings file that names this endpoint, as the operator knows it; `undefined` for the runtime's default. */
  readonly declaredBy: string | undefined;
};

/** Names of files, those of `EndpointTls` in its order. */
export type TlsFiles = {
  readonly authorities: readonly string[];
  readonly clientPairs: readonly { readonly certificate: string; readonly key: string }[];
};

export type EndpointTls = {
  /** False where the settings switch verification off, or the runtime does for loopback. */
  readonly isVerified: boolean;
  /** PEM texts trusted besides the system's authorities. */
  readonly authorities: readonly string[];
  readonly clientPairs: readonly { readonly certificate: string; readonly key: string }[];
};

/** A settings file that could not be used as written. `line` counts from 1. */
export type SettingsProblem = {
  readonly file: string;
  readonly line: number | undefined;
  /** What was expected, and what the runtime makes of it. */
  readonly reason: string;
};

/** What the node's settings say for one image. */
export type EndpointPlan =
  | {
      readonly kind: 'endpoints';
      readonly endpoints: readonly Endpoint[];
      readonly problems: readonly SettingsProblem[];
      /** Whether TLS is wanted hangs on the address that a node resolves the name to; absent where it does not. */
      readonly mayBeInsecure?: true;
      /** The runtime does not start with these settings, so that nodes have others; absent where it does. */
      readonly isUnusable?: true;
    }
  /** The runtime refuses before any request: `blocked = true`, an unreadable CA file, a name that no registry resolves. */
  | {
      readonly kind: 'refused';
      readonly reason: string;
      readonly file: string | undefined;
      /** Absent where it is no rule but a mistake in a file, or in what it names. */
      readonly rule?: SettingsRule;
      /** The file is one that the runtime reads for TLS, anew at each pull. */
      readonly isTls?: true;
      /** A file that is not there has its place where only nodes can have it: nothing is proven. */
      readonly isElsewhere?: true;
      readonly problems: readonly SettingsProblem[];
      readonly mayBeInsecure?: true;
      readonly isUnusable?: true;
    };

/** A rule of the settings that refuses an image whoever asks and whatever the registry says. `line` counts from 1. */
export type SettingsRule = {
  /** A blocked registry, a policy.json that rejects, a short name that no registry or too many may have. */
  readonly name: 'registry-blocked' | 'policy-rejects' | 'short-name-unresolved' | 'short-name-ambiguous';
  /** What the rule names: a prefix, a scope (`''` for the default), the short name. */
  readonly subject: string;
  readonly line: number | undefined;
  /** It holds by a default of CRI-O's, and nobody declared what the nodes have: `short_name_mode`. */
  readonly isAssumed?: true;
};
