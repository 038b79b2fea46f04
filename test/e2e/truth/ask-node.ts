import { setTimeout as sleep } from 'node:timers/promises';
import { succeeded, type Cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import type { Condition } from './condition.ts';
import { mayShare, NAMESPACE, objectsOf, sharedPod } from './pods.ts';

/** What the kubelet said in the end. */
export type Truth = { readonly pulled: boolean; readonly words: string };

/** Conditions in which the node hangs for longer than anybody waits: there is no truth but that it did not pull. */
export const HANGS: ReadonlySet<string> = new Set(['silent-manifest']);

/** Reasons of a container that has its image and fails later. */
const AFTER_THE_PULL = /^(?:CreateContainer(?:Config)?Error|RunContainerError|CrashLoopBackOff|StartError)$/u;
/** Not yet: the kubelet is at it. */
const UNDER_WAY = /^(?:ContainerCreating|PodInitializing)?$/u;
/** The kubelet's first pause is 10 s. */
const SECOND_TRY_MS = 25_000;
/** A node takes 110 Pods. */
const BATCH = 100;
/** The kubelet pulls the images of one Pod one after the other. */
const SHARING = 4;

/** Applies the conditions to the cluster's own node; the answer is the truth of each, by its id. */
export async function askNode(
  cluster: Cluster,
  conditions: readonly Condition[],
  besideImage: string,
): Promise<ReadonlyMap<string, Truth>> {
  await cluster.ask(['create', '-f', '-'], [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }]);
  await eventually('the ServiceAccount default', async () => {
    const ran = await cluster.kubectl(['-n', NAMESPACE, 'get', 'serviceaccount', 'default']);
    return ran.exitCode === 0 ? true : undefined;
  });
  await preload(cluster, conditions, besideImage);
  const truths = new Map<string, Truth>();
  for (const batch of batchesOf(conditions)) {
    // a node has room for so many Pods at a time
    // oxlint-disable-next-line no-await-in-loop
    for (const [id, truth] of await tryBatch(cluster, batch, besideImage)) truths.set(id, truth);
  }
  return truths;
}

/** Pods in batches: those with Secrets first, as they take longer, and each of the others with some more. */
function batchesOf(conditions: readonly Condition[]): readonly (readonly (readonly Condition[])[])[] {
  const shared = conditions.filter((one) => mayShare(one) && !HANGS.has(one.id));
  const alone = conditions.filter((one) => !shared.includes(one));
  const pods = [
    ...alone.toSorted((a, b) => Number(hasSecrets(b)) - Number(hasSecrets(a))).map((one) => [one]),
    ...slices(shared, SHARING),
  ];
  return slices(pods, BATCH);
}

function slices<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));
}

const hasSecrets = ({ secrets = [], accountSecrets = [] }: Condition): boolean =>
  secrets.length > 0 || accountSecrets.length > 0;

/** Gives names to an image that the node has. */
async function preload(cluster: Cluster, conditions: readonly Condition[], image: string): Promise<void> {
  const names = conditions.flatMap((one) => (one.isPreloaded === true ? [one.image] : []));
  if (names.length === 0) return;
  const pull = ['images', 'pull', `--hosts-dir=${cluster.certsD}`, image];
  succeeded('ctr images pull', await cluster.run('ctr', pull));
  succeeded('ctr images tag', await cluster.run('ctr', ['images', 'tag', '--force', image, ...names]));
}

async function tryBatch(
  cluster: Cluster,
  pods: readonly (readonly Condition[])[],
  besideImage: string,
): Promise<ReadonlyMap<string, Truth>> {
  const batch = pods.flat();
  const objects = pods.flatMap((pod) => {
    const [condition, ...more] = pod;
    if (condition === undefined) return [];
    return more.length === 0 ? objectsOf({ condition, besideImage }) : [sharedPod(pod)];
  });
  await cluster.ask(['create', '-f', '-'], objects);
  const truths = await eventually('the node to have tried every image', async () => {
    const seen = await readTruths(cluster);
    for (const id of HANGS) if (!seen.has(id)) seen.set(id, { pulled: false, words: '' });
    return batch.every(({ id }) => seen.has(id)) ? seen : undefined;
  });
  // a kubelet that had not heard of a Secret yet tries once without it: its second try is the one that counts
  if (batch.some(hasSecrets)) {
    await sleep(SECOND_TRY_MS);
    for (const [id, truth] of await readTruths(cluster)) {
      // what it pulled without the Secret it keeps
      if (truths.get(id)?.pulled !== true) truths.set(id, truth);
    }
  }
  await cluster.ask(['-n', NAMESPACE, 'delete', 'pods', '--all', '--force', '--grace-period=0', '--wait=true']);
  return truths;
}

type PodList = {
  readonly items: readonly {
    readonly status: {
      readonly containerStatuses?: readonly ContainerStatus[];
      readonly initContainerStatuses?: readonly ContainerStatus[];
    };
  }[];
};
type ContainerStatus = {
  readonly name: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: object;
    readonly terminated?: object;
  };
};

/** By the names of the containers, which are the conditions'. */
async function readTruths(cluster: Cluster): Promise<Map<string, Truth>> {
  const { items } = JSON.parse(await cluster.ask(['-n', NAMESPACE, 'get', 'pods', '-o', 'json'])) as PodList;
  const containers = items.flatMap(({ status: { containerStatuses = [], initContainerStatuses = [] } }) => [
    ...containerStatuses,
    ...initContainerStatuses,
  ]);
  const truths = new Map<string, Truth>();
  for (const { name, state: { waiting, running, terminated } = {} } of containers) {
    const reason = waiting?.reason ?? '';
    const words = `${reason} ${waiting?.message ?? ''}`;
    if (running !== undefined || terminated !== undefined || AFTER_THE_PULL.test(reason)) {
      truths.set(name, { pulled: true, words });
    } else if (!UNDER_WAY.test(reason)) {
      truths.set(name, { pulled: false, words });
    }
  }
  return truths;
}
