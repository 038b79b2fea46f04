import type { Descriptor } from '../image/descriptor.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { Evidence, PullOutcome } from '../outcome/outcome.ts';
import type { Answer, Ask, RegistryClient, Resource } from '../registry/client.ts';
import { NetworkError } from '../registry/failure.ts';
import { outcomeOfFailure } from '../registry/failure-outcome.ts';
import type { WireReply } from '../registry/wire.ts';
import { refusal } from './status.ts';
import { strangenessOf, type Strangeness } from './strangeness.ts';

/** How the transfer of a layer ended. */
export type Transfer = {
  readonly bytes: number;
  /** Every request broke off before the layer's end. */
  readonly wasCut: boolean;
  /** What came is said to be a web page, or was packed by somebody on the way. */
  readonly strangeness: Strangeness | undefined;
  readonly evidence: Evidence;
};

/** A layer, or with its `resource` any other content. */
export type Streamed = Pick<Descriptor, 'digest' | 'size'> & { readonly resource?: Resource };

/** containerd's httpReadSeeker gives up after this many requests that bring nothing new (pull-parity F13). */
const MAX_IDLE_RESUMES = 4;
/** It would resume for ever where each request brings a byte; here that many are no proof, and enough. */
const MAX_RESUMES = 64;

/**
 * Fetches a layer as containerd does: one GET, and where the connection breaks off before its end, GETs with Range from
 * there. Bytes go to `take` in order, each once. The error is noise about the network, a refusal, or the layer's absence.
 */
export async function streamLayer(
  client: RegistryClient,
  layer: Streamed,
  take: (bytes: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<Result<Transfer, PullOutcome>> {
  let bytes = 0;
  let idleResumes = 0;
  let first: Pick<Transfer, 'strangeness' | 'evidence'> | undefined;
  const takeCounted = async (piece: Uint8Array): Promise<void> => {
    bytes += piece.length;
    await take(piece);
  };
  for (let resumes = 0; resumes <= MAX_RESUMES; resumes += 1) {
    // each request begins where the one before broke off
    // oxlint-disable-next-line no-await-in-loop
    const opened = await client.open(askFrom(layer, bytes), signal);
    if (!opened.ok) return opened;
    const { answer, reply } = opened.value;
    const seen = (first ??= { strangeness: strangenessOf(answer), evidence: answer.evidence });
    const broken = (): Result<Transfer, PullOutcome> => ok({ bytes, wasCut: true, ...seen });
    const refused = refusalOf(answer, layer);
    if (refused !== undefined) {
      reply.drop();
      return bytes > 0 && isEndOfRange(answer) ? broken() : err(refused);
    }
    const skip = bytesToSkip(reply, bytes);
    if (skip === undefined) {
      reply.drop();
      return broken();
    }
    const before = bytes;
    // oxlint-disable-next-line no-await-in-loop
    const end = await drain(reply, skip, takeCounted, signal);
    if (end === 'timeout') return err(timeout(answer, client));
    if (end === 'whole') return ok({ bytes, wasCut: false, ...seen });
    if (bytes >= layer.size) return broken();
    idleResumes = bytes > before ? 0 : idleResumes + 1;
    if (idleResumes >= MAX_IDLE_RESUMES) return broken();
  }
  return err({ kind: 'not-checked', reason: 'limit', detail: `a layer whose transfer broke off ${MAX_RESUMES} times` });
}

function askFrom({ digest, resource = { kind: 'blob', digest } }: Streamed, from: number): Ask {
  const ask: Ask = { method: 'GET', resource, maxBytes: 0, retriesServerErrors: true };
  return from === 0 ? ask : { ...ask, range: { from } };
}

function refusalOf(answer: Answer, layer: Pick<Descriptor, 'digest'>): PullOutcome | undefined {
  const { status, evidence } = answer;
  if (status < 300) return undefined;
  // a moment ago it was there: only the registry's own word takes that back
  if (status === 404 && answer.error.isRegistryError && !answer.isElsewhere) {
    return { kind: 'damaged', part: 'layer', digest: layer.digest, problem: 'is absent from the registry', evidence };
  }
  return refusal(answer);
}

/** Nothing stands behind what came already: the layer ends there. */
const isEndOfRange = (answer: Answer): boolean => answer.status === 416;

/** 0 where the answer begins at `from`, `from` where it begins anew, `undefined` where it begins elsewhere. */
function bytesToSkip(reply: WireReply, from: number): number | undefined {
  const range = reply.header('content-range');
  if (range === undefined) return from;
  return range.startsWith(`bytes ${from}-`) ? 0 : undefined;
}

async function drain(
  reply: WireReply,
  skip: number,
  take: (bytes: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<'whole' | 'cut' | 'timeout'> {
  let toSkip = skip;
  try {
    for await (const piece of reply.stream()) {
      const fresh = piece.subarray(Math.min(toSkip, piece.length));
      toSkip -= piece.length - fresh.length;
      if (fresh.length > 0) await take(fresh);
      if (signal.aborted) return 'timeout';
    }
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    return error.failure.kind === 'timeout' || signal.aborted ? 'timeout' : 'cut';
  } finally {
    reply.drop();
  }
  return toSkip > 0 ? 'cut' : 'whole';
}

function timeout(answer: Answer, client: RegistryClient): PullOutcome {
  const host = answer.isElsewhere ? new URL(answer.evidence.endpoint).host : client.endpoint.authority;
  return outcomeOfFailure({ kind: 'timeout', during: 'answer' }, answer.evidence, host);
}
