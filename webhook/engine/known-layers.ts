import type { LayerSize, PullOutcome } from '../outcome/outcome.ts';
import { createRecentMap } from '../registry/recent-map.ts';

/** Which layers images have that were seen before, by the digest that Nodes list too. */
export type KnownLayers = {
  readonly learn: (outcome: PullOutcome) => void;
  /** Digests of the layers of these images, as far as they are known: `docker.io/library/nginx@sha256:...`. */
  readonly of: (images: ReadonlySet<string>) => ReadonlySet<string>;
};

/** A handful of layers each: about 2 MiB. */
const MAX_IMAGES = 2_000;

/**
 * Remembers the layers of large images. No login guards it, as it answers nothing about those images: it only makes
 * an estimate of another image shorter whose own manifest names the same layers.
 */
export function createKnownLayers(): KnownLayers {
  const byDigest = createRecentMap<readonly LayerSize[]>(MAX_IMAGES);
  return {
    learn: (outcome) => {
      if (outcome.kind !== 'pullable' || outcome.largeLayers === undefined) return;
      const { largeLayers } = outcome;
      byDigest.take(outcome.digest, () => largeLayers);
    },
    of: (images) => {
      const layers = new Set<string>();
      for (const image of images) {
        const digest = image.slice(image.indexOf('@') + 1);
        for (const layer of byDigest.peek(digest) ?? []) layers.add(layer.digest);
      }
      return layers;
    },
  };
}
