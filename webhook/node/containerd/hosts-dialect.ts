import { isAtLeast, type RuntimeVersion } from '../../outcome/runtime.ts';

/** What a version of containerd knows of hosts.toml: unknown keys are ignored, an unknown capability spoils the file. */
export type HostsDialect = {
  /** `dial_timeout`, since 2.1. */
  readonly honoursDialTimeout: boolean;
  /** The capability `referrers`, since 2.2 (containerd#12309). */
  readonly knowsReferrers: boolean;
  /**
   * The major version of go-toml: 2 since containerd 2.0. With 1 a file needs a `[host]` table, a `]` within a table's
   * quotes ends its name, and of other spellings only capital letters name a known key; with 2 those of any case do,
   * and a byte order mark spoils the file.
   */
  readonly goToml: 1 | 2;
};

export function dialectOf(version: RuntimeVersion): HostsDialect {
  return {
    honoursDialTimeout: isAtLeast(version, [2, 1]),
    knowsReferrers: isAtLeast(version, [2, 2]),
    goToml: isAtLeast(version, [2, 0]) ? 2 : 1,
  };
}

/** Of the newest containerd, where nobody knows which one reads the file. */
export const NEWEST_DIALECT: HostsDialect = Object.freeze({
  honoursDialTimeout: true,
  knowsReferrers: true,
  goToml: 2,
});
