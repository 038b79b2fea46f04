import type { Descriptor } from '../image/manifest.ts';
import type { RegistryClient } from '../registry/client.ts';
import { createRecentMap } from '../registry/recent-map.ts';
import type { WireReply } from '../registry/wire.ts';

/** Where a measurement would read. `host` is the image's, by which throughput is declared too. */
export type Source = {
  readonly host: string;
  readonly client: RegistryClient;
  readonly layer: Pick<Descriptor, 'digest' | 'size'>;
  /** The whole image's. */
  readonly compressedBytes: number;
};

/** Knows how fast registries gave their layers when somebody last looked. */
export type Meter = {
  /** Bytes per second, `undefined` where nobody measured, or too long ago. */
  readonly rateOf: (host: string) => number | undefined;
  /**
   * Measures by one short read of a layer, where the image is large and the host was not measured lately; what it
   * found, `undefined` where it did not measure or the read was too short to say anything.
   */
  readonly measure: (source: Source, signal: AbortSignal) => Promise<number | undefined>;
};

/** A smaller image is pulled before any limit that anybody sets. */
const MIN_IMAGE_BYTES = 50 * 1024 * 1024;
/** Enough to leave TCP's slow start behind, little enough not to be felt. */
const MAX_READ_BYTES = 1024 * 1024;
const MAX_READ_MS = 500;
/** Less than this came in one go, from buffers: it says nothing of the way. */
const MIN_READ_BYTES = 64 * 1024;
const LIFETIME_MS = 10 * 60_000;
const MAX_HOSTS = 1024;

/** What was read at a host, and when; the rate is `undefined` while it is read, and where that told nothing. */
type Reading = { atMs: number | undefined; bytesPerSecond: number | undefined };

/** `now` is monotonic milliseconds. */
export function createMeter(options: { readonly now: () => number }): Meter {
  const { now } = options;
  const readings = createRecentMap<Reading>(MAX_HOSTS);
  const isRecent = ({ atMs }: Reading): boolean => atMs !== undefined && now() - atMs < LIFETIME_MS;
  return {
    rateOf: (host) => {
      const reading = readings.peek(host);
      return reading !== undefined && isRecent(reading) ? reading.bytesPerSecond : undefined;
    },
    measure: async ({ host, client, layer, compressedBytes }, signal) => {
      if (compressedBytes < MIN_IMAGE_BYTES) return undefined;
      const reading = readings.take(host, () => ({ atMs: undefined, bytesPerSecond: undefined }));
      if (isRecent(reading)) return undefined;
      reading.atMs = now(); // whoever comes now does not measure beside us
      reading.bytesPerSecond = undefined;
      const resource = { kind: 'blob', digest: layer.digest } as const;
      const opened = await client.open({ method: 'GET', resource, maxBytes: 0, retriesServerErrors: false }, signal);
      if (!opened.ok) return undefined;
      const { answer, reply } = opened.value;
      if (answer.status !== 200) {
        reply.drop();
        return undefined;
      }
      reading.bytesPerSecond = await timeRead(reply, now);
      return reading.bytesPerSecond;
    },
  };
}

/** The clock starts with the first bytes: the way there is no part of the throughput. */
async function timeRead(reply: WireReply, now: () => number): Promise<number | undefined> {
  const timer = setTimeout(reply.drop, MAX_READ_MS);
  let startMs: number | undefined;
  let endMs = 0;
  let bytes = 0;
  try {
    for await (const chunk of reply.stream()) {
      if (startMs === undefined) {
        startMs = now();
        continue;
      }
      bytes += chunk.length;
      endMs = now();
      if (bytes >= MAX_READ_BYTES || endMs - startMs >= MAX_READ_MS) break;
    }
  } catch {
    // the timer ended the read, or the server did: what came before still counts
  } finally {
    clearTimeout(timer);
    reply.drop();
  }
  if (startMs === undefined || bytes < MIN_READ_BYTES || endMs <= startMs) return undefined;
  return bytes / ((endMs - startMs) / 1000);
}
