import { isSamePlatform, normalizePlatform, type Platform } from '../image/platform.ts';

/** How well a runtime takes an entry for a node: 0 not at all, else the higher the better. */
export type PlatformMatch = (node: Platform, entry: Platform) => number;

/** containerd's transfer service keeps only entries of exactly the node's platform (pull-parity F2). */
export const matchExactly: PlatformMatch = (node, entry) =>
  isSamePlatform(node, placed(node, entry)) && isVersionFit(node, entry) && !needsFeatures(node, entry) ? 1 : 0;

/** containerd's `platforms.Only` and dockerd: older variants and compatible architectures too (pull-parity F2). */
export const matchCompatible: PlatformMatch = (node, entry) => {
  if (!isVersionFit(node, entry) || needsFeatures(node, entry)) return 0;
  const ladder = compatible(node);
  const at = ladder.findIndex((one) => isSamePlatform(one, placed(node, entry)));
  return at < 0 ? 0 : ladder.length - at;
};

/** dockerd 20.10: exactly the node's platform, or for want of it any variant of arm (moby `filterManifests`). */
export const matchExactlyOrArm: PlatformMatch = (node, entry) => {
  const usual = matchExactly(node, entry);
  if (usual > 0) return usual + 1;
  return node.architecture === 'arm' && entry.architecture === 'arm' && entry.os === node.os ? 1 : 0;
};

/** dockerd's graph driver since 23.0 accepts amd64 entries of any variant too (pull-parity F2). */
export const matchAnyAmd64: PlatformMatch = (node, entry) => {
  const usual = matchCompatible(node, entry);
  if (usual > 0) return usual + 1;
  const isAmd64 = node.architecture === 'amd64' && entry.architecture === 'amd64' && !needsFeatures(node, entry);
  return isAmd64 && placed(node, entry).os === node.os ? 1 : 0;
};

/**
 * containers/image: system and architecture exactly as an index writes them, of variants only those that it knows for arm
 * and arm64, or none (pull-parity F2).
 */
export const matchContainersImage: PlatformMatch = (node, written) => {
  if (node.os !== written.os || node.architecture !== written.architecture) return 0;
  const variants = [...writtenVariants(node), ''];
  const at = variants.indexOf(written.variant ?? '');
  return at < 0 ? 0 : variants.length - at;
};

/**
 * An entry that asks for `os.features` is for nodes that have them, by default none (pull-parity F14). Windows nodes
 * have `win32k`, which does not count there.
 */
function needsFeatures(node: Platform, entry: Platform): boolean {
  return node.os !== 'windows' && entry.osFeatures !== undefined;
}

/** The entry as a runtime sees it that knows nothing of `os.features`. */
export function withoutFeatures({ os, architecture, variant, osVersion }: Platform): Platform {
  return { os, architecture, variant, osVersion };
}

/** An entry without an operating system is for the node's own (pull-parity F1). */
function placed(node: Platform, entry: Platform): Platform {
  return entry.os === '' ? { ...entry, os: node.os } : entry;
}

const ARM_VARIANTS = ['v8', 'v7', 'v6', 'v5'] as const;

function writtenVariants({ architecture, variant }: Platform): readonly string[] {
  if (architecture === 'arm64') return [variant ?? 'v8'];
  return architecture === 'arm' ? armVariants(variant) : [];
}

function armVariants(variant: string | undefined): readonly string[] {
  const from = ARM_VARIANTS.findIndex((one) => one === variant);
  return ARM_VARIANTS.slice(Math.max(from, 0));
}

/** What runs on a node, best first (containerd platforms `platformVector`). */
function compatible(node: Platform): readonly Platform[] {
  const of = (architecture: string, variant: string | undefined): Platform =>
    normalizePlatform({ os: node.os, architecture, variant });
  if (node.architecture === 'amd64') {
    const level = /^v(?<level>\d+)$/u.exec(node.variant ?? '')?.groups?.['level'];
    const levels =
      level === undefined ? [] : Array.from({ length: Number(level) }, (_, at) => `v${Number(level) - at}`);
    return [...levels.map((variant) => of('amd64', variant)), of('amd64', undefined), of('386', undefined)];
  }
  if (node.architecture === 'arm64')
    return [node, of('arm64', undefined), ...ARM_VARIANTS.map((variant) => of('arm', variant))];
  if (node.architecture === 'arm') return armVariants(node.variant).map((variant) => of('arm', variant));
  return [node];
}

/** The first Windows build whose hosts run containers of older long-term builds (pull-parity F14). */
const STABLE_ABI_BUILD = 20_348;

/** Linux ignores `os.version`; Windows compares builds. */
function isVersionFit(node: Platform, entry: Platform): boolean {
  if (node.os !== 'windows' || node.osVersion === undefined || entry.osVersion === undefined) return true;
  const [major, minor, build] = node.osVersion.split('.').map(Number);
  const [entryMajor, entryMinor, entryBuild] = entry.osVersion.split('.').map(Number);
  if (major !== entryMajor || minor !== entryMinor || build === undefined || entryBuild === undefined) return false;
  return build < STABLE_ABI_BUILD ? build === entryBuild : entryBuild >= STABLE_ABI_BUILD && entryBuild <= build;
}
