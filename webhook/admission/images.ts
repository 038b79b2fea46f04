import { fieldAt, fieldOf, listOf, textOf } from './field.ts';
import { isJsonObject } from '../image/json.ts';
import { readPodDemand } from './pod-demand.ts';
import { readPodImages } from './pod-images.ts';
import type { ImageUse, PodDemand } from './ports.ts';

/** An object that is a Pod or makes Pods, as far as their images go. */
export type Workload = {
  readonly kind: string;
  /** As the object says; `''` where it does not. See {@link inNamespace}. */
  readonly namespace: string;
  /** `generateName` where no name is known yet. */
  readonly name: string;
  readonly uses: readonly ImageUse[];
  readonly pod: PodDemand;
  readonly hasControllingOwner: boolean;
  /** False for a Pod itself. */
  readonly isTemplate: boolean;
  /** Entries among the containers that could not be read. */
  readonly unreadable: number;
};

type Shape = {
  readonly group: string;
  /** Keys of the specs from the object's own to the Pod's. */
  readonly specs: readonly (readonly string[])[];
};

const TEMPLATE_SPECS = [['spec'], ['spec', 'template', 'spec']];

/** Where each kind keeps its Pod spec. `template` is in the path for all but the Pod itself. */
const SHAPES: ReadonlyMap<string, Shape> = new Map([
  ['Pod', { group: '', specs: [['spec']] }],
  ['ReplicationController', { group: '', specs: TEMPLATE_SPECS }],
  ['PodTemplate', { group: '', specs: [['template', 'spec']] }],
  ['Deployment', { group: 'apps', specs: TEMPLATE_SPECS }],
  ['ReplicaSet', { group: 'apps', specs: TEMPLATE_SPECS }],
  ['StatefulSet', { group: 'apps', specs: TEMPLATE_SPECS }],
  ['DaemonSet', { group: 'apps', specs: TEMPLATE_SPECS }],
  ['Job', { group: 'batch', specs: TEMPLATE_SPECS }],
  [
    'CronJob',
    {
      group: 'batch',
      specs: [
        ['spec', 'jobTemplate', 'spec'],
        ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
      ],
    },
  ],
]);

/**
 * Reads an object of one of the kinds that make Pods; `undefined` for any other. `kind` overrides the object's own
 * word, as a review knows the kind better than its object; the group is looked at where the object has an apiVersion.
 */
export function readWorkload(object: unknown, kind: string = textOf(object, 'kind')): Workload | undefined {
  const shape = SHAPES.get(kind);
  if (shape === undefined || !isJsonObject(object) || !isOfGroup(object, shape.group)) return undefined;
  const metadata = fieldOf(object, 'metadata');
  const namespace = textOf(metadata, 'namespace');
  const isTemplate = kind !== 'Pod';
  const specs = shape.specs.map((keys) => fieldAt(object, keys));
  const { uses, unreadable } = readPodImages(specs.at(-1), (shape.specs.at(-1) ?? []).join('.'));
  return {
    kind,
    namespace,
    name: textOf(metadata, 'name') || textOf(metadata, 'generateName'),
    uses,
    pod: readPodDemand({ kind, namespace, isTemplate, specs }),
    hasControllingOwner: listOf(metadata, 'ownerReferences').some((owner) => fieldOf(owner, 'controller') === true),
    isTemplate,
    unreadable,
  };
}

/** The same workload in another namespace: the review's, or the one that a command line names. */
export function inNamespace(workload: Workload, namespace: string): Workload {
  return { ...workload, namespace, pod: { ...workload.pod, namespace } };
}

/** Where an object of the kind keeps its Pod spec; empty for a kind that makes no Pods. */
export function podSpecPath(kind: string): readonly string[] {
  return SHAPES.get(kind)?.specs.at(-1) ?? [];
}

/** Whether a review's kind is one of these: another API group may have a kind of the same name. */
export function isWorkloadKind(group: string, kind: string): boolean {
  return SHAPES.get(kind)?.group === group;
}

/** Whether it is the name of such a kind, in whatever group and letter case. */
export function isWorkloadName(kind: string): boolean {
  return [...SHAPES.keys()].some((name) => name.toLowerCase() === kind.toLowerCase());
}

function isOfGroup(object: unknown, group: string): boolean {
  const apiVersion = textOf(object, 'apiVersion');
  if (apiVersion === '') return true;
  const slash = apiVersion.indexOf('/');
  return (slash < 0 ? '' : apiVersion.slice(0, slash)) === group;
}
