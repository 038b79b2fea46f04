import * as z from 'zod';
import type { HostThroughput, NodeDeclaration } from './policy.ts';
import { duration, host, throughputText } from './scalar.ts';

const hostThroughput = z
  .union([
    throughputText,
    z
      .strictObject({
        perNode: throughputText.optional(),
        total: throughputText.optional(),
      })
      .refine(({ perNode, total }) => perNode !== undefined || total !== undefined, {
        error: 'says nothing: give perNode, total or both',
      })
      .meta({ description: 'perNode is what one node gets from it, total what it gives to all nodes together.' }),
  ])
  .transform((written): HostThroughput =>
    typeof written === 'number'
      ? { perNode: written, total: undefined }
      : { perNode: written.perNode, total: written.total },
  );

/** How fast nodes fetch layers: one rate for all, or rates by host. */
export const throughput = z
  .union([
    throughputText,
    z.strictObject({
      default: throughputText
        .optional()
        .meta({ description: 'What one node gets from a registry without an entry, for example 20MB/s.' }),
      hosts: z.record(host, hostThroughput).default({}).meta({ description: 'By registry.' }),
    }),
  ])
  .optional()
  .meta({ description: 'How fast a node fetches layers; where it is not said, a short read measures it.' })
  .transform((written): NodeDeclaration['throughput'] => {
    if (written === undefined) return { bytesPerSecond: undefined, hosts: {} };
    return typeof written === 'number'
      ? { bytesPerSecond: written, hosts: {} }
      : { bytesPerSecond: written.default, hosts: written.hosts };
  });

/** A runtime's limit for a pull without progress; 0s switches it off, as in the runtimes' own settings. */
export const stallLimit = duration(0, 24 * 60 * 60_000).optional();

/** Those of the nodes that could share what a registry gives in all. */
export const nodeCount = z
  .int()
  .min(1)
  .max(100_000)
  .optional()
  .meta({ description: 'How many nodes there are; where it is not said, the Node objects are counted.' });

/** The kubelet's limits for starting pulls. */
export const registryPullQPS = z
  .number()
  .min(0)
  .max(1_000_000)
  .optional()
  .meta({ description: 'Pulls that a kubelet starts each second; 0 for no limit.' });
export const registryBurst = z
  .int()
  .min(0)
  .max(1_000_000)
  .optional()
  .meta({ description: 'Pulls that a kubelet starts at once; the others end in ErrImagePull and are tried again.' });

export function inSeconds(millis: number | undefined): number | undefined {
  return millis === undefined ? undefined : millis / 1000;
}

/** The kubelet's own defaults where one of the two is given: 5 a second, 10 at once; 0 a second is no limit. */
export function burstOf(perSecond: number | undefined, burst: number | undefined): number | undefined {
  if ((perSecond === undefined && burst === undefined) || perSecond === 0) return undefined;
  return burst ?? 10;
}
