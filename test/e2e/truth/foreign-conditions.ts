import { createImageStore } from '../../../webhook/demo/image-store.ts';
import { basicAuth, type Bend } from '../../../webhook/demo/registry.ts';
import { DOCKER_MANIFEST, OCI_MANIFEST } from '../../../webhook/image/media-type.ts';
import { only, redirect, reply, status } from '../../support/bend.ts';
import { ABSENT, ofLayers } from './registry-condition.ts';
import { hostOf, overHttp, STORE_HOST, type Stage } from './stage.ts';

const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
const NONDISTRIBUTABLE = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
const PAGE = reply(200, { 'content-type': 'text/html' }, '<html>log in</html>');

/** pull-parity F11, as rows: layers that lie outside the registry. */
export async function addForeignConditions({ registry, add, deadPort }: Stage): Promise<void> {
  const foreign = async (
    id: string,
    urls: (layer: { readonly host: string; readonly path: string }) => readonly string[],
    options: { readonly type?: string; readonly outside?: readonly Bend[]; readonly inside?: readonly Bend[] } = {},
  ): Promise<void> => {
    const { type = FOREIGN, outside = [], inside = [] } = options;
    const store = createImageStore();
    const repository = store.repository('app');
    const { config: image, layers } = repository.addImage({ layers: [{ 'app/name': `for ${id}\n` }] });
    const path = `/v2/app/blobs/${layers[0]?.digest ?? ''}`;
    const target = hostOf(await registry({ store, bends: outside }), STORE_HOST);
    const manifest = type === FOREIGN ? DOCKER_MANIFEST : OCI_MANIFEST;
    const listed = layers.map((one) => ({ ...one, mediaType: type, urls: urls({ host: target, path }) }));
    const configType = type === FOREIGN ? 'application/vnd.docker.container.image.v1+json' : image.mediaType;
    repository.addManifest(
      { schemaVersion: 2, mediaType: manifest, config: { ...image, mediaType: configType }, layers: listed },
      manifest,
      ['1'],
    );
    const host = hostOf(await registry({ store, bends: inside }));
    add({ id: `foreign-${id}`, rule: 'F11', image: `${host}/app:1`, node: overHttp(host) });
  };
  const gone = only({ kind: 'blob' }, ofLayers(status(404, 'BLOB_UNKNOWN')));
  await foreign('outside', ({ host, path }) => [`http://${host}${path}`], { inside: [gone] });
  await foreign('outside-oci', ({ host, path }) => [`http://${host}${path}`], {
    inside: [gone],
    type: NONDISTRIBUTABLE,
  });
  await foreign('plain-type', ({ host, path }) => [`http://${host}${path}`], {
    inside: [gone],
    type: 'application/vnd.oci.image.layer.v1.tar+gzip',
  });
  await foreign('dead', () => [`http://127.0.0.1:${deadPort()}/x`]);
  await foreign('no-such-host', () => ['http://cdn.truth.invalid/x']);
  await foreign('404', ({ host, path }) => [`http://${host}${path}`], { outside: [status(404, 'X')] });
  await foreign('404-both', ({ host, path }) => [`http://${host}${path}`], {
    outside: [status(404, 'X')],
    inside: [gone],
  });
  await foreign('403', ({ host, path }) => [`http://${host}${path}`], { outside: [status(403, 'DENIED')] });
  await foreign('401', ({ host, path }) => [`http://${host}${path}`], { outside: [basicAuth({ u: 'p' })] });
  await foreign('500', ({ host, path }) => [`http://${host}${path}`], { outside: [status(500, 'X')] });
  await foreign('page', ({ host, path }) => [`http://${host}${path}`], { outside: [PAGE] });
  await foreign('redirected', ({ host }) => [`http://${host}/elsewhere`], {
    outside: [
      only(
        { kind: 'other' },
        redirect(({ url }) => `http://${url.host}/v2/app/blobs/${ABSENT}`),
      ),
    ],
  });
  await foreign('dead-then-sound', ({ host, path }) => [`http://127.0.0.1:${deadPort()}/x`, `http://${host}${path}`], {
    inside: [gone],
  });
  await foreign('404-then-sound', ({ host, path }) => [`http://${host}/nothing`, `http://${host}${path}`], {
    inside: [gone],
  });
  await foreign('sound-then-dead', ({ host, path }) => [`http://${host}${path}`, `http://127.0.0.1:${deadPort()}/x`], {
    inside: [gone],
  });
  await foreign('ftp', ({ host, path }) => [`ftp://${host}${path}`]);
  await foreign('empty', () => ['']);
  await foreign('none', () => []);
  await foreign('https-to-http', ({ host, path }) => [`https://${host}${path}`]);
  await foreign('with-user', ({ host, path }) => [`http://u:p@${host}${path}`], {
    outside: [basicAuth({ u: 'p' })],
    inside: [gone],
  });
  await foreign('other-bytes', ({ host, path }) => [`http://${host}${path}`], {
    outside: [(_q, a) => ({ ...a, body: Buffer.concat([a.body, Buffer.from(' ')]) })],
  });
}
