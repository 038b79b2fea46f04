import { countOf, listOf, nameOf } from './field.ts';
import { readPlacement } from './placement.ts';
import { readPlatforms } from './platforms.ts';
import { readPodCounts } from './pod-count.ts';
import type { PodDemand } from './ports.ts';

/** What the API server gives every Pod that names no ServiceAccount. */
const DEFAULT_SERVICE_ACCOUNT = 'default';
/** What a Deployment has unless it says otherwise (apps/v1, `progressDeadlineSeconds`). */
const DEFAULT_PROGRESS_SECONDS = 600;
/** apps/v1: the largest int32 stands for no deadline at all. */
const NO_PROGRESS_DEADLINE = 2_147_483_647;

/** Far more than are read of one Pod: what is left out counts as unread there. */
const MAX_SECRET_NAMES = 1024;

/** Where a Pod spec stands: its own object, and the specs around it that may limit its time. */
export type PodPlace = {
  readonly kind: string;
  readonly namespace: string;
  readonly isTemplate: boolean;
  /** The specs from the object's own to the Pod's, outermost first; the last is the Pod's. */
  readonly specs: readonly unknown[];
};

/** Reads what of a Pod spec decides about credentials, nodes and time. */
export function readPodDemand({ kind, namespace, isTemplate, specs }: PodPlace): PodDemand {
  const spec = specs.at(-1);
  const placement = readPlacement(kind, spec);
  const written = nameOf(spec, 'serviceAccountName') || nameOf(spec, 'serviceAccount');
  return {
    namespace,
    serviceAccount: written === '' ? DEFAULT_SERVICE_ACCOUNT : written,
    imagePullSecrets: secretNames(spec),
    platforms: readPlatforms(spec),
    isTemplate,
    deadline: deadlineOf(kind, specs),
    podsAtOnce: readPodCounts(kind, specs[0]).created,
    ...(placement === undefined ? {} : { placement }),
  };
}

function secretNames(spec: unknown): readonly string[] {
  const names = new Set(listOf(spec, 'imagePullSecrets').map((reference) => nameOf(reference, 'name')));
  return [...names].slice(0, MAX_SECRET_NAMES);
}

function deadlineOf(kind: string, specs: readonly unknown[]): PodDemand['deadline'] {
  if (kind === 'Deployment') {
    const seconds = countOf(specs[0], 'progressDeadlineSeconds') ?? DEFAULT_PROGRESS_SECONDS;
    return seconds >= NO_PROGRESS_DEADLINE ? undefined : { name: 'progressDeadlineSeconds', seconds };
  }
  const limits = specs.flatMap((spec, at) => {
    const seconds = countOf(spec, 'activeDeadlineSeconds');
    if (seconds === undefined) return [];
    return [{ name: 'activeDeadlineSeconds', seconds, of: at === specs.length - 1 ? 'Pod' : 'Job' } as const];
  });
  return limits.toSorted((a, b) => a.seconds - b.seconds)[0];
}
