import { readFileSync } from 'node:fs';
import { createLiveEngine } from '../../webhook/engine/live-engine.ts';
import { manifestSecretSource } from '../../webhook/manifests/secret-source.ts';
import { createResolver } from '../../webhook/registry/resolve.ts';
import { policyFor } from './policy.ts';
import { median } from './table.ts';

/**
 * What one image takes without the start of Node: each is asked for by an engine that has seen nothing, over connections
 * of its own. Arguments: the registry's host, the file of its authority, the images. Sends the middle, in milliseconds.
 */
const [host = '', authority = '', ...images] = process.argv.slice(2);
const policy = policyFor(host, readFileSync(authority, 'utf8'));
const times: number[] = [];
for (const image of images) {
  const startedAt = performance.now();
  const engine = createLiveEngine(
    {
      secrets: manifestSecretSource({ secrets: [], serviceAccounts: [] }),
      resolve: createResolver(new Map()),
      clusterAddresses: undefined,
      nodePlatforms: () => undefined,
    },
    policy,
    {},
  );
  const pod = {
    namespace: 'default',
    serviceAccount: 'default',
    imagePullSecrets: [],
    platforms: undefined,
    isTemplate: false,
    deadline: undefined,
  };
  // oxlint-disable-next-line no-await-in-loop -- one after the other is what is measured
  const { outcome } = await engine.predict(
    { image, pullPolicy: 'Always', pod, maxPullSeconds: undefined },
    AbortSignal.timeout(30_000),
  );
  if (outcome.kind !== 'pullable' || outcome.depth !== 'graph') throw new Error(`${image}: ${JSON.stringify(outcome)}`);
  // oxlint-disable-next-line no-await-in-loop
  await engine.close();
  times.push(performance.now() - startedAt);
}
process.send?.(median(times));
process.disconnect();
