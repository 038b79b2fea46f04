import { shortDigest, type Digest } from '../image/digest.ts';
import type { ImageReference } from '../image/reference.ts';
import type { Endpoint } from '../node/endpoint.ts';
import type { EndpointAnswer, Finding } from '../outcome/finding.ts';
import type { DamagedPart, OutcomeKind, PullOutcome } from '../outcome/outcome.ts';
import { quote } from '../outcome/printable.ts';
import { isSuccess } from './attempt.ts';

/** What an endpoint was asked for. */
export type Wanted = { readonly part: DamagedPart; readonly digest: Digest };

/** Who of several endpoints had what, for the one sentence that a failure needs where they do not agree. */
export type EndpointAnswers = {
  /** `failure` is how the endpoint failed to give it, `undefined` where it has it. */
  readonly note: (endpoint: Endpoint, wanted: Wanted | ImageReference, failure: PullOutcome | undefined) => void;
  readonly disagreement: (outcome: PullOutcome) => Finding | undefined;
};

/** More contents than a message could name. */
const MAX_ANSWERS = 64;

/** Failures that lie in who has what, or in who gives no answer; the others lie in the image itself, whoever has it. */
const OF_ENDPOINTS: ReadonlySet<OutcomeKind> = new Set<OutcomeKind>([
  'tag-not-found',
  'repository-not-found',
  'digest-not-found',
  'damaged',
  'access-denied',
  'http-not-declared',
  'https-expected-http',
  'tls-unknown-authority',
  'tls-wrong-name',
  'tls-expired',
  'tls-client-certificate-required',
  'tls-other',
  'rate-limited',
  'registry-error',
  'unreachable',
]);

export function createEndpointAnswers(): EndpointAnswers {
  const answers = new Map<string, EndpointAnswer & { readonly isImage: boolean }>();
  return {
    note: ({ authority, role }, wanted, failure) => {
      const content = nameOf(wanted);
      const key = `${authority} ${content}`;
      const known = answers.get(key);
      // what one login or one platform got is there, whatever the others are told
      if (known?.has === true || (known === undefined && answers.size >= MAX_ANSWERS)) return;
      const has = failure === undefined;
      const answer = failure === undefined ? 'has it' : answerOf(failure);
      answers.set(key, { endpoint: authority, role, content, has, answer, isImage: !('part' in wanted) });
    },
    disagreement: (outcome) => {
      const all = [...answers.values()];
      const isOne = new Set(all.map(({ endpoint }) => endpoint)).size < 2;
      if (isOne || isSuccess(outcome) || !OF_ENDPOINTS.has(outcome.kind)) return undefined;
      const image = all.filter(({ isImage }) => isImage);
      const told = image.some(({ has }) => has) ? [...image, ...lackedByAll(all)] : image;
      const isAgreed = new Set(told.map(({ content, answer }) => `${content} ${answer}`)).size < 2;
      if (isAgreed) return undefined;
      return { kind: 'endpoints-disagree', answers: told.map(({ isImage: _isImage, ...answer }) => answer) };
    },
  };
}

/** The first part of the image that nobody has: what the pull fails for. */
function lackedByAll<T extends EndpointAnswer & { readonly isImage: boolean }>(all: readonly T[]): readonly T[] {
  const parts = all.filter(({ isImage }) => !isImage);
  const had = new Set(parts.flatMap(({ has, content }) => (has ? [content] : [])));
  const lacked = parts.find(({ content }) => !had.has(content))?.content;
  return parts.filter(({ content }) => content === lacked);
}

function nameOf(wanted: Wanted | ImageReference): string {
  if ('part' in wanted) return `${wanted.part} ${shortDigest(wanted.digest)}`;
  return wanted.digest === undefined
    ? `tag ${quote(wanted.tag ?? 'latest', 48)}`
    : `digest ${shortDigest(wanted.digest)}`;
}

/** Completes the endpoint's name. */
function answerOf(failure: PullOutcome): string {
  if (failure.kind === 'not-checked') return `was not asked to the end (${failure.reason})`;
  if (!('evidence' in failure) || failure.evidence === undefined) return `failed (${failure.kind})`;
  const { status, code } = failure.evidence;
  if (status === undefined) return `gave no answer (${failure.kind === 'unreachable' ? failure.phase : failure.kind})`;
  if (status >= 300) return `answered ${status}${code === undefined ? '' : ` ${code}`}`;
  return failure.kind === 'damaged' ? `has one that ${failure.problem}` : `answered ${status} (${failure.kind})`;
}
