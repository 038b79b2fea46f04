import { fieldAt, fieldOf, isWhole, textOf, wholeOf } from './field.ts';

/** So many Pods, or one on every node. */
export type PodCount = number | 'one-a-node';

/** How many Pods of a workload start at one time: when it is made, and in one step of an update. */
export type PodCounts = { readonly created: PodCount; readonly updated: PodCount };

const ONE: PodCounts = { created: 1, updated: 1 };

/**
 * Reads it from the workload's own spec (for a CronJob that of its Jobs), with the API's defaults. Where it cannot be
 * known here, such as a percentage of the nodes, it is one.
 */
export function readPodCounts(kind: string, spec: unknown): PodCounts {
  switch (kind) {
    case 'Deployment':
      return { created: replicasOf(spec), updated: deploymentStep(spec) };
    case 'ReplicaSet':
    case 'ReplicationController':
      // a new template waits until Pods go
      return { created: replicasOf(spec), updated: 1 };
    case 'StatefulSet':
      // the policy of Pod management counts for scaling alone
      return { created: textOf(spec, 'podManagementPolicy') === 'Parallel' ? replicasOf(spec) : 1, updated: 1 };
    case 'DaemonSet':
      return { created: 'one-a-node', updated: daemonSetStep(spec) };
    case 'Job':
    case 'CronJob': {
      const pods = Math.min(wholeOf(spec, 'parallelism') ?? 1, wholeOf(spec, 'completions') ?? Infinity);
      return { created: atLeastOne(pods), updated: 1 };
    }
    default:
      return ONE;
  }
}

/** With none yet it is asked what happens when there are some. */
function replicasOf(spec: unknown): number {
  return atLeastOne(wholeOf(spec, 'replicas') ?? 1);
}

/** The surge, rounded up, and the Pods that may be missing, rounded down: so many new ones are made at once. */
function deploymentStep(spec: unknown): number {
  const replicas = replicasOf(spec);
  if (textOf(fieldOf(spec, 'strategy'), 'type') === 'Recreate') return replicas;
  const rolling = fieldAt(spec, ['strategy', 'rollingUpdate']);
  const surge = partOf(fieldOf(rolling, 'maxSurge') ?? '25%', replicas, Math.ceil);
  const missing = partOf(fieldOf(rolling, 'maxUnavailable') ?? '25%', replicas, Math.floor);
  return Math.min(replicas, atLeastOne(surge + missing));
}

function daemonSetStep(spec: unknown): number {
  if (textOf(fieldOf(spec, 'updateStrategy'), 'type') === 'OnDelete') return 1;
  const rolling = fieldAt(spec, ['updateStrategy', 'rollingUpdate']);
  return atLeastOne(Math.max(wholeOf(rolling, 'maxUnavailable') ?? 1, wholeOf(rolling, 'maxSurge') ?? 0));
}

const PERCENT = /^(?<percent>\d{1,4})%$/u;

function partOf(value: unknown, whole: number, round: (part: number) => number): number {
  if (isWhole(value)) return value;
  const percent = typeof value === 'string' ? PERCENT.exec(value)?.groups?.['percent'] : undefined;
  return percent === undefined ? 0 : round((Number(percent) * whole) / 100);
}

const atLeastOne = (count: number): number => Math.max(1, count);
