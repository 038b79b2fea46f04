import type { IndexEntry } from '../image/descriptor.ts';
import type { ImageIndex } from '../image/manifest.ts';
import { DOCKER_MANIFEST_LIST } from '../image/media-type.ts';
import { spellPlatform, type Platform } from '../image/platform.ts';
import type { Doubt } from '../outcome/certainty.ts';
import { matchCompatible, withoutFeatures } from './platform-match.ts';
import type { RuntimeTraits } from './traits.ts';

/** Which entries of an index the runtime fetches for a node, best first (pull-parity F2 to F5). */
export function chooseEntries(index: ImageIndex, node: Platform, traits: RuntimeTraits): readonly IndexEntry[] {
  const platformOf = traits.comparesSpelling
    ? (entry: IndexEntry) => entry.written
    : (entry: IndexEntry) => entry.platform;
  const matchOf = (platform: Platform | undefined): number =>
    platform === undefined ? 0 : traits.matches(node, platform);
  const named = index.manifests
    .map((entry) => ({ entry, match: matchOf(platformOf(entry)) }))
    .filter(({ match }) => match > 0)
    .toSorted((a, b) => b.match - a.match)
    .map(({ entry }) => entry);
  const { entryWithoutPlatform } = traits;
  const skipsUnnamed =
    entryWithoutPlatform === 'skipped' ||
    (entryWithoutPlatform === 'accepted-by-oci' && index.mediaType === DOCKER_MANIFEST_LIST);
  const unnamed = skipsUnnamed ? [] : index.manifests.filter((entry) => entry.platform === undefined);
  const all = [...named, ...unnamed];
  return traits.fetchesAllMatches ? all : all.slice(0, 1);
}

/**
 * The entry by which CRI tells how large an image is, once it is pulled: the best that names a platform, or for want of
 * one that fits the first that names any (containerd, images `LimitManifests`; pull-parity F4).
 */
export function sizedEntry(index: ImageIndex, node: Platform): IndexEntry | undefined {
  const named = index.manifests.flatMap((entry) =>
    entry.platform === undefined ? [] : [{ entry, match: matchCompatible(node, entry.platform) }],
  );
  return named.toSorted((a, b) => b.match - a.match)[0]?.entry;
}

/**
 * What would have to be known to say which entries a node takes, `undefined` where nothing is missing (pull-parity F14):
 * its build of Windows, or a version of the runtime that asks for `os.features`, as older ones do not.
 */
export function openChoice(index: ImageIndex, node: Platform, traits: RuntimeTraits): Doubt | undefined {
  const platforms = index.manifests.flatMap(({ platform }) => platform ?? []);
  const isBuildOpen = node.os === 'windows' && node.osVersion === undefined;
  if (isBuildOpen && platforms.some(({ os, osVersion }) => os === 'windows' && osVersion !== undefined)) {
    return 'node-platforms';
  }
  const isPassedOver = (entry: Platform): boolean =>
    traits.matches(node, entry) === 0 && traits.matches(node, withoutFeatures(entry)) > 0;
  return platforms.some((entry) => entry.osFeatures !== undefined && isPassedOver(entry)) ? 'node-runtime' : undefined;
}

/** `unknown/unknown` is how attestations are marked: nothing that a node could want. */
export function offeredPlatforms(index: ImageIndex): readonly Platform[] {
  const seen = new Map<string, Platform>();
  for (const { platform } of index.manifests) {
    if (platform !== undefined && platform.os !== 'unknown') seen.set(spellPlatform(platform), platform);
  }
  return [...seen.values()];
}
