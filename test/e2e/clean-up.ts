import type { Cluster } from './cluster.ts';
import { MANIFEST } from './installation.ts';
import { removeImages } from './node-images.ts';
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
