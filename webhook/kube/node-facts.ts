import type { V1Node } from '@kubernetes/client-node';
import { normalizePlatform, type Platform } from '../image/platform.ts';

/** What of a Node matters for pulls (pull-parity H1-H3). */
export type NodeFacts = {
  readonly name: string;
  /** With the build of Windows. The variant of an arm Node is not reported: `arm` counts as `arm/v7`. */
  readonly platform: Platform;
  /** `containerd://2.1.9`, `docker://28.5.2`, `cri-o://1.34.0`; empty while the kubelet has not reported. */
  readonly runtime: string;
  /** `v1.35.1`; empty while the kubelet has not reported. */
  readonly kubelet: string;
  readonly isSchedulable: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly taints: readonly { readonly key: string; readonly value: string; readonly effect: string }[];
  /** Names as the kubelet writes them: `docker.io/library/nginx:1.25`, `...@sha256:...`. */
  readonly images: ReadonlySet<string>;
  /** An image that is not in `images` is not on the Node. */
  readonly isImageListComplete: boolean;
  readonly podCidrs: readonly string[];
  readonly internalIps: readonly string[];
};

/** The kubelet reports `nodeStatusMaxImages` images, 50 unless set: a full list proves nothing about the rest. */
const MAX_REPORTED_IMAGES = 50;
/** Of each image it reports 5 names, digests first: with five there may be a sixth. */
const MAX_REPORTED_NAMES = 5;

/** `intern` gives one string for equal ones: the same images stand on every Node. */
export function readNodeFacts(node: V1Node, intern: (name: string) => string): NodeFacts {
  const info = node.status?.nodeInfo;
  const reported = node.status?.images;
  const images = reported ?? [];
  return {
    name: node.metadata?.name ?? '',
    platform: normalizePlatform({
      os: info?.operatingSystem ?? '',
      architecture: info?.architecture ?? '',
      // on Windows the kernel's version is the build: 10.0.20348.2402
      osVersion: info?.operatingSystem === 'windows' ? windowsBuild(info.kernelVersion) : undefined,
    }),
    runtime: info?.containerRuntimeVersion ?? '',
    kubelet: info?.kubeletVersion ?? '',
    isSchedulable: node.spec?.unschedulable !== true,
    labels: new Map(Object.entries(node.metadata?.labels ?? {}).map(([key, value]) => [intern(key), intern(value)])),
    taints: (node.spec?.taints ?? []).map(({ key, value = '', effect }) => ({ key, value, effect })),
    images: new Set(images.flatMap(({ names }) => (names ?? []).map(intern))),
    isImageListComplete:
      reported !== undefined &&
      images.length < MAX_REPORTED_IMAGES &&
      images.every(({ names }) => (names ?? []).length < MAX_REPORTED_NAMES),
    podCidrs: node.spec?.podCIDRs ?? (node.spec?.podCIDR === undefined ? [] : [node.spec.podCIDR]),
    internalIps: (node.status?.addresses ?? [])
      .filter(({ type }) => type === 'InternalIP')
      .map(({ address }) => address),
  };
}

/** Revisions do not matter for what a node runs, and would make many platforms of one. */
function windowsBuild(kernelVersion: string | undefined): string | undefined {
  return /^\d+\.\d+\.\d+/u.exec(kernelVersion ?? '')?.[0];
}
