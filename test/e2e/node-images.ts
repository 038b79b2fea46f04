import { succeeded, type Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';

/** Takes these images from the node's store, with the names by digest that containerd gives each of them. */
export async function removeImages(cluster: Cluster, isOurs: (name: string) => boolean): Promise<void> {
  const table = succeeded('ctr images ls', await cluster.run('ctr', ['images', 'ls']));
  const [, ...rows] = table.split('\n').map((line) => line.split(/\s+/u));
  const images = rows.map(([name = '', , digest = '']) => ({ name, digest }));
  const digests = new Set(images.filter(({ name }) => isOurs(name)).map(({ digest }) => digest));
  const names = images.filter(({ digest }) => digests.has(digest)).map(({ name }) => name);
  if (names.length > 0) succeeded('ctr images rm', await cluster.run('ctr', ['images', 'rm', ...names]));
}

type Nodes = {
  readonly items: readonly {
    readonly status: { readonly images?: readonly { readonly names?: readonly string[] }[] };
  }[];
};

/**
 * Waits until every Node lists all its images: a list of 50, or five names of one image, may have been cut, and then
 * nothing that rests on absence is proof (pull-parity H1). A kubelet reports what was removed within minutes.
 */
export async function untilImagesListed(cluster: Cluster): Promise<void> {
  await eventually('every Node lists fewer than 50 images, each with fewer than 5 names', async () => {
    const { items } = JSON.parse(await cluster.ask(['get', 'nodes', '--output', 'json'])) as Nodes;
    const lists = items.map(({ status: { images = [] } }) => images);
    const isWhole = lists.every((images) => images.length < 50 && images.every(({ names = [] }) => names.length < 5));
    return isWhole ? true : undefined;
  });
}
