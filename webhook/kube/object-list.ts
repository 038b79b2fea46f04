import { isJsonObject } from '../image/json.ts';
import type { KubeApi } from './api.ts';
import { isTooLarge, readApiFailure, type ApiFailure } from './failure.ts';
import { readPages } from './pages.ts';

/** The objects of one kind, as the API has them. */
export type Collection = { readonly kind: string; readonly group: string; readonly plural: string };

/** The kinds that are Pods or make Pods; what makes another stands before it. */
export const COLLECTIONS: readonly Collection[] = Object.freeze([
  { kind: 'CronJob', group: 'batch', plural: 'cronjobs' },
  { kind: 'Deployment', group: 'apps', plural: 'deployments' },
  { kind: 'StatefulSet', group: 'apps', plural: 'statefulsets' },
  { kind: 'DaemonSet', group: 'apps', plural: 'daemonsets' },
  { kind: 'ReplicationController', group: '', plural: 'replicationcontrollers' },
  { kind: 'ReplicaSet', group: 'apps', plural: 'replicasets' },
  { kind: 'Job', group: 'batch', plural: 'jobs' },
  { kind: 'Pod', group: '', plural: 'pods' },
]);

/** As a rule about rights names them: `deployments.apps`, `pods`. */
export function resourceOf({ group, plural }: Collection): string {
  return group === '' ? plural : `${plural}.${group}`;
}

export type ObjectsWanted = {
  readonly collection: Collection;
  /** `undefined` for all. */
  readonly namespace: string | undefined;
};

/** `isWhole` where nobody stopped before the last object. */
export type ObjectsRead = { readonly kind: 'read'; readonly isWhole: boolean } | ApiFailure;

/** At most 160 KiB each, of what one answer may have: a Pod has about 10 KiB. */
const PAGE = 200;
/** The API server stores no object of more than 3 MiB. */
const PAGE_OF_LARGE = 10;
/** Of each page. */
const TIMEOUT_MS = 20_000;
/** They pull nothing any more, and there may be many. */
const NOT_FINISHED = 'status.phase!=Succeeded,status.phase!=Failed';

/**
 * Reads the objects of a kind page by page, and keeps none: `take` is handed each as the server has it, and says whether
 * it wants more. Never rejects, but for what `take` throws.
 */
export async function listObjects(
  api: KubeApi,
  { collection, namespace }: ObjectsWanted,
  take: (object: unknown) => boolean,
): Promise<ObjectsRead> {
  const { kind, group, plural } = collection;
  const root = group === '' ? '/api/v1' : `/apis/${group}/v1`;
  const path = `${root}${namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`}/${plural}`;
  const selector = kind === 'Pod' ? { fieldSelector: NOT_FINISHED } : {};
  const ask = async (limit: number, next: string): Promise<Page> =>
    pageOf(
      await api.list(
        path,
        { limit: String(limit), ...(next === '' ? {} : { continue: next }), ...selector },
        TIMEOUT_MS,
      ),
    );
  let hasStopped = false;
  try {
    await readPages(
      (next) =>
        ask(PAGE, next).catch((error: unknown) =>
          isTooLarge(error) ? ask(PAGE_OF_LARGE, next) : Promise.reject(error),
        ),
      ({ items }) => {
        hasStopped = !items.every((item) => take(item));
        return !hasStopped;
      },
    );
    return { kind: 'read', isWhole: !hasStopped };
  } catch (error) {
    return readApiFailure(error);
  }
}

type Page = { readonly items: readonly unknown[]; readonly next: string };

function pageOf(body: unknown): Page {
  const { items, metadata } = isJsonObject(body) ? body : {};
  if (!Array.isArray(items)) throw new TypeError('the answer is no list');
  const next = isJsonObject(metadata) ? metadata['continue'] : undefined;
  return { items, next: typeof next === 'string' ? next : '' };
}
