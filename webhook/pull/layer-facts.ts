import { createHash } from 'node:crypto';
import { digestAlgorithm } from '../image/digest.ts';
import type { Descriptor } from '../image/descriptor.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import type { RegistryClient } from '../registry/client.ts';
import { outcomeOfFailure } from '../registry/failure-outcome.ts';
import { streamLayer, type Transfer } from './layer-stream.ts';
import { createTarScan, type TarEnd } from './tar-scan.ts';
import { createUnpacker, type Packing, type UnpackEnd } from './unpacker.ts';

/** What reading a layer whole brought to light, whatever a runtime makes of it. */
export type LayerFacts = Transfer & {
  readonly isDigestTrue: boolean;
  readonly packing: Packing;
  readonly unpackEnd: UnpackEnd;
  readonly tarEnd: TarEnd;
  /** Of the unpacked stream, by the algorithm that was asked for. */
  readonly diffId: string;
};

export type ReadingOptions = {
  readonly client: RegistryClient;
  readonly layer: Pick<Descriptor, 'digest' | 'size'>;
  readonly diffAlgorithm: ReturnType<typeof digestAlgorithm>;
  /** Hears of bytes as they come. */
  readonly onBytes: (bytes: number) => void;
};

/** Reads a layer once, hashing it packed and unpacked; holds some hundred kilobytes, however large it is. */
export async function readLayer(
  options: ReadingOptions,
  signal: AbortSignal,
): Promise<Result<LayerFacts, PullOutcome>> {
  const { client, layer, diffAlgorithm } = options;
  const algorithm = digestAlgorithm(layer.digest);
  const packedHash = createHash(algorithm);
  const unpackedHash = createHash(diffAlgorithm);
  const tar = createTarScan();
  const unpacker = createUnpacker((bytes) => {
    unpackedHash.update(bytes);
    tar.write(bytes);
  }, signal);
  const take = async (bytes: Uint8Array): Promise<void> => {
    packedHash.update(bytes);
    options.onBytes(bytes.length);
    await unpacker.write(bytes);
  };
  try {
    const transfer = await streamLayer(client, layer, take, signal);
    if (!transfer.ok) return transfer;
    const { packing, end } = await unpacker.end();
    if (signal.aborted) {
      const { evidence } = transfer.value;
      return err(outcomeOfFailure({ kind: 'timeout', during: 'answer' }, evidence, client.endpoint.authority));
    }
    const found = `${algorithm}:${packedHash.digest('hex')}`;
    return ok({
      ...transfer.value,
      isDigestTrue: found === layer.digest,
      packing,
      unpackEnd: end,
      tarEnd: tar.end(),
      diffId: `${diffAlgorithm}:${unpackedHash.digest('hex')}`,
    });
  } finally {
    unpacker.close();
  }
}
