import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCheck } from '../../webhook/check/check.ts';
import { itemsOf } from '../../webhook/check/items.ts';
import { setupOf } from '../../webhook/engine/node-setup.ts';
import { manifestSecretSource } from '../../webhook/manifests/secret-source.ts';
import { unlimited } from '../../webhook/registry/budget.ts';
import { policyFor } from './policy.ts';

/** What a `check` of many images took. Bytes at the peak; sockets that were still open afterwards. */
export type ManyResult = {
  readonly pullable: number;
  readonly seconds: number;
  readonly startedRss: number;
  readonly peakRss: number;
  readonly sockets: number;
};

/** Runs in a process of its own, so that its memory is that of the check alone. Arguments: the host, the file of its
 * authority, how many images. */
async function checkMany(host: string, authority: string, count: number): Promise<ManyResult> {
  const policy = policyFor(host, authority);
  const startedRss = process.memoryUsage.rss();
  const startedAt = performance.now();
  const results = await runCheck({
    policy,
    setup: setupOf(policy.nodes, {}),
    items: itemsOf({
      manifests: { workloads: [], secrets: [], serviceAccounts: [], notices: [] },
      images: Array.from({ length: count }, (_, at) => `${host}/many/app-${at}:1`),
      namespace: 'default',
      serviceAccount: 'default',
    }),
    secrets: manifestSecretSource({ secrets: [], serviceAccounts: [] }),
    nodes: undefined,
    isNew: true,
    budget: unlimited,
    hosts: new Map(),
    timeoutMs: 60_000,
    explains: false,
    contentCheck: undefined,
    onProgress: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  const seconds = (performance.now() - startedAt) / 1000;
  // a socket that was destroyed is gone after the event loop's next turns
  await sleep(100);
  return {
    pullable: results.filter(({ prediction }) => prediction.outcome.kind === 'pullable').length,
    seconds,
    startedRss,
    peakRss: process.resourceUsage().maxRSS * 1024,
    sockets: process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length,
  };
}

const [host = '', authority = '', count = '0'] = process.argv.slice(2);
process.send?.(await checkMany(host, readFileSync(authority, 'utf8'), Number(count)));
process.disconnect();
