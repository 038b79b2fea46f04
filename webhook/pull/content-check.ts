import type { Descriptor } from '../image/descriptor.ts';
import type { Result } from '../image/result.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import type { RegistryClient } from '../registry/client.ts';

/** One layer, where it lies, and what the runtime makes of it. */
export type LayerQuestion = {
  readonly client: RegistryClient;
  readonly layer: Descriptor;
  /** `undefined` where the config gives none: then nothing is unpacked, and digest and size must do. */
  readonly diffId: string | undefined;
  /** dockerd and containers/image pay no heed to a layer's declared size. */
  readonly checksSize: boolean;
  /** Packed bytes under OCI's plain tar type: containerd extracts them as they are, which fails (pull-parity F10). */
  readonly gzipLabelledTar: 'fails' | 'unpacks';
  /** dockerd before 23.0 takes zstd for a tar archive, whatever the type says (pull-parity F10). */
  readonly unpacksZstd: boolean;
};

/**
 * Reads one layer whole, as the node would, and compares it with its descriptor and, where it is known, its diff id.
 * An error is the outcome that the node would meet.
 */
export type ContentCheck = (question: LayerQuestion, signal: AbortSignal) => Promise<Result<undefined, PullOutcome>>;
