import { succeeded, type Cluster } from './cluster.ts';
import { MANIFEST } from './installation.ts';
import { removeHosts, removeSettings } from './node-settings.ts';
import { DOMAIN } from './registries.ts';
import { WORKLOADS } from './workload.ts';

/** Takes away everything that a run made, also one that was interrupted. One failure does not keep the rest. */
export async function cleanUp(cluster: Cluster, image: string): Promise<void> {
  const remove = (...what: readonly string[]): Promise<string> =>
    cluster.ask(['delete', ...what, '--ignore-not-found']);
  const steps: readonly (() => Promise<unknown>)[] = [
    // first, so that nothing waits for a webhook on its way out
    () => remove('validatingwebhookconfiguration', 'pullguard'),
    () => remove('namespace', WORKLOADS),
    () => remove('--filename', MANIFEST),
    () => removeHosts(DOMAIN),
    () => removeSettings(cluster.certsD, DOMAIN),
    () => removeImages(cluster, (name) => name === image || name.includes(`.${DOMAIN}:`)),
  ];
  const errors: unknown[] = [];
  for (const step of steps) await step().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw new AggregateError(errors, 'cleaning up after the end-to-end tests');
}

/** The images of that name from the node's store, with the names by digest that containerd gives each of them. */
async function removeImages(cluster: Cluster, isOurs: (name: string) => boolean): Promise<void> {
  const table = succeeded('ctr images ls', await cluster.run('ctr', ['images', 'ls']));
  const [, ...rows] = table.split('\n').map((line) => line.split(/\s+/u));
  const images = rows.map(([name = '', , digest = '']) => ({ name, digest }));
  const digests = new Set(images.filter(({ name }) => isOurs(name)).map(({ digest }) => digest));
  const names = images.filter(({ digest }) => digests.has(digest)).map(({ name }) => name);
  if (names.length > 0) succeeded('ctr images rm', await cluster.run('ctr', ['images', 'rm', ...names]));
}
