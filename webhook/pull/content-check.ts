import type { Descriptor } from '../image/manifest.ts';
import type { Result } from '../image/result.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import type { RegistryClient } from '../registry/client.ts';

/**
 * Reads one layer whole, as the node would, and compares it with its descriptor and, where it is known, its diff id.
 * An error is the outcome that the node would meet.
 */
export type ContentCheck = (
  question: {
    readonly client: RegistryClient;
    readonly layer: Descriptor;
    readonly diffId: string | undefined;
    /** dockerd and containers/image pay no heed to a layer's declared size. */
    readonly checksSize: boolean;
  },
  signal: AbortSignal,
) => Promise<Result<undefined, PullOutcome>>;
