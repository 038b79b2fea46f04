import { fieldAt, fieldOf, listOf, nameOf } from './field.ts';

/** What of a Node the scheduler compares with a Pod. */
export type NodeShape = {
  readonly name: string;
  readonly isSchedulable: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly taints: readonly Taint[];
};

export type Taint = { readonly key: string; readonly value: string; readonly effect: string };

/** The Nodes that a Pod leaves to the scheduler (kube-scheduler NodeName, NodeAffinity, TaintToleration). */
export type Placement = {
  /** `''` where the scheduler chooses. */
  readonly nodeName: string;
  readonly selector: readonly Requirement[];
  /** Alternatives; `undefined` where the Pod requires none. */
  readonly terms: readonly (readonly Requirement[])[] | undefined;
  readonly tolerations: readonly Toleration[];
};

type Requirement = {
  readonly of: 'label' | 'name';
  readonly key: string;
  readonly operator: string;
  readonly values: ReadonlySet<string>;
};

type Toleration = Taint & { readonly operator: string };

/** Far beyond what people write; each is compared with each Node. */
const MAX_REQUIREMENTS = 64;
const MAX_TOLERATIONS = 64;
const MAX_VALUES = 1024;
/** A prefix of 253 characters, a slash and a name of 63; what is longer is no label's key, and no Node's name. */
const MAX_LENGTH = 317;
const REQUIRED = ['affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'];

/** What the DaemonSet controller has its Pods tolerate (`AddOrUpdateDaemonPodTolerations`). */
const OF_DAEMONS: readonly Toleration[] = ['unschedulable', 'disk-pressure', 'memory-pressure', 'pid-pressure'].map(
  (name) => ({ key: `node.kubernetes.io/${name}`, operator: 'Exists', value: '', effect: 'NoSchedule' }),
);
const CORDONED: Taint = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };

/** Reads it from a Pod spec; `undefined`, for any Node, where it says more than anybody would. */
export function readPlacement(kind: string, spec: unknown): Placement | undefined {
  const labels = labelsOf(fieldOf(spec, 'nodeSelector'));
  const required = fieldAt(spec, REQUIRED);
  const alternatives = listOf(required, 'nodeSelectorTerms');
  const tolerated = listOf(spec, 'tolerations');
  if (Math.max(labels.length, alternatives.length) > MAX_REQUIREMENTS || tolerated.length > MAX_TOLERATIONS) {
    return undefined;
  }
  const selector = labels.map(requirementOf);
  const terms = required === undefined ? undefined : alternatives.map(readTerm);
  const tolerations = [...tolerated.map(readToleration), ...(kind === 'DaemonSet' ? OF_DAEMONS : [])];
  const requirements = [...selector, ...(terms ?? []).flat()];
  const values = requirements.reduce((sum, one) => sum + one.values.size, 0);
  if (requirements.length > MAX_REQUIREMENTS || values > MAX_VALUES) return undefined;
  return { nodeName: nameOf(spec, 'nodeName'), selector, terms, tolerations };
}

/** Whether the scheduler may put the Pod there, as far as what it requires of Nodes goes: their room is not looked at. */
export function mayRunOn(placement: Placement | undefined, node: NodeShape): boolean {
  if (placement === undefined) return node.isSchedulable;
  const { nodeName, selector, terms, tolerations } = placement;
  // bound already: nobody asks about taints
  if (nodeName !== '') return node.name === nodeName;
  const taints = node.isSchedulable ? node.taints : [...node.taints, CORDONED];
  return (
    selector.every((one) => meets(one, node)) &&
    // a term without any requirement matches no Node
    (terms?.some((term) => term.length > 0 && term.every((one) => meets(one, node))) ?? true) &&
    taints.every((taint) => keepsNobodyOut(taint) || tolerations.some((one) => tolerates(one, taint)))
  );
}

function requirementOf([key, value]: readonly [string, string]): Requirement {
  return { of: 'label', key, operator: 'In', values: new Set([value].filter(isShort)) };
}

function isShort(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_LENGTH;
}

function readTerm(term: unknown): readonly Requirement[] {
  const read = (key: string, of: Requirement['of']): readonly Requirement[] =>
    listOf(term, key)
      .slice(0, MAX_REQUIREMENTS + 1)
      .map((one) => ({
        of,
        key: nameOf(one, 'key', MAX_LENGTH),
        operator: nameOf(one, 'operator'),
        values: new Set(listOf(one, 'values').filter(isShort)),
      }));
  // metadata.name is the one field there is
  return [...read('matchExpressions', 'label'), ...read('matchFields', 'name')];
}

function readToleration(written: unknown): Toleration {
  const text = (key: string): string => nameOf(written, key, MAX_LENGTH);
  return { key: text('key'), operator: text('operator'), value: text('value'), effect: text('effect') };
}

function labelsOf(selector: unknown): readonly (readonly [string, string])[] {
  if (typeof selector !== 'object' || selector === null) return [];
  return Object.entries(selector).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

function meets({ of, key, operator, values }: Requirement, node: NodeShape): boolean {
  const value = of === 'name' ? node.name : node.labels.get(key);
  switch (operator) {
    case 'In':
      return value !== undefined && values.has(value);
    case 'NotIn':
      return value === undefined || !values.has(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const [bound = ''] = values;
      if (value === undefined || !INTEGER.test(value) || !INTEGER.test(bound)) return false;
      return operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
    default:
      return false;
  }
}

/** As long as an int64 may be. */
const INTEGER = /^-?\d{1,19}$/u;

function keepsNobodyOut({ effect }: Taint): boolean {
  return effect !== 'NoSchedule' && effect !== 'NoExecute';
}

function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  return operator === 'Exists' || (key !== '' && value === taint.value);
}
