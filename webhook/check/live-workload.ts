import { fieldAt, fieldOf, listOf, textOf } from '../admission/field.ts';
import { readWorkload, type Workload } from '../admission/images.ts';

/** Who made an object and looks after it. */
export type Controller = { readonly group: string; readonly kind: string };

/**
 * An object of a cluster as far as its images go; `undefined` where they are pulled no more, or where another object
 * speaks for them: `isJudged` says of a controller whether it is one of those that are judged themselves.
 */
export function readLiveWorkload(
  object: unknown,
  kind: string,
  isJudged: (controller: Controller) => boolean,
): Workload | undefined {
  const workload = isOver(object, kind) ? undefined : readWorkload(object, kind);
  if (workload === undefined) return undefined;
  const controller = controllerOf(object);
  if (controller !== undefined && (isJudged(controller) || isEarlierRevision(object, kind))) return undefined;
  return kind === 'Pod' ? asAdmitted(workload) : workload;
}

export function controllerOf(object: unknown): Controller | undefined {
  const owner = listOf(fieldOf(object, 'metadata'), 'ownerReferences').find(
    (one) => fieldOf(one, 'controller') === true,
  );
  if (owner === undefined) return undefined;
  const [group = '', version] = textOf(owner, 'apiVersion').split('/');
  return { group: version === undefined ? '' : group, kind: textOf(owner, 'kind') };
}

/** On its way out, or at its end: no container of it starts any more. */
function isOver(object: unknown, kind: string): boolean {
  if (textOf(fieldOf(object, 'metadata'), 'deletionTimestamp') !== '') return true;
  const status = fieldOf(object, 'status');
  if (kind === 'Pod') return /^(?:Succeeded|Failed)$/u.test(textOf(status, 'phase'));
  return (
    kind === 'Job' &&
    listOf(status, 'conditions').some(
      (one) => /^(?:Complete|Failed)$/u.test(textOf(one, 'type')) && textOf(one, 'status') === 'True',
    )
  );
}

/** What a controller scaled down is what it ran before. */
function isEarlierRevision(object: unknown, kind: string): boolean {
  return kind === 'ReplicaSet' && fieldAt(object, ['spec', 'replicas']) === 0;
}

/**
 * A Pod that exists has its ServiceAccount's pull secrets in its own list, or never gets them (pull-parity C1): a list
 * with an empty name is a list, and names nothing.
 */
function asAdmitted(pod: Workload): Workload {
  const { imagePullSecrets } = pod.pod;
  return imagePullSecrets.length > 0 ? pod : { ...pod, pod: { ...pod.pod, imagePullSecrets: [''] } };
}
