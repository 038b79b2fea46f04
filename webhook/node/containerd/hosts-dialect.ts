import { isAtLeast, type RuntimeVersion } from '../../outcome/runtime.ts';

/** What a version of containerd knows of hosts.toml: unknown keys are ignored, an unknown capability spoils the file. */
export type HostsDialect = {
  /** `dial_timeout`, since 2.1. */
  readonly honoursDialTimeout: boolean;
  /** The capability `referrers`, since 2.2 (containerd#12309). */
  readonly knowsReferrers: boolean;
  /** Keys in other letter case count too: since 2.0, which reads TOML by another library. */
  readonly foldsKeys: boolean;
};

export function dialectOf(version: RuntimeVersion): HostsDialect {
  return {
    honoursDialTimeout: isAtLeast(version, [2, 1]),
    knowsReferrers: isAtLeast(version, [2, 2]),
    foldsKeys: isAtLeast(version, [2, 0]),
  };
}

/** Of the newest containerd, where nobody knows which one reads the file. */
export const NEWEST_DIALECT: HostsDialect = Object.freeze({
  honoursDialTimeout: true,
  knowsReferrers: true,
  foldsKeys: true,
});
