import type { ImageQuestion } from '../admission/ports.ts';
import type { ExceededLimit } from '../outcome/outcome.ts';
import type { NodeDeclaration } from '../policy/policy.ts';
import type { Meter } from '../pull/measure.ts';
import type { Pace } from '../pull/too-slow.ts';

type Throughput = NodeDeclaration['throughput'];

/** What ends a pull of this image that takes too long: the object's own deadline, and the policy's patience. */
export function limitsOf({
  pod,
  maxPullSeconds,
}: Pick<ImageQuestion, 'pod' | 'maxPullSeconds'>): readonly ExceededLimit[] {
  return [
    ...(pod.deadline === undefined ? [] : [pod.deadline]),
    ...(maxPullSeconds === undefined ? [] : [{ name: 'maxPullSeconds', seconds: maxPullSeconds } as const]),
  ];
}

/** How fast nodes pull from a host: as the policy says, for that host or for all, else as it was measured. */
export function paceOf(host: string, limits: readonly ExceededLimit[], throughput: Throughput, meter: Meter): Pace {
  const declared = declaredRate(host, throughput);
  return declared === undefined
    ? { bytesPerSecond: meter.rateOf(host), throughputFrom: 'measured', limits }
    : { bytesPerSecond: declared, throughputFrom: 'declared', limits };
}

/** Bytes per second. */
export function declaredRate(host: string, { hosts, bytesPerSecond }: Throughput): number | undefined {
  return (Object.hasOwn(hosts, host) ? hosts[host] : undefined) ?? bytesPerSecond;
}
