import { err, ok, type Result } from '../image/result.ts';
import type { PullOutcome } from '../outcome/outcome.ts';
import type { Answer, Ask, RegistryClient } from '../registry/client.ts';
import { ended, withDoubts } from './attempt.ts';
import type { Miss } from './each-endpoint.ts';
import { askWhole } from './fetch.ts';
import { judgeContent, judgeHeader, lengthOf, type Expected } from './fetched-content.ts';
import type { PullContext } from './pull-context.ts';
import { strangenessOf } from './strangeness.ts';

/** What a GET said of a layer. `size` is the manifest's, which is in `expected` only where the runtime heeds it. */
export type SeenLayer = { readonly expected: Expected; readonly size: number | undefined; readonly seen: Answer };
type Judged = Result<RegistryClient, Miss>;

/** Whether a layer is as long as its manifest says: the header of the GET tells, and a few bytes where it does not. */
export async function judgeLength(context: PullContext, client: RegistryClient, layer: SeenLayer): Promise<Judged> {
  const { expected, size, seen } = layer;
  const judged = judgeHeader(seen, expected);
  const length = lengthOf(seen);
  if (!judged.ok) {
    const isLonger = length !== undefined && expected.size !== undefined && length > expected.size;
    return judged.error.isFinal && isLonger ? judgeLonger(context, client, layer, judged.error) : judged;
  }
  if (size === undefined || length === size) return ok(client);
  return length === undefined
    ? compareUnmeasured(context, client, { ...layer, size })
    : compareBytes(context, client, { ...layer, length });
}

/** So many bytes take no longer than the header before them. */
const MAX_FEW_BYTES = 64 * 1024;

/**
 * A header may promise more than ever comes, and containerd wants no more than the manifest says (docker
 * `httpReadSeeker`). Of a small layer the bytes tell, of a large one what stands behind its end.
 */
async function judgeLonger(
  { signal }: PullContext,
  client: RegistryClient,
  { expected }: SeenLayer,
  longer: Miss,
): Promise<Judged> {
  const { size = 0 } = expected;
  const isSmall = size <= MAX_FEW_BYTES;
  const ask = isSmall ? readFrom(expected, size + 1) : { ...readFrom(expected, 1), range: { from: size } };
  const got = await client.ask(ask, signal);
  if (got.ok && got.value.status < 300) {
    const { bytes, header, wasCut } = got.value;
    const isRest = isSmall || (header('content-range')?.startsWith(`bytes ${size}-`) ?? false);
    if (isRest && bytes.length > (isSmall ? size : 0)) return err(longer);
    if (isSmall && wasCut && bytes.length === size) return ok(client);
  }
  return err({ ...longer, attempt: withDoubts(longer.attempt, 'answers-disagree') });
}

/** What comes without a length may be anything: the bytes of a small layer tell, and those of a web page in its place. */
async function compareUnmeasured(
  context: PullContext,
  client: RegistryClient,
  { expected, size, seen }: SeenLayer & { readonly size: number },
): Promise<Judged> {
  const isSmall = size <= MAX_FEW_BYTES;
  if (!isSmall && strangenessOf(seen) !== 'page') return ok(client);
  const got = await askWhole(context, client, { ask: readFrom(expected, MAX_FEW_BYTES), expected });
  if (!got.ok) return err({ attempt: ended(got.error), isFinal: false });
  const { status, isWhole, wasCut } = got.value;
  if (!isSmall && status < 300 && !isWhole && !wasCut) return ok(client);
  const judged = judgeContent(got.value, expected);
  return judged.ok ? ok(client) : judged;
}

/** A layer that the manifest has wrong is small where somebody tries that out, and cut short where it is large. */
const MAX_COMPARED_BYTES = 4 * 1024 * 1024;

/** A runtime that pays sizes no heed takes what a manifest has wrong, but nothing that was cut short: only the bytes tell. */
async function compareBytes(
  { signal }: PullContext,
  client: RegistryClient,
  { expected, length, seen }: SeenLayer & { readonly length: number },
): Promise<Judged> {
  const { digest } = expected;
  if (length > MAX_COMPARED_BYTES) {
    const problem = `is ${length} bytes long at the registry, which is not what the manifest says`;
    const outcome: PullOutcome = { kind: 'damaged', part: 'layer', digest, problem, evidence: seen.evidence };
    return err({ attempt: ended(outcome, ['answers-disagree']), isFinal: false });
  }
  const get = await client.ask(readFrom(expected, MAX_COMPARED_BYTES), signal);
  if (!get.ok) return err({ attempt: ended(get.error), isFinal: false });
  const judged = judgeContent(get.value, expected);
  return judged.ok ? ok(client) : judged;
}

function readFrom({ digest }: Expected, maxBytes: number): Ask {
  return { method: 'GET', resource: { kind: 'blob', digest }, maxBytes, retriesServerErrors: false };
}
