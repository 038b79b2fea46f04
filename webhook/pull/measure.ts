import type { LayerSize } from '../outcome/outcome.ts';
import type { RegistryClient } from '../registry/client.ts';
import { createRecentMap } from '../registry/recent-map.ts';
import type { WireReply } from '../registry/wire.ts';

/** Where a measurement would read. `host` is the image's, by which throughput is declared too. */
export type Source = {
  readonly host: string;
  readonly client: RegistryClient;
  readonly layer: LayerSize;
};

/** Knows how fast registries gave their layers when somebody last looked. */
export type Meter = {
  /** Bytes per second, `undefined` where nobody measured, or too long ago. */
  readonly rateOf: (host: string) => number | undefined;
  /** How long a read waited that got no byte after the headers, seconds; `undefined` where the last one got some. */
  readonly silenceOf: (host: string) => number | undefined;
  /** Nobody looked lately, with whatever success. */
  readonly isDue: (host: string) => boolean;
  /**
   * Measures by one short read of a layer, where the host was not measured lately; what it found, `undefined` where it
   * did not measure or the read was too short to say anything.
   */
  readonly measure: (source: Source, signal: AbortSignal) => Promise<number | undefined>;
};

/** Enough to leave TCP's slow start behind, little enough not to be felt. */
const MAX_READ_BYTES = 1024 * 1024;
const MAX_READ_MS = 500;
/** Headers and the first byte may take so long each: a registry that fetches from elsewhere needs it. */
const MAX_WAIT_MS = 1_000;
/** Less than this before the time was up came in one go, from buffers: it says nothing of the way. */
const MIN_READ_BYTES = 64 * 1024;
const LIFETIME_MS = 10 * 60_000;
/** A registry that hangs may have recovered a moment later. */
const SILENCE_LIFETIME_MS = 60_000;
const MAX_HOSTS = 1024;

type Found =
  | { readonly kind: 'rate'; readonly bytesPerSecond: number }
  | { readonly kind: 'silence'; readonly seconds: number }
  | { readonly kind: 'nothing' };

/** What was read at a host, and when; `nothing` while it is read. */
type Reading = { atMs: number | undefined; found: Found };

/** `now` is monotonic milliseconds. */
export function createMeter(options: { readonly now: () => number }): Meter {
  const { now } = options;
  const readings = createRecentMap<Reading>(MAX_HOSTS);
  const isRecent = ({ atMs, found }: Reading): boolean =>
    atMs !== undefined && now() - atMs < (found.kind === 'silence' ? SILENCE_LIFETIME_MS : LIFETIME_MS);
  const recentOf = (host: string): Found | undefined => {
    const reading = readings.peek(host);
    return reading !== undefined && isRecent(reading) ? reading.found : undefined;
  };
  return {
    rateOf: (host) => {
      const found = recentOf(host);
      return found?.kind === 'rate' ? found.bytesPerSecond : undefined;
    },
    silenceOf: (host) => {
      const found = recentOf(host);
      return found?.kind === 'silence' ? found.seconds : undefined;
    },
    isDue: (host) => recentOf(host) === undefined,
    measure: async ({ host, client, layer }, signal) => {
      const reading = readings.take(host, () => ({ atMs: undefined, found: { kind: 'nothing' } }));
      if (isRecent(reading)) return undefined;
      reading.atMs = now(); // whoever comes now does not measure beside us
      reading.found = { kind: 'nothing' };
      reading.found = await look(client, layer, { now, signal });
      return reading.found.kind === 'rate' ? reading.found.bytesPerSecond : undefined;
    },
  };
}

type Looking = { readonly now: () => number; readonly signal: AbortSignal };

async function look(client: RegistryClient, layer: LayerSize, { now, signal }: Looking): Promise<Found> {
  const resource = { kind: 'blob', digest: layer.digest } as const;
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), MAX_WAIT_MS);
  try {
    const until = AbortSignal.any([signal, patience.signal]);
    const opened = await client.open({ method: 'GET', resource, maxBytes: 0, retriesServerErrors: false }, until);
    clearTimeout(timer);
    if (!opened.ok) return { kind: 'nothing' };
    const { answer, reply } = opened.value;
    if (answer.status === 200) return await timeRead(reply, now);
    reply.drop();
    return { kind: 'nothing' };
  } finally {
    clearTimeout(timer);
  }
}

/** The clock starts with the first bytes: the way there is no part of the throughput. */
async function timeRead(reply: WireReply, now: () => number): Promise<Found> {
  let isSilent = false;
  let isTimeUp = false;
  let timer = setTimeout(() => {
    isSilent = true;
    reply.drop();
  }, MAX_WAIT_MS);
  let startMs: number | undefined;
  let endMs = 0;
  let bytes = 0;
  try {
    for await (const chunk of reply.stream()) {
      if (startMs === undefined) {
        startMs = now();
        clearTimeout(timer);
        timer = setTimeout(() => {
          isTimeUp = true;
          endMs = now();
          reply.drop();
        }, MAX_READ_MS);
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
  if (startMs === undefined) return isSilent ? { kind: 'silence', seconds: MAX_WAIT_MS / 1000 } : { kind: 'nothing' };
  if (bytes < (isTimeUp ? 1 : MIN_READ_BYTES) || endMs <= startMs) return { kind: 'nothing' };
  return { kind: 'rate', bytesPerSecond: bytes / ((endMs - startMs) / 1000) };
}
