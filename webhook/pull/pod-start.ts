import type { LayerSize } from '../outcome/outcome.ts';

/** What one image of a Pod costs a node, in the order in which the kubelet pulls. */
export type Load = {
  /** The same text is the same image. */
  readonly image: string;
  /** Config and layers, each once. */
  readonly bytes: number;
  /** Those layers that may be shared with other images. */
  readonly layers: readonly LayerSize[];
  /** What one node gets from the image's host; `undefined` where nobody knows. */
  readonly bytesPerSecond: number | undefined;
  /** Every node has the image already. */
  readonly isHeld: boolean;
};

/** What is left to fetch of one image, and how long that alone takes: 0 where it is not known. */
export type Share = { readonly bytes: number; readonly heldBytes: number; readonly seconds: number };

export type StartEstimate = {
  /** One for each load, in their order; images that are equal have the same. */
  readonly shares: readonly Share[];
  /** All pulls of the Pod, one after the other. */
  readonly seconds: number;
};

/**
 * How long the pulls of one Pod take at least, on a node that does nothing else.
 *
 * - The kubelet never pulls two images of one Pod at a time: image volumes, then init containers one by one, then the
 *   containers (kubernetes.io, "Images", serial and parallel image pulls; kuberuntime `SyncPod`; pull-parity B7). So the
 *   times add up, with `serializeImagePulls` and without it; whatever host an image comes from.
 * - `serializeImagePulls` and `maxParallelImagePulls` part the pulls of different Pods: whether those of another Pod
 *   come first or share the line is not known here, and only makes a start later.
 * - Pods of one workload that start on the same node want the same images, which the node fetches once.
 * - An image counts once. A layer counts once, by digest, for the image that is pulled first; what every node has by
 *   digest does not count.
 * - Left out, as they only add: unpacking, logins and redirects, back-off, what runs between init containers.
 */
export function estimateStart(loads: readonly Load[], held: ReadonlySet<string>): StartEstimate {
  const byImage = new Map<string, Share>();
  const fetched = new Set<string>();
  for (const load of loads) {
    if (byImage.has(load.image)) continue;
    byImage.set(load.image, shareOf(load, held, fetched));
    if (!load.isHeld) for (const { digest } of load.layers) fetched.add(digest);
  }
  const shares = loads.map(({ image }) => byImage.get(image) ?? NOTHING);
  return { shares, seconds: [...byImage.values()].reduce((sum, { seconds }) => sum + seconds, 0) };
}

const NOTHING: Share = { bytes: 0, heldBytes: 0, seconds: 0 };

function shareOf(load: Load, held: ReadonlySet<string>, fetched: ReadonlySet<string>): Share {
  if (load.isHeld) return { bytes: 0, heldBytes: load.bytes, seconds: 0 };
  const heldBytes = sumOf(load.layers.filter(({ digest }) => held.has(digest)));
  const sharedBytes = sumOf(load.layers.filter(({ digest }) => !held.has(digest) && fetched.has(digest)));
  const bytes = Math.max(0, load.bytes - heldBytes - sharedBytes);
  return { bytes, heldBytes, seconds: load.bytesPerSecond === undefined ? 0 : bytes / load.bytesPerSecond };
}

function sumOf(layers: readonly LayerSize[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}
