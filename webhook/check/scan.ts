import { createBudget } from '../registry/budget.ts';
import { createProgress } from '../report/progress.ts';
import { readScanOptions, type ScanFlags, type ScanOptions } from './flags.ts';
import { itemsIn } from './items.ts';
import { judge } from './judge.ts';
import { liveSecretSource, openLive, type LiveCluster } from './live.ts';
import { readLiveObjects } from './live-objects.ts';
import { readNodeFlags, type NodeChoices } from './node-flags.ts';
import { prepare } from './preparation.ts';
import { refuse } from './say.ts';
import { withSeenPods } from './started-images.ts';
import type { Streams } from './streams.ts';

/** `pullguard scan`: a check whose manifests are what a cluster has. Returns the exit code of design part 6. */
export async function scanCommand(flags: ScanFlags, streams: Streams): Promise<number> {
  const options = readScanOptions(flags);
  const choices = readNodeFlags(flags);
  if (!options.ok || !choices.ok) {
    return refuse(
      streams,
      [options, choices].flatMap((one) => (one.ok ? [] : one.error)),
    );
  }
  const live = await openLive({ kubeconfig: flags.kubeconfig, context: flags.context }, 'scan');
  if (!live.ok) return refuse(streams, [live.error]);
  try {
    return await scan(options.value, choices.value, { live: live.value, streams });
  } finally {
    await live.value.api.close();
  }
}

/** A registry that grants a number of pulls keeps half of them for the nodes (design, rule 9); the others may be asked for all. */
const NO_LIMIT = Infinity;

async function scan(
  options: ScanOptions,
  choices: NodeChoices,
  { live, streams }: { readonly live: LiveCluster; readonly streams: Streams },
): Promise<number> {
  // what runs already gets no guess about its nodes: without a policy they are what `serve` takes them for (design, rule 2)
  const preparation = await prepare(choices, live, {});
  if (!preparation.ok) return refuse(streams, preparation.error);
  const progress = createProgress(streams.stderr);
  const { workloads, pods, notices, extent } = await readLiveObjects(live.api, {
    namespaces: options.namespaces,
    onRead: (objects) => progress.note(`objects read: ${objects}`),
  }).finally(() => progress.clear());
  if (extent === 'nothing') return refuse(streams, [...notices, 'no list could be read: there is nothing to judge']);
  return judge(
    {
      options,
      preparation: preparation.value,
      items: workloads.flatMap((workload) => itemsIn(workload)),
      secrets: liveSecretSource(live.api, { secrets: [], serviceAccounts: [] }),
      nodes: withSeenPods(live.nodes, pods),
      isNew: false,
      budget: createBudget({ requestsPerMinute: () => NO_LIMIT, now: () => performance.now() }),
      notices,
      shows: 'problems',
      isPartial: extent === 'part',
    },
    streams,
  );
}
