import { isAtLeast, type Runtime } from '../outcome/runtime.ts';
import type { ClientStyle } from '../registry/token.ts';
import { matchAnyAmd64, matchCompatible, matchContainersImage, matchExactly, type PlatformMatch } from './platform-match.ts';

/** Where runtimes part in what they pull: pull-parity part I as a table. Each field names the rule behind it. */
export type RuntimeTraits = {
  /** Two runtimes with the same text judge alike. */
  readonly name: string;
  readonly style: ClientStyle;
  /** D7: containerd's HEAD is final, dockerd asks again by GET whatever HEAD said, containers/image never sends HEAD. */
  readonly firstRequest: 'head' | 'head-then-get' | 'get';
  /** D8: 500, 503 and 504 once more, on the last host. */
  readonly retriesServerErrors: boolean;
  /** D17: which host's failure is reported. */
  readonly ranking: 'furthest' | 'first-but-404';
  /** D13, in bytes. */
  readonly maxManifestBytes: number;
  /** D10: an untrue or unreadable Docker-Content-Digest fails the pull. */
  readonly trustsDigestHeader: boolean;
  /** I1: dockerd's graph driver wants Content-Length on HEAD. */
  readonly needsContentLength: boolean;
  /** F15. */
  readonly schema1: 'refused' | 'converted';
  /** F2. */
  readonly matches: PlatformMatch;
  /** F5: every matching entry is fetched, not only the best. */
  readonly fetchesAllMatches: boolean;
  /** F4: what becomes of an index entry that names no platform. */
  readonly entryWithoutPlatform: 'judged-by-config' | 'accepted' | 'skipped';
  /** F7. */
  readonly nestedIndex: 'followed' | 'refused';
  /** F6: dockerd's graph driver refuses an image of another operating system. */
  readonly refusesOtherOs: boolean;
  /** F8. */
  readonly artifact: 'pulled' | 'refused';
  /** F9: an image's config with a layer of a type that nobody knows. */
  readonly unknownLayer: 'pulled' | 'refused';
  /** F10: docker's own zstd layer type. */
  readonly knowsDockerZstd: boolean;
  /** F13: sizes in descriptors are checked for layers and children. */
  readonly checksSizes: boolean;
  /** F11: a foreign layer's own URLs come before the registry. */
  readonly foreignUrls: 'first' | 'passed-over';
};

/** 4 * 1048 * 1048, as containerd has it, and 4 MiB in containers/image; dockerd has no limit, so ours bounds the read. */
const CONTAINERD_MAX_MANIFEST = 4 * 1048 * 1048;
const CONTAINERS_IMAGE_MAX_MANIFEST = 4 * 1024 * 1024;
const OUR_MAX_MANIFEST = 16 * 1024 * 1024;

export function traitsOf(runtime: Runtime): RuntimeTraits {
  switch (runtime.family) {
    case 'containerd':
      return containerd(runtime);
    case 'docker':
      return runtime.store === 'containerd' ? dockerContainerdStore(runtime) : dockerGraph(runtime);
    case 'crio':
      return crio(runtime);
  }
}

function containerd(runtime: Extract<Runtime, { family: 'containerd' }>): RuntimeTraits {
  const isTransfer = runtime.path === 'transfer';
  const since20 = isAtLeast(runtime.version, [2, 0]);
  const since21 = isAtLeast(runtime.version, [2, 1]);
  return {
    name: `containerd ${isTransfer ? 'transfer' : 'local'} ${since21 ? '2.1' : since20 ? '2.0' : '1.7'}`,
    style: 'containerd',
    firstRequest: 'head',
    retriesServerErrors: since21,
    ranking: since20 ? 'furthest' : 'first-but-404',
    maxManifestBytes: CONTAINERD_MAX_MANIFEST,
    trustsDigestHeader: true,
    needsContentLength: false,
    schema1: since20 ? 'refused' : 'converted',
    matches: isTransfer ? matchExactly : matchCompatible,
    fetchesAllMatches: isTransfer,
    entryWithoutPlatform: 'judged-by-config',
    nestedIndex: 'followed',
    refusesOtherOs: false,
    artifact: 'pulled',
    unknownLayer: isTransfer ? 'pulled' : 'refused',
    knowsDockerZstd: since20,
    checksSizes: true,
    foreignUrls: 'first',
  };
}

function dockerGraph(runtime: Extract<Runtime, { family: 'docker' }>): RuntimeTraits {
  const since24 = isAtLeast(runtime.version, [24, 0]);
  const since26 = isAtLeast(runtime.version, [26, 0]);
  return {
    name: `docker graph ${since26 ? '26' : since24 ? '24' : '20.10'}`,
    style: 'docker',
    firstRequest: 'head-then-get',
    retriesServerErrors: false,
    ranking: 'furthest',
    maxManifestBytes: OUR_MAX_MANIFEST,
    trustsDigestHeader: true,
    needsContentLength: true,
    schema1: since26 ? 'refused' : 'converted',
    matches: since24 ? matchAnyAmd64 : matchCompatible,
    fetchesAllMatches: false,
    entryWithoutPlatform: since24 ? 'accepted' : 'skipped',
    nestedIndex: 'followed',
    refusesOtherOs: true,
    artifact: 'refused',
    unknownLayer: 'refused',
    knowsDockerZstd: true,
    checksSizes: false,
    foreignUrls: 'passed-over',
  };
}

function dockerContainerdStore(runtime: Extract<Runtime, { family: 'docker' }>): RuntimeTraits {
  return {
    ...containerd({ family: 'containerd', version: [2, 1], path: 'local' }),
    name: `docker containerd ${runtime.version.join('.')}`,
    entryWithoutPlatform: 'accepted',
  };
}

function crio(runtime: Extract<Runtime, { family: 'crio' }>): RuntimeTraits {
  const hasArtifactStore = isAtLeast(runtime.version, [1, 34]);
  return {
    name: `crio ${hasArtifactStore ? '1.34' : '1.33'}`,
    style: 'crio',
    firstRequest: 'get',
    retriesServerErrors: false,
    ranking: 'furthest',
    maxManifestBytes: CONTAINERS_IMAGE_MAX_MANIFEST,
    trustsDigestHeader: false,
    needsContentLength: false,
    schema1: 'converted',
    matches: matchContainersImage,
    fetchesAllMatches: false,
    entryWithoutPlatform: 'accepted',
    nestedIndex: 'refused',
    refusesOtherOs: false,
    artifact: hasArtifactStore ? 'pulled' : 'refused',
    unknownLayer: 'pulled',
    knowsDockerZstd: true,
    checksSizes: false,
    foreignUrls: 'first',
  };
}
