import { parseReference } from '../image/reference.ts';
import { cutText, fieldOf, listOf, nameOf, textOf } from './field.ts';
import { isJsonObject } from '../image/json.ts';
import { mountedVolumes } from './mount.ts';
import type { ImageUse, PullPolicy } from './ports.ts';

/** Every image of one Pod spec: containers, init containers, ephemeral containers, image volumes. */
export type PodImages = {
  readonly uses: readonly ImageUse[];
  /** Entries that are no containers at all: only a caller other than the API server sends them. */
  readonly unreadable: number;
};

type ContainerList = { readonly field: string; readonly noun: string };

const CONTAINER_LISTS: readonly ContainerList[] = [
  { field: 'containers', noun: 'container' },
  { field: 'initContainers', noun: 'init container' },
  { field: 'ephemeralContainers', noun: 'ephemeral container' },
];

/** Five times the longest reference: what is cut there is none, before and after. */
const MAX_IMAGE_LENGTH = 4096;
/** The longest name that the API server lets a container have (a DNS label). */
const MAX_NAME_LENGTH = 63;

/** Reads the images of a Pod spec that stands at `path` of its object (pull-parity B6, B7). */
export function readPodImages(spec: unknown, path: string): PodImages {
  const found: Entry[] = [
    ...CONTAINER_LISTS.flatMap((list) => containersOf(spec, list, path)),
    ...volumesOf(spec, path),
  ];
  return {
    uses: found.flatMap((entry) => (entry === 'unreadable' || entry === 'none' ? [] : [entry])),
    unreadable: found.filter((entry) => entry === 'unreadable').length,
  };
}

/** The kubelet's order of pulls by a use's path: image volumes, init containers one by one, then the rest (B7). */
export function pullTurn(path: string): number {
  if (path.includes('.volumes[')) return 0;
  return path.includes('.initContainers[') ? 1 : 2;
}

type Entry = ImageUse | 'none' | 'unreadable';

function containersOf(spec: unknown, { field, noun }: ContainerList, path: string): readonly Entry[] {
  const list = fieldOf(spec, field);
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) return ['unreadable'];
  return list.map((container: unknown, at) =>
    readUse(container, {
      imageKey: 'image',
      policyKey: 'imagePullPolicy',
      path: `${path}.${field}[${at}].image`,
      where: named(noun, container),
    }),
  );
}

function volumesOf(spec: unknown, path: string): readonly Entry[] {
  const mounted = mountedVolumes(spec);
  return listOf(spec, 'volumes').map((volume, at) => {
    const source = fieldOf(volume, 'image');
    if (source === undefined || source === null) return 'none';
    const use = readUse(source, {
      imageKey: 'reference',
      policyKey: 'pullPolicy',
      path: `${path}.volumes[${at}].image.reference`,
      where: named('image volume', volume),
    });
    const isUsed = typeof use === 'string' || mounted.has(textOf(volume, 'name'));
    return isUsed ? use : { ...use, isUnmounted: true };
  });
}

type Reading = {
  readonly imageKey: string;
  readonly policyKey: string;
  readonly path: string;
  readonly where: string;
};

/** A template may leave the image out: a mutator or a later edit fills it in. */
function readUse(holder: unknown, { imageKey, policyKey, path, where }: Reading): Entry {
  if (!isJsonObject(holder)) return 'unreadable';
  const image = fieldOf(holder, imageKey);
  if (image === undefined || image === null) return 'none';
  if (typeof image !== 'string') return 'unreadable';
  if (image.trim() === '') return 'none';
  const kept = cutText(image, MAX_IMAGE_LENGTH);
  return { path, where, image: kept, pullPolicy: pullPolicyOf(textOf(holder, policyKey), kept) };
}

function named(noun: string, holder: unknown): string {
  const name = nameOf(holder, 'name', MAX_NAME_LENGTH);
  return name === '' ? noun : `${noun} "${name}"`;
}

/** As the API server defaults it at creation: by the tag, and `IfNotPresent` for what it cannot parse (pull-parity B1). */
function pullPolicyOf(written: string, image: string): PullPolicy {
  if (written === 'Always' || written === 'IfNotPresent' || written === 'Never') return written;
  const reference = parseReference(image);
  return reference.ok && reference.value.tag === 'latest' ? 'Always' : 'IfNotPresent';
}
