import { createHash } from 'node:crypto';
import { parseDigest, type Digest } from '../image/digest.ts';
import { bareMediaType, MANIFEST_ACCEPT } from '../image/media-type.ts';
import { manifestKey } from '../image/reference.ts';
import { err, ok, type Result } from '../image/result.ts';
import type { Endpoint } from '../node/endpoint.ts';
import type { Evidence, PullOutcome } from '../outcome/outcome.ts';
import type { Answer, RegistryClient } from '../registry/client.ts';
import { isNoise, uniqueDoubts, type Attempt, type PullContext } from './attempt.ts';
import { manifestRefusal } from './status.ts';
import type { RuntimeTraits } from './traits.ts';

/** What a name stands for, as the first endpoint that knew it said. `size` in bytes. */
export type Resolved = {
  readonly endpoint: Endpoint;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** The manifest itself, where resolving it took a GET. */
  readonly bytes: Uint8Array | undefined;
  readonly evidence: Evidence;
};

type Failure = { readonly attempt: Attempt; readonly answer: Answer | undefined; readonly client: RegistryClient };
type OneHost = Result<Resolved, Failure>;

/** Asks the endpoints in order, as the runtime does, until one knows the image (pull-parity D7, D10, D14, D17). */
export async function resolve(
  context: PullContext,
  traits: RuntimeTraits,
  signal: AbortSignal,
): Promise<Result<Resolved, Attempt>> {
  const usable = context.endpoints.filter((endpoint) => mayResolve(endpoint, context.reference.digest !== undefined));
  const failures: Failure[] = [];
  for (const [at, endpoint] of usable.entries()) {
    const client = context.clientFor(endpoint);
    const isLast = at === usable.length - 1;
    const asked = repeatsAnEarlier(endpoint, usable.slice(0, at)) ? ' again' : '';
    context.course.note(`ask ${endpoint.role}${asked} ${endpoint.authority} (${endpoint.declaredBy ?? "the runtime's default"})`);
    // the next endpoint is for when this one fails
    // oxlint-disable-next-line no-await-in-loop
    const got = await askOne(context, traits, client, endpoint, isLast, signal);
    if (got.ok) return got;
    failures.push(got.error);
  }
  return err(await summarize(failures, context, traits, signal));
}

function mayResolve(endpoint: Endpoint, isByDigest: boolean): boolean {
  if (!endpoint.canPull) return false;
  if (isByDigest) return endpoint.serves !== 'tag-only';
  return endpoint.canResolve && endpoint.serves !== 'digest-only';
}

function repeatsAnEarlier(endpoint: Endpoint, earlier: readonly Endpoint[]): boolean {
  return earlier.some((one) => one.authority === endpoint.authority && one.scheme === endpoint.scheme);
}

async function askOne(
  context: PullContext,
  traits: RuntimeTraits,
  client: RegistryClient,
  endpoint: Endpoint,
  isLast: boolean,
  signal: AbortSignal,
): Promise<OneHost> {
  const { reference } = context;
  const resource = { kind: 'manifest', key: manifestKey(reference), accept: MANIFEST_ACCEPT } as const;
  const retriesServerErrors = traits.retriesServerErrors && isLast;
  const fail = (attempt: Attempt, answer?: Answer): OneHost => err({ attempt, answer, client });
  const failAs = (outcome: PullOutcome, answer?: Answer): OneHost => fail({ outcome, doubts: [] }, answer);

  if (traits.firstRequest !== 'get') {
    const head = await client.ask({ method: 'HEAD', resource, maxBytes: 0, retriesServerErrors }, signal);
    if (!head.ok && traits.firstRequest === 'head') return failAs(head.error);
    if (head.ok && head.value.status < 300) {
      const known = fromHeader(context, traits, endpoint, head.value);
      if (known !== undefined) return known.ok ? known : failAs(known.error, head.value);
    } else if (head.ok && traits.firstRequest === 'head') {
      return fail(manifestRefusal(head.value, reference, undefined), head.value);
    } else if (!head.ok) {
      return failAs(head.error);
    }
  }
  const get = await client.ask({ method: 'GET', resource, maxBytes: traits.maxManifestBytes + 1, retriesServerErrors }, signal);
  if (!get.ok) return failAs(get.error);
  if (get.value.status >= 300) return fail(manifestRefusal(get.value, reference, get.value), get.value);
  const read = fromBody(context, traits, endpoint, get.value);
  return read.ok ? read : failAs(read.error, get.value);
}

/** HEAD's digest and length are taken at their word; `undefined` where one is missing and a GET must tell. */
function fromHeader(
  context: PullContext,
  traits: RuntimeTraits,
  endpoint: Endpoint,
  answer: Answer,
): Result<Resolved, PullOutcome> | undefined {
  const length = answer.header('content-length');
  const size = length !== undefined && /^\d{1,15}$/u.test(length) ? Number(length) : undefined;
  if (size === undefined && traits.needsContentLength) {
    return err({ kind: 'registry-error', reason: 'it sends no Content-Length', evidence: answer.evidence });
  }
  const written = answer.header('docker-content-digest');
  if (size === undefined || (written === undefined && context.reference.digest === undefined)) return undefined;
  const digest = context.reference.digest === undefined ? parseDigest(written ?? '') : ok(context.reference.digest);
  if (!digest.ok) {
    return err({ kind: 'registry-error', reason: 'its Docker-Content-Digest is no digest', evidence: answer.evidence });
  }
  return fits(traits, {
    endpoint,
    digest: digest.value,
    mediaType: bareMediaType(answer.header('content-type')),
    size,
    bytes: undefined,
    evidence: answer.evidence,
  });
}

function fromBody(
  context: PullContext,
  traits: RuntimeTraits,
  endpoint: Endpoint,
  answer: Answer,
): Result<Resolved, PullOutcome> {
  const { evidence, bytes } = answer;
  if (answer.wasCut) {
    return err({ kind: 'damaged', part: 'manifest', digest: undefined, problem: 'breaks off before its end', evidence });
  }
  const found = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
  const written = answer.header('docker-content-digest');
  if (context.reference.digest === undefined && traits.trustsDigestHeader && written !== undefined && answer.isWhole) {
    const claimed = parseDigest(written);
    if (!claimed.ok) return err({ kind: 'registry-error', reason: 'its Docker-Content-Digest is no digest', evidence });
    if (claimed.value.startsWith('sha256:') && claimed.value !== found) {
      const problem = 'does not have the digest that the registry gives it';
      return err({ kind: 'damaged', part: 'manifest', digest: claimed.value, problem, evidence });
    }
  }
  return fits(traits, {
    endpoint,
    digest: context.reference.digest ?? found,
    mediaType: bareMediaType(answer.header('content-type')),
    size: answer.isWhole ? bytes.length : traits.maxManifestBytes + 1,
    bytes: answer.isWhole ? bytes : undefined,
    evidence,
  });
}

function fits(traits: RuntimeTraits, resolved: Resolved): Result<Resolved, PullOutcome> {
  if (resolved.size <= traits.maxManifestBytes) return ok(resolved);
  const { mediaType, evidence } = resolved;
  return err({ kind: 'unsupported-manifest', mediaType, reason: 'too-large', evidence });
}

/** Which failure names the cause (pull-parity D17), and whether each endpoint came to an end of its own. */
async function summarize(
  failures: readonly Failure[],
  context: PullContext,
  traits: RuntimeTraits,
  signal: AbortSignal,
): Promise<Attempt> {
  const chosen = choose(failures, traits);
  if (chosen === undefined) {
    const detail = `${context.reference.host}: no declared host may resolve this image`;
    return { outcome: { kind: 'not-checked', reason: 'node-settings', detail }, doubts: [] };
  }
  const explained = await explain(chosen, context, signal);
  const others = failures.filter((failure) => failure !== chosen);
  const isOpen = others.some((failure) => isNoise(failure.attempt.outcome));
  return {
    outcome: explained.outcome,
    doubts: uniqueDoubts([
      ...explained.doubts,
      ...others.flatMap((failure) => failure.attempt.doubts),
      ...(isOpen ? (['not-every-endpoint'] as const) : []),
    ]),
  };
}

function choose(failures: readonly Failure[], traits: RuntimeTraits): Failure | undefined {
  if (traits.ranking === 'first-but-404') {
    return failures.find((failure) => failure.answer?.status !== 404) ?? failures[0];
  }
  return failures.reduce<Failure | undefined>(
    (best, one) => (best === undefined || priority(one) > priority(best) ? one : best),
    undefined,
  );
}

/** containerd's `firstErrPriority`. */
function priority(failure: Failure): number {
  if (failure.attempt.outcome.kind === 'unsupported-manifest') return 4;
  if (failure.answer === undefined) return 1;
  return failure.answer.status === 404 ? 2 : 3;
}

/** HEAD has no body: where the way leads to a denial, one GET brings the registry's own reason. */
async function explain(failure: Failure, context: PullContext, signal: AbortSignal): Promise<Attempt> {
  const { answer, client } = failure;
  if (answer === undefined || answer.evidence.method !== 'HEAD') return failure.attempt;
  if (answer.status !== 404 && answer.status !== 403) return failure.attempt;
  const resource = { kind: 'manifest', key: manifestKey(context.reference), accept: MANIFEST_ACCEPT } as const;
  context.course.note(`HEAD has no body: GET for the registry's reason`);
  const reason = await client.ask({ method: 'GET', resource, maxBytes: 1, retriesServerErrors: false }, signal);
  if (!reason.ok) return { outcome: failure.attempt.outcome, doubts: ['answers-disagree'] };
  return manifestRefusal(answer, context.reference, reason.value);
}
