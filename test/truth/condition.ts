import type { Stage } from './stage.ts';

/** One pull on one node. */
export type Asked = {
  readonly image: string;
  /**
   * What lies below `/etc/containers`, over an empty registries.conf and a policy.json that accepts everything. For
   * dockerd: what lies below `/etc/docker`.
   */
  readonly files?: Readonly<Record<string, string>>;
  readonly login?: { readonly username: string; readonly password: string };
  /** `short_name_mode` of crio.conf, for Pullguard: podman goes by registries.conf instead. */
  readonly shortNameMode?: 'enforcing' | 'disabled';
  /** Default `linux/amd64`. */
  readonly platform?: string;
};

/** A state of a registry and a node, with what podman makes of it, or dockerd. */
export type Condition<S extends Stage = Stage> = {
  readonly name: string;
  readonly arrange: (stage: S) => Promise<Asked>;
  /** Whether podman 4.3 pulls, as seen; dockerd 20.10, where nobody else is asked. */
  readonly pulls: boolean;
  /** Where dockerd 20.10 does otherwise than podman. */
  readonly docker?: { readonly pulls?: boolean; readonly differs?: string };
  /** Answers differently after the first time, so that each side gets a registry of its own. */
  readonly isSpent?: true;
  /** The CRI-O that podman stands for here. Default `crio@1.34`. */
  readonly runtime?: string;
  /** Why Pullguard says otherwise, and is to: what podman 4.3 or a prediction cannot show of a node. */
  readonly differs?: string;
};
