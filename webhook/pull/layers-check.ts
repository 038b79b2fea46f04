import pLimit from 'p-limit';
import type { Descriptor } from '../image/descriptor.ts';
import type { ImageConfig } from '../image/image-config.ts';
import type { ImageManifest } from '../image/manifest.ts';
import { isLayerType } from '../image/media-type.ts';
import { err, ok, type Result } from '../image/result.ts';
import { ended, furthest, type Attempt } from './attempt.ts';
import { findLayer } from './layer-presence.ts';
import type { PullContext } from './pull-context.ts';

const CONCURRENT_BLOBS = 6;
/** overlayfs mounts at most 500 layers; what lists more is not worn out on a registry. */
const MAX_LAYERS = 512;

/** Looks for every layer once, and reads them where the check goes so deep. The failure that got furthest is named. */
export async function checkLayers(
  context: PullContext,
  { layers }: ImageManifest,
  config: ImageConfig | undefined,
): Promise<Result<undefined, Attempt>> {
  const unique = [...new Map(layers.map((layer, at) => [layer.digest, { layer, at }])).values()];
  if (unique.length > MAX_LAYERS) {
    return err(ended({ kind: 'not-checked', reason: 'limit', detail: `an image of ${unique.length} layers` }));
  }
  const limit = pLimit(CONCURRENT_BLOBS);
  const results = await Promise.all(
    unique.map(({ layer, at }) =>
      limit(() => checkLayer(context, layer, isLayerType(layer.mediaType) ? config?.diffIds[at] : undefined)),
    ),
  );
  const [first, ...rest] = results.flatMap((result) => (result.ok ? [] : [result.error]));
  if (first === undefined) return ok(undefined);
  // one layer that is proven to be damaged is enough, however the others fare
  const best = furthest([first, ...rest]);
  const isProven = ({ outcome, doubts }: Attempt): boolean => outcome.kind === best.outcome.kind && doubts.length === 0;
  return err([first, ...rest].find(isProven) ?? best);
}

async function checkLayer(
  context: PullContext,
  layer: Descriptor,
  diffId: string | undefined,
): Promise<Result<undefined, Attempt>> {
  const { platform, traits, signal, contentCheck } = context;
  // a dockerd on Windows asks the URLs where the registry has no layer: what it finds there is not known
  if (layer.urls.length > 0 && traits.foreignUrls === 'passed-over' && platform.os === 'windows') return ok(undefined);
  if (layer.urls.length > 0 && traits.foreignUrls !== 'passed-over') {
    const foreign = await context.foreignLayers.check(layer, context);
    if (foreign !== 'ask-the-registry') return foreign;
  }
  const found = await findLayer(context, layer);
  if (!found.ok) return found;
  if (contentCheck === undefined) return ok(undefined);
  const question = {
    client: found.value,
    layer,
    diffId,
    checksSize: traits.checksSizes === 'all',
    gzipLabelledTar: traits.gzipLabelledTar,
    unpacksZstd: traits.unpacksZstd,
  };
  const read = await contentCheck(question, signal);
  if (read.ok) return read;
  // it was found a moment ago: a refusal now is another answer to the same question
  return err(ended(read.error, read.error.kind === 'access-denied' ? ['answers-disagree'] : []));
}
