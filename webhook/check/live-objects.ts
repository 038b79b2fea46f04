import type { Workload } from '../admission/images.ts';
import type { KubeApi } from '../kube/api.ts';
import { describeFailure } from '../kube/failure.ts';
import { COLLECTIONS, listObjects, resourceOf, type Collection, type ObjectsRead } from '../kube/object-list.ts';
import { createGathering, type Gathering, type GatheringLimits } from './gathering.ts';
import type { SeenPods } from './started-images.ts';

/** What a cluster runs or would run. */
export type LiveObjects = {
  /** By namespace, and within one in the order of {@link COLLECTIONS}. */
  readonly workloads: readonly Workload[];
  readonly pods: SeenPods;
  /** One line each: what was not read, and why. */
  readonly notices: readonly string[];
  /** `part` where a list failed for want of anything but a right, `nothing` where no list could be read. */
  readonly extent: 'whole' | 'part' | 'nothing';
};

export type ReadingOptions = {
  /** `undefined` for all. */
  readonly namespaces: readonly string[] | undefined;
  /** Told how many objects were looked at so far. */
  readonly onRead: (objects: number) => void;
  readonly limits?: GatheringLimits;
};

const LIMITS: GatheringLimits = Object.freeze({
  /** Kubernetes supports 150,000 Pods. */
  objects: 400_000,
  /** Each is half a KiB here and one in a report. */
  images: 50_000,
  characters: 64 * 1024 * 1024,
});

/** A terminal is slower than a list. */
const TOLD_EVERY = 500;

type List = {
  readonly namespace: string | undefined;
  readonly collection: Collection;
  readonly objects: number;
  readonly read: ObjectsRead;
};

/** Reads them: by lists alone, one page at a time, of which only what matters to pulls is kept. */
export async function readLiveObjects(api: KubeApi, options: ReadingOptions): Promise<LiveObjects> {
  const { namespaces = [undefined], limits = LIMITS } = options;
  const gathering = createGathering(limits);
  const lists: List[] = [];
  for (const namespace of namespaces) {
    // one after the other: an API server has more to do
    // oxlint-disable-next-line no-await-in-loop
    lists.push(...(await readIn(namespace, { ...options, api, gathering })));
  }
  const podLists = lists.filter(({ collection, read }) => collection.kind === 'Pod' && isWhole(read));
  return {
    workloads: gathering.workloads().toSorted(byNamespace),
    pods: { started: gathering.started(), areAll: podLists.length === namespaces.length },
    notices: [...noticesOf(lists), ...limitNotice(gathering.reached())],
    extent: extentOf(lists),
  };
}

async function readIn(
  namespace: string | undefined,
  { api, gathering, onRead }: ReadingOptions & { readonly api: KubeApi; readonly gathering: Gathering },
): Promise<readonly List[]> {
  const judged: Collection[] = [];
  const lists: List[] = [];
  for (const collection of COLLECTIONS) {
    if (gathering.reached() !== undefined) break;
    const before = gathering.objects();
    // what makes an object is known before the object is read
    // oxlint-disable-next-line no-await-in-loop
    const read = await listObjects(api, { collection, namespace }, (object) => {
      if (gathering.objects() % TOLD_EVERY === 0) onRead(gathering.objects());
      return gathering.take(object, collection, judged);
    });
    onRead(gathering.objects());
    if (isWhole(read)) judged.push(collection);
    lists.push({ namespace, collection, objects: gathering.objects() - before, read });
  }
  return lists;
}

const isWhole = (read: ObjectsRead): boolean => read.kind === 'read' && read.isWhole;

function byNamespace(a: Workload, b: Workload): number {
  if (a.namespace === b.namespace) return 0;
  return a.namespace < b.namespace ? -1 : 1;
}

function extentOf(lists: readonly List[]): LiveObjects['extent'] {
  if (lists.every(({ read }) => read.kind !== 'read')) return 'nothing';
  return lists.some(({ read }) => read.kind === 'unavailable') ? 'part' : 'whole';
}

function noticesOf(lists: readonly List[]): readonly string[] {
  return [...Map.groupBy(lists, ({ namespace }) => namespace)].flatMap(([namespace, own]) => {
    const where = namespace === undefined ? 'in all namespaces' : `in namespace ${namespace}`;
    const refused = own.filter(({ read }) => read.kind === 'forbidden').map(({ collection }) => collection);
    const kinds = refused.map(({ kind }) => kind).join(', ');
    const resources = refused.map(resourceOf).join(', ');
    const hint = namespace === undefined ? '; a right in one namespace is enough with -n' : '';
    const isEmpty = namespace !== undefined && own.every(({ read, objects }) => isWhole(read) && objects === 0);
    return [
      ...(isEmpty ? [`${where} there is no Pod and nothing that makes one`] : []),
      ...(refused.length === 0
        ? []
        : [`${where} not read: ${kinds} (403, the right to "list" ${resources} is missing${hint})`]),
      ...own.flatMap(({ collection, read }) =>
        read.kind === 'missing' || read.kind === 'unavailable'
          ? [`${where} not read: ${collection.kind} (the API server ${describeFailure(read)})`]
          : [],
      ),
    ];
  });
}

function limitNotice(reached: string | undefined): readonly string[] {
  return reached === undefined ? [] : [`only the first ${reached} are judged: scan namespace by namespace with -n`];
}
