import { fieldAt } from './field.ts';
import { inNamespace, isWorkloadKind, readWorkload, type Workload } from './images.ts';
import { readPodCounts } from './pod-count.ts';
import type { ImageUse, PodDemand } from './ports.ts';
import type { ReviewRequest } from './review.ts';

/** What a request brings that was not there before. */
export type Changes = {
  /** In the review's namespace; its `uses` are those to check. */
  readonly workload: Workload;
  /** Introduced by this request: `oldObject` has the image nowhere (design, rule 3). */
  readonly isNew: (image: string) => boolean;
};

const EPHEMERAL = 'ephemeralcontainers';

/** A DNS label, as the API server demands it: the namespace goes into the paths of further questions to it. */
const NAMESPACE = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/u;

/** What of a request has to be checked; `undefined` where it leaves every pull as it is. */
export function changesOf(request: ReviewRequest): Changes | undefined {
  const { operation, subResource } = request;
  const isEphemeral = request.kind === 'Pod' && subResource === EPHEMERAL;
  if (!isWorkloadKind(request.group, request.kind) || !NAMESPACE.test(request.namespace)) return undefined;
  if (subResource !== '' && !isEphemeral) return undefined;
  if (operation !== 'CREATE' && operation !== 'UPDATE') return undefined;
  const created = readIn(request, request.object);
  if (created === undefined) return undefined;
  const before = operation === 'UPDATE' ? readIn(request, request.oldObject) : undefined;
  if (before === undefined) return someOf(created, created.uses, new Set());
  const after = updated(created, request);
  // what is being deleted starts no Pod any more; only the API server sets this
  if (typeof fieldAt(request.object, ['metadata', 'deletionTimestamp']) === 'string') return undefined;
  const known = new Set(before.uses.map((use) => use.image));
  if (isEphemeral) return someOf(asked(after), appended(before, after), known);
  if (meetsOtherNodes(before.pod, after.pod)) return someOf(after, after.uses, known);
  const settled = new Set(before.uses.map(pullKey));
  return someOf(
    after,
    after.uses.filter((use) => !settled.has(pullKey(use))),
    known,
  );
}

function readIn(request: ReviewRequest, object: unknown): Workload | undefined {
  const workload = readWorkload(object, request.kind);
  return workload === undefined ? undefined : inNamespace(workload, request.namespace);
}

/** An update replaces its Pods step by step. */
function updated(workload: Workload, { kind, object }: ReviewRequest): Workload {
  const { updated: podsAtOnce } = readPodCounts(kind, fieldAt(object, ['spec']));
  return { ...workload, pod: { ...workload.pod, podsAtOnce } };
}

function someOf(workload: Workload, uses: readonly ImageUse[], known: ReadonlySet<string>): Changes | undefined {
  if (uses.length === 0 && workload.unreadable === 0) return undefined;
  return { workload: { ...workload, uses }, isNew: (image) => !known.has(image) };
}

/** A person adds ephemeral containers, never the Pod's controller: that person gets the denial (design, rule 4). */
function asked(pod: Workload): Workload {
  return { ...pod, hasControllingOwner: false };
}

function appended(before: Workload, after: Workload): readonly ImageUse[] {
  const present = new Set(before.uses.filter(isOfEphemeral).map((use) => use.where));
  return after.uses.filter((use) => isOfEphemeral(use) && !present.has(use.where));
}

function isOfEphemeral({ path }: ImageUse): boolean {
  return path.startsWith('spec.ephemeralContainers[');
}

/** Other credentials or other nodes: every image meets a question that was never asked. */
function meetsOtherNodes(before: PodDemand, after: PodDemand): boolean {
  return essenceOf(before) !== essenceOf(after);
}

function essenceOf({ serviceAccount, imagePullSecrets, platforms }: PodDemand): string {
  return JSON.stringify([serviceAccount, imagePullSecrets, platforms]);
}

function pullKey({ pullPolicy, image, isUnmounted }: ImageUse): string {
  return `${isUnmounted === true ? 'unmounted ' : ''}${pullPolicy} ${image}`;
}
