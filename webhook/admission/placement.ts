import { fieldAt, fieldOf, listOf, textOf } from './field.ts';

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
const REQUIRED = ['affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'];

/** What the DaemonSet controller has its Pods tolerate (`AddOrUpdateDaemonPodTolerations`). */
const OF_DAEMONS: readonly Toleration[] = ['unschedulable', 'disk-pressure', 'memory-pressure', 'pid-pressure'].map(
  (name) => ({ key: `node.kubernetes.io/${name}`, operator: 'Exists', value: '', effect: 'NoSchedule' }),
);
const CORDONED: Taint = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };

/** Reads it from a Pod spec; `undefined`, for any Node, where it says more than anybody would. */
export function readPlacement(kind: string, spec: unknown): Placement | undefined {
  const selector = labelsOf(fieldOf(spec, 'nodeSelector')).map(([key, value]) => ({
    of: 'label' as const,
    key,
    operator: 'In',
    values: new Set([value]),
  }));
  const required = fieldAt(spec, REQUIRED);
  const terms = required === undefined ? undefined : listOf(required, 'nodeSelectorTerms').map(readTerm);
  const tolerations = [...listOf(spec, 'tolerations').map(readToleration), ...(kind === 'DaemonSet' ? OF_DAEMONS : [])];
  const requirements = selector.length + (terms ?? []).reduce((sum, term) => sum + term.length, 0);
  if (requirements > MAX_REQUIREMENTS || tolerations.length > MAX_TOLERATIONS) return undefined;
  return { nodeName: textOf(spec, 'nodeName'), selector, terms, tolerations };
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

function readTerm(term: unknown): readonly Requirement[] {
  const read = (key: string, of: Requirement['of']): readonly Requirement[] =>
    listOf(term, key).map((one) => ({
      of,
      key: textOf(one, 'key'),
      operator: textOf(one, 'operator'),
      values: new Set(listOf(one, 'values').filter((value) => typeof value === 'string')),
    }));
  // metadata.name is the one field there is
  return [...read('matchExpressions', 'label'), ...read('matchFields', 'name')];
}

function readToleration(written: unknown): Toleration {
  const text = (key: string): string => textOf(written, key);
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
