import { MANIFEST_ACCEPT } from '../image/media-type.ts';
import { manifestKey } from '../image/reference.ts';
import { err, type Result } from '../image/result.ts';
import type { Endpoint } from '../node/endpoint.ts';
import type { Answer, Ask } from '../registry/client.ts';
import { ended, withDoubts, type Attempt } from './attempt.ts';
import { digestKnownAsBlob } from './blob-reference.ts';
import { MAX_MANIFEST_BYTES } from './fetch.ts';
import { summarize, type HostFailure } from './host-failures.ts';
import type { PullContext } from './pull-context.ts';
import { fromBody, fromHeader, type Resolved, type Unresolved } from './resolved.ts';
import { manifestRefusal } from './status.ts';

/** Asks the endpoints in order, as the runtime does, until one knows the image (pull-parity D7, D10, D14, D17). */
export async function resolve(context: PullContext): Promise<Result<Resolved, Attempt>> {
  const { reference, traits } = context;
  const usable = context.endpoints.filter((endpoint) => mayResolve(endpoint, reference.digest !== undefined));
  const failures: HostFailure[] = [];
  for (const endpoint of context.endpoints.filter((one) => !usable.includes(one))) {
    const asked = reference.digest === undefined ? 'tag' : 'digest';
    context.course.note(`pass over ${endpoint.role} ${endpoint.authority}: its settings let it resolve no ${asked}`);
  }
  for (const [at, endpoint] of usable.entries()) {
    context.course.note(introduce(endpoint, usable.slice(0, at)));
    const retriesServerErrors = traits.retriesServerErrors && at === usable.length - 1;
    // the next endpoint is for when this one fails
    // oxlint-disable-next-line no-await-in-loop
    const got = await askHost(context, endpoint, retriesServerErrors);
    if (got.ok) {
      context.noteAnswer(endpoint, reference, undefined);
      for (const { attempt } of failures) context.noteDetour(attempt);
      return got;
    }
    context.noteAnswer(endpoint, reference, got.error.attempt.outcome);
    failures.push(got.error);
    if (got.error.isFinal) {
      context.course.note('the runtime asks nobody after such an answer');
      break;
    }
  }
  const isUnknown = failures.length > 0 && failures.every(({ answer }) => answer?.status === 404);
  if (isUnknown && traits.style === 'containerd' && reference.digest !== undefined) {
    const blob = await digestKnownAsBlob(context, reference.digest, usable);
    if (blob !== undefined) return err(ended(blob));
  }
  return err(await summarize(failures, context));
}

function mayResolve(endpoint: Endpoint, isByDigest: boolean): boolean {
  if (!endpoint.canPull) return false;
  if (isByDigest) return endpoint.serves !== 'tag-only';
  return endpoint.canResolve && endpoint.serves !== 'digest-only';
}

function introduce(endpoint: Endpoint, earlier: readonly Endpoint[]): string {
  const isAgain = earlier.some((one) => one.authority === endpoint.authority && one.scheme === endpoint.scheme);
  return `ask ${endpoint.role}${isAgain ? ' again' : ''} ${endpoint.authority} (${endpoint.declaredBy ?? "the runtime's default"})`;
}

async function askHost(
  context: PullContext,
  endpoint: Endpoint,
  retriesServerErrors: boolean,
): Promise<Result<Resolved, HostFailure>> {
  const { reference, traits, signal } = context;
  const client = context.clientFor(endpoint);
  const resource = { kind: 'manifest', key: manifestKey(reference), accept: MANIFEST_ACCEPT } as const;
  const failed = (attempt: Attempt, answer?: Answer, isFinal = false): Result<never, HostFailure> =>
    err({ endpoint, attempt, answer, client, isFinal });
  const settle = (got: Result<Resolved, Unresolved>, answer: Answer): Result<Resolved, HostFailure> =>
    got.ok ? got : err({ endpoint, attempt: got.error.attempt, answer, client, isFinal: got.error.isFinal });

  let headStatus: number | undefined;
  if (sendsHead(context)) {
    const head = await client.ask({ method: 'HEAD', resource, maxBytes: 0, retriesServerErrors }, signal);
    if (!head.ok) return failed(ended(head.error));
    headStatus = head.value.status;
    if (head.value.status < 300) {
      const known = fromHeader(context, endpoint, head.value);
      if (known !== undefined) return settle(known, head.value);
    } else if (traits.firstRequest === 'head') {
      return failed(manifestRefusal(head.value, reference, undefined), head.value, head.value.status < 400);
    }
  }
  const ask: Ask = { method: 'GET', resource, maxBytes: MAX_MANIFEST_BYTES, retriesServerErrors };
  const get = await client.ask(ask, signal);
  // containerd asks the next host when a HEAD fails, but not when the GET does that is to make up for what HEAD lacked
  const isFinal = traits.firstRequest === 'head';
  if (!get.ok) return failed(ended(get.error), undefined, isFinal);
  if (get.value.status >= 300) {
    const refused = manifestRefusal(get.value, reference, get.value);
    const doubted = isContrary(headStatus, get.value.status) ? withDoubts(refused, 'answers-disagree') : refused;
    return failed(doubted, get.value, isFinal);
  }
  const settled = settle(fromBody(context, endpoint, get.value), get.value);
  return settled.ok || !get.value.wasCut ? settled : err({ ...settled.error, isFinal });
}

/** HEAD said yes, or nothing that lasts, and GET refuses: another time either may say something else. */
function isContrary(head: number | undefined, get: number): boolean {
  return head !== undefined && head !== get && (head < 300 || head === 429 || head >= 500);
}

/** dockerd's graph driver asks for the digest of a tag alone; a digest it knows (moby `pullTag`). */
function sendsHead({ traits, reference }: PullContext): boolean {
  if (traits.firstRequest === 'head-then-get') return reference.digest === undefined;
  return traits.firstRequest === 'head';
}
