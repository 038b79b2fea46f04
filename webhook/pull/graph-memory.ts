import type { Digest } from '../image/digest.ts';
import type { Platform } from '../image/platform.ts';
import { formatPlatform } from '../image/platform.ts';
import type { PullOutcome } from '../outcome/outcome.ts';

/**
 * Remembers which digests were found whole, so that a digest is looked into once (design, rule 9). A memory belongs to
 * one identity at one endpoint: what one may read proves nothing for another.
 */
export type GraphMemory = {
  readonly recall: (key: GraphKey) => PullOutcome | undefined;
  readonly keep: (key: GraphKey, outcome: PullOutcome) => void;
};

export type GraphKey = {
  readonly authority: string;
  readonly repository: string;
  readonly digest: Digest;
  readonly platform: Platform;
  /** What the runtime's way of judging hangs on. */
  readonly traits: string;
};

export const noMemory: GraphMemory = { recall: () => undefined, keep: () => undefined };

export function graphKeyText(key: GraphKey): string {
  return [
    key.authority,
    key.repository,
    key.digest,
    formatPlatform(key.platform),
    key.platform.osVersion ?? '',
    key.traits,
  ].join(' ');
}
