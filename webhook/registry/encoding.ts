import { Readable, Transform, pipeline } from 'node:stream';
import { createGunzip, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { NetworkError } from './failure.ts';
import type { WireReply } from './wire.ts';

/** What containerd decodes (docker fetcher `open`); its deflate is the bare one. */
const DECODERS: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', () => createGunzip()],
  ['deflate', () => createInflateRaw()],
  ['zstd', () => createZstdDecompress()],
]);
/** Nobody packs a thing three times. */
const MAX_CODINGS = 2;

/** Transfer codings that no HTTP client of Go's takes. */
export function isOddlyTransferred(reply: WireReply): boolean {
  return namesIn(reply.headerAll('transfer-encoding')).some((one) => one !== 'chunked');
}

/**
 * A reply as the content that it stands for, where somebody on the way packs what nobody asked to be packed: containerd
 * unpacks it. Its length is not the content's then. `undefined` where the runtime cannot read it either.
 */
export function decoded(reply: WireReply, signal: AbortSignal): WireReply | undefined {
  const codings = namesIn(reply.headerAll('content-encoding'));
  if (codings.length === 0) return reply;
  const makers = codings.toReversed().flatMap((name) => DECODERS.get(name) ?? []);
  if (makers.length < codings.length || makers.length > MAX_CODINGS) return undefined;
  const stream = (): AsyncIterable<Uint8Array> => unpack(reply, makers, signal);
  return {
    ...reply,
    header: (name) => (name === 'content-length' ? undefined : reply.header(name)),
    headerAll: (name) => (name === 'content-length' ? [] : reply.headerAll(name)),
    read: (maxBytes) => reply.read(maxBytes, stream()),
    stream,
  };
}

/** Lower case, without what changes nothing. */
function namesIn(values: readonly string[]): readonly string[] {
  const names = values.flatMap((value) => value.toLowerCase().split(/[ \t,]+/u));
  return names.filter((name) => name !== '' && name !== 'identity');
}

async function* unpack(
  reply: WireReply,
  makers: readonly (() => Transform)[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const stages = makers.map((make) => make());
  const end = new Transform({ transform: (piece, _encoding, done) => done(null, piece) });
  // the last stage has the error of any
  pipeline([Readable.from(reply.stream()), ...stages, end], () => undefined);
  try {
    for await (const piece of end) if (piece instanceof Uint8Array) yield piece;
  } catch (cause) {
    if (cause instanceof NetworkError) throw cause;
    throw new NetworkError(
      signal.aborted ? { kind: 'timeout', during: 'answer' } : { kind: 'reset', wasKeptAlive: false },
      { cause },
    );
  }
}
