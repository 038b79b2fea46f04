import { createHash } from 'node:crypto';
import { digestAlgorithm, type Digest } from '../image/digest.ts';
import type { Descriptor } from '../image/manifest.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { DamagedPart, Evidence, PullOutcome } from '../outcome/outcome.ts';
import type { Answer, Ask, RegistryClient } from '../registry/client.ts';
import { isNoise, uniqueDoubts, type Attempt, type PullContext } from './attempt.ts';
import { refusal } from './status.ts';
import type { RuntimeTraits } from './traits.ts';

/** A config is some kilobytes; beyond this its bytes are not compared, only its presence. */
const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

type Visit<T> = (client: RegistryClient, isLast: boolean) => Promise<Result<T, Attempt>>;

/** Asks the endpoints in order for one content; the first failure is the one reported (containerd `dockerFetcher.Fetch`). */
async function fromEachEndpoint<T>(context: PullContext, visit: Visit<T>): Promise<Result<T, Attempt>> {
  const endpoints = context.endpoints.filter((endpoint) => endpoint.canPull && endpoint.serves !== 'tag-only');
  const failures: Attempt[] = [];
  for (const [at, endpoint] of endpoints.entries()) {
    // the next endpoint is for when this one fails
    // oxlint-disable-next-line no-await-in-loop
    const got = await visit(context.clientFor(endpoint), at === endpoints.length - 1);
    if (got.ok) return got;
    failures.push(got.error);
  }
  const [first, ...others] = failures;
  if (first === undefined) {
    const detail = `${context.reference.host}: no declared host may serve content`;
    return err({ outcome: { kind: 'not-checked', reason: 'node-settings', detail }, doubts: [] });
  }
  const isOpen = others.some((one) => isNoise(one.outcome));
  return err({
    outcome: first.outcome,
    doubts: uniqueDoubts([...failures.flatMap((one) => one.doubts), ...(isOpen ? (['not-every-endpoint'] as const) : [])]),
  });
}

/** The bytes of a manifest or index, compared with its digest and size (pull-parity D12). */
export function fetchManifest(
  context: PullContext,
  traits: RuntimeTraits,
  descriptor: Pick<Descriptor, 'digest' | 'mediaType' | 'size'>,
  part: DamagedPart,
  signal: AbortSignal,
): Promise<Result<{ readonly bytes: Uint8Array; readonly evidence: Evidence }, Attempt>> {
  return fromEachEndpoint(context, async (client, isLast) => {
    const accept = `${descriptor.mediaType}, */*`;
    const ask: Ask = {
      method: 'GET',
      resource: { kind: 'manifest', key: descriptor.digest, accept },
      maxBytes: traits.maxManifestBytes + 1,
      retriesServerErrors: traits.retriesServerErrors && isLast,
    };
    const got = await client.ask(ask, signal);
    const size = traits.checksSizes || part === 'manifest' ? descriptor.size : undefined;
    return judgeBytes(got, { part, digest: descriptor.digest, size });
  });
}

/** An image's config, read and compared; `undefined` bytes where it is too large to read. */
export function fetchConfig(
  context: PullContext,
  traits: RuntimeTraits,
  config: Descriptor,
  signal: AbortSignal,
): Promise<Result<{ readonly bytes: Uint8Array | undefined; readonly evidence: Evidence }, Attempt>> {
  return fromEachEndpoint<{ readonly bytes: Uint8Array | undefined; readonly evidence: Evidence }>(context, async (client, isLast) => {
    const ask: Ask = {
      method: 'GET',
      resource: { kind: 'blob', digest: config.digest },
      maxBytes: MAX_CONFIG_BYTES,
      retriesServerErrors: traits.retriesServerErrors && isLast,
    };
    const got = await client.ask(ask, signal);
    if (got.ok && got.value.status < 300 && !got.value.isWhole && !got.value.wasCut) {
      return ok({ bytes: undefined, evidence: got.value.evidence });
    }
    const size = traits.checksSizes ? config.size : undefined;
    return judgeBytes(got, { part: 'config', digest: config.digest, size });
  });
}

type Expected = { readonly part: DamagedPart; readonly digest: Digest; readonly size: number | undefined };

function judgeBytes(
  got: Result<Answer, PullOutcome>,
  expected: Expected,
): Result<{ readonly bytes: Uint8Array; readonly evidence: Evidence }, Attempt> {
  if (!got.ok) return err({ outcome: got.error, doubts: [] });
  const { status, bytes, evidence, wasCut } = got.value;
  if (status >= 300) return err(blobRefusal(got.value, expected));
  const { part, digest, size } = expected;
  const damaged = (problem: string): Result<never, Attempt> =>
    err({ outcome: { kind: 'damaged', part, digest, problem, evidence }, doubts: [] });
  if (wasCut) return damaged(`breaks off after ${bytes.length} bytes`);
  if (size !== undefined && size !== bytes.length) {
    return damaged(`is ${bytes.length} bytes long, its descriptor says ${size}`);
  }
  const algorithm = digestAlgorithm(digest);
  if (`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` !== digest) {
    return damaged('has other content than its digest says');
  }
  return ok({ bytes, evidence });
}

function blobRefusal(answer: Answer, expected: Expected): Attempt {
  const { part, digest } = expected;
  if (answer.status !== 404) return { outcome: refusal(answer), doubts: answer.isElsewhere ? ['not-every-endpoint'] : [] };
  const problem = 'is absent from the registry';
  const doubts = answer.error.isRegistryError || answer.isElsewhere ? [] : (['not-a-registry-answer'] as const);
  return { outcome: { kind: 'damaged', part, digest, problem, evidence: answer.evidence }, doubts };
}

/**
 * Whether a layer is there with the size that the manifest gives it: HEAD is a fast yes, everything else is asked again
 * by the GET that the node would send, whose header is read and whose body is dropped (design, part 5 step 6).
 */
export function checkLayer(
  context: PullContext,
  traits: RuntimeTraits,
  layer: Descriptor,
  signal: AbortSignal,
): Promise<Result<RegistryClient, Attempt>> {
  return fromEachEndpoint(context, async (client, isLast) => {
    const resource = { kind: 'blob', digest: layer.digest } as const;
    const retriesServerErrors = traits.retriesServerErrors && isLast;
    const head = await client.ask({ method: 'HEAD', resource, maxBytes: 0, retriesServerErrors: false }, signal);
    if (head.ok && head.value.status === 200 && lengthOf(head.value) === layer.size) return ok(client);
    if (!head.ok && isNoise(head.error)) return err({ outcome: head.error, doubts: [] });
    const get = await client.ask({ method: 'GET', resource, maxBytes: 0, retriesServerErrors }, signal);
    if (!get.ok) return err({ outcome: get.error, doubts: [] });
    const expected: Expected = { part: 'layer', digest: layer.digest, size: layer.size };
    if (get.value.status >= 300) return err(blobRefusal(get.value, expected));
    const length = lengthOf(get.value);
    if (!traits.checksSizes || length === undefined || length === layer.size) return ok(client);
    const problem = `is ${length} bytes long at the registry, the manifest says ${layer.size}`;
    const { evidence } = get.value;
    return err({ outcome: { kind: 'damaged', part: 'layer', digest: layer.digest, problem, evidence }, doubts: [] });
  });
}

function lengthOf(answer: Answer): number | undefined {
  const text = answer.header('content-length');
  return text !== undefined && /^\d{1,15}$/u.test(text) ? Number(text) : undefined;
}
