import { OCI_MANIFEST } from '../image/media-type.ts';
import { createImageStore, sha256, type ImageStore } from './image-store.ts';
import type { Bend } from './registry.ts';

/** What a large layer claims to weigh. Nobody has it: a check reads the size, never the bytes. */
const CLAIMED_BYTES = 32 * 1024 ** 3;
const CLAIMED = sha256(Buffer.from('a layer of many gigabytes'));
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const HELM_CONFIG = 'application/vnd.cncf.helm.config.v1+json';
const HELM_CHART = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

/** The images of the demo, sound and damaged. */
export function createContent(): ImageStore {
  const store = createImageStore();
  store.repository('web').addImage({ tags: ['1.0', '1.1'] });

  const cart = store.repository('cart').addImage({ tags: ['1.0'] });
  for (const layer of cart.layers) store.damage(layer.digest, 'removed');
  const stock = store.repository('stock').addImage({ tags: ['1.0'] });
  store.damage(stock.config.digest, 'flipped');

  const model = store.repository('model');
  const { config } = model.addImage();
  const layers = [{ mediaType: OCI_LAYER, digest: CLAIMED, size: CLAIMED_BYTES }];
  model.addManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }, OCI_MANIFEST, ['1.0']);

  const tools = store.repository('tools');
  const foreign = ['arm64', 's390x'].map((architecture) => tools.addImage({ platform: { os: 'linux', architecture } }));
  tools.addIndex(foreign, { tags: ['1.0'] });

  const charts = store.repository('chart');
  const chart = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: charts.addBlob(Buffer.from('{"name":"web","version":"1.0.0"}'), HELM_CONFIG),
    layers: [charts.addBlob(Buffer.from('a chart'), HELM_CHART)],
  };
  charts.addManifest(chart, OCI_MANIFEST, ['1.0']);
  return store;
}

/** Answers for the large layer as if it were there: its length in the header, and not one byte of it. */
export const claimLargeLayer: Bend = ({ route }, answer) =>
  route.kind === 'blob' && route.reference === CLAIMED
    ? { status: 200, headers: { 'content-length': String(CLAIMED_BYTES) }, body: new Uint8Array() }
    : answer;

/** A registry that has had enough for now. */
export const throttle: Bend = () => ({
  status: 429,
  headers: { 'retry-after': '60', 'content-type': 'text/plain' },
  body: Buffer.from('too many requests'),
});
