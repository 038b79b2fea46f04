import type { Stage } from './stage.ts';

/** One pull on one node. */
export type Asked = {
  readonly image: string;
  /** What lies below `/etc/containers`, over an empty registries.conf and a policy.json that accepts everything. */
  readonly files?: Readonly<Record<string, string>>;
  readonly login?: { readonly username: string; readonly password: string };
  /** Default `linux/amd64`. */
  readonly platform?: string;
};

/** A state of a registry and a node, with what podman makes of it. */
export type Condition = {
  readonly name: string;
  readonly arrange: (stage: Stage) => Promise<Asked>;
  /** Whether podman 4.3 pulls, as seen. */
  readonly pulls: boolean;
  /** Answers differently after the first time, so that each side gets a registry of its own. */
  readonly isSpent?: true;
  /** The CRI-O that podman stands for here. Default `crio@1.34`, which resolves short names as podman does. */
  readonly runtime?: string;
  /** Why Pullguard says otherwise, and is to: what podman 4.3 or a prediction cannot show of a node. */
  readonly differs?: string;
};
