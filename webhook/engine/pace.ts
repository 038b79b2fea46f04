import type { PodCount } from '../admission/pod-count.ts';
import type { ImageQuestion } from '../admission/ports.ts';
import type { HostThroughput, NodeDeclaration } from '../policy/policy.ts';
import type { Meter } from '../pull/measure.ts';
import type { Pace } from '../pull/too-slow.ts';

type Throughput = NodeDeclaration['throughput'];

/** Whether anything ends a pull of this image that takes too long: only then it is worth a measurement. */
export function hasLimit({ pod, maxPullSeconds }: Pick<ImageQuestion, 'pod' | 'maxPullSeconds'>): boolean {
  return pod.deadline !== undefined || maxPullSeconds !== undefined;
}

/**
 * How fast one node pulls from a host while `nodes` pull at once: as the policy says, for that host or for all, else as
 * it was measured from here. Of what a host gives in all each node has its part, and never more than a node gets alone.
 */
export function paceOf(host: string, nodes: number, throughput: Throughput, meter: Meter): Pace {
  const declared = declaredFor(host, throughput);
  if (declared === undefined) {
    return {
      bytesPerSecond: meter.rateOf(host),
      throughputFrom: 'measured',
      shared: undefined,
      silentSeconds: meter.silenceOf(host),
    };
  }
  const { perNode = Infinity, total = Infinity } = declared;
  const part = total / nodes;
  return {
    bytesPerSecond: Math.min(perNode, part),
    throughputFrom: 'declared',
    shared: part < perNode ? { nodes, bytesPerSecond: total } : undefined,
    silentSeconds: undefined,
  };
}

/** What the policy says of a host, by its own entry or for all hosts. */
export function declaredFor(host: string, { hosts, bytesPerSecond }: Throughput): HostThroughput | undefined {
  const own = Object.hasOwn(hosts, host) ? hosts[host] : undefined;
  if (own === undefined)
    return bytesPerSecond === undefined ? undefined : { perNode: bytesPerSecond, total: undefined };
  return { perNode: own.perNode ?? bytesPerSecond, total: own.total };
}

/** Nodes that pull at the same time: the scheduler spreads Pods that are equal. Without a count it is one. */
export function nodesAtOnce(pods: PodCount, nodes: number | undefined): number {
  if (nodes === undefined) return 1;
  return pods === 'one-a-node' ? nodes : Math.min(pods, nodes);
}

/**
 * Where one node starts so many pulls of one object at once that the kubelet refuses some: they end in ErrImagePull and
 * are tried again after its back-off (pull-parity G3), by when the image is there. Only with parallel pulls: else they
 * wait in line.
 */
export function burstOn(
  pods: PodCount,
  nodes: number | undefined,
  { parallelImagePulls, registryBurst }: Pick<NodeDeclaration, 'parallelImagePulls' | 'registryBurst'>,
): { readonly pulls: number; readonly allowed: number } | undefined {
  if (nodes === undefined || pods === 'one-a-node' || registryBurst === undefined) return undefined;
  const pulls = Math.min(Math.ceil(pods / nodes), parallelImagePulls);
  return pulls > registryBurst ? { pulls, allowed: registryBurst } : undefined;
}
