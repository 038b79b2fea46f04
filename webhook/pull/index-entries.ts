import type { Descriptor, ImageIndex } from '../image/manifest.ts';
import { formatPlatform, type Platform } from '../image/platform.ts';
import type { RuntimeTraits } from './traits.ts';

/** Which entries of an index the runtime fetches for a node, best first (pull-parity F2 to F5). */
export function chooseEntries(index: ImageIndex, node: Platform, traits: RuntimeTraits): readonly Descriptor[] {
  const named = index.manifests
    .map((entry) => ({ entry, match: entry.platform === undefined ? 0 : traits.matches(node, entry.platform) }))
    .filter(({ match }) => match > 0)
    .toSorted((a, b) => b.match - a.match)
    .map(({ entry }) => entry);
  const unnamed =
    traits.entryWithoutPlatform === 'skipped' ? [] : index.manifests.filter((entry) => entry.platform === undefined);
  const all = [...named, ...unnamed];
  return traits.fetchesAllMatches ? all : all.slice(0, 1);
}

/** `unknown/unknown` is how attestations are marked: nothing that a node could want. */
export function offeredPlatforms(index: ImageIndex): readonly Platform[] {
  const seen = new Map<string, Platform>();
  for (const { platform } of index.manifests) {
    if (platform !== undefined && platform.os !== 'unknown') seen.set(formatPlatform(platform), platform);
  }
  return [...seen.values()];
}
