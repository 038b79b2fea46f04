import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import { passAfterFailure, type Reviewed, type ReviewResponse } from '../admission/answer.ts';
import { decodeReview } from '../admission/review.ts';
import type { Review, ReviewOptions } from '../admission/reviewer.ts';
import { createBodyBudget, type BodyBudget } from './body-budget.ts';
import { readBody, type BodyFailure } from './body.ts';
import { parseJsonBody } from './json-body.ts';
import { timeoutMsOf } from './timeout.ts';

/** The one path that the webhook configuration names. */
export const VALIDATE_PATH = '/validate';

/**
 * The API server takes objects of 3 MiB, a review holds two of them and its options, and what came as protobuf may grow
 * by escaping: 9 MiB is what ingress-nginx settled on for the same reasons.
 */
export const MAX_REVIEW_BYTES = 9 * 1024 * 1024;

/** A process with a limit of 256 MiB reads two of the largest bodies at once, and a thousand of real ones. */
const MAX_BODY_BYTES_IN_FLIGHT = 24 * 1024 * 1024;

export const REFUSAL_STATUSES = [400, 404, 405, 413, 415, 500, 503] as const;
export type RefusalStatus = (typeof REFUSAL_STATUSES)[number];

export type HttpLog = {
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
  error(message: string, fields: Readonly<Record<string, unknown>>): void;
};

export type AppDeps = {
  readonly review: Review;
  readonly log: HttpLog;
  readonly metrics: { refused(status: RefusalStatus): void };
};

/** The webhook as an express app: the framework is an adapter around {@link Review}. Never answers 3xx. */
export function createApp(deps: AppDeps): Express {
  const app = express();
  for (const setting of ['x-powered-by', 'etag']) app.disable(setting);
  for (const setting of ['strict routing', 'case sensitive routing']) app.enable(setting);
  app.set('query parser', false);
  const refuse = createRefuse(deps);
  const own: ValidateDeps = { ...deps, budget: createBodyBudget(MAX_BODY_BYTES_IN_FLIGHT), refuse };
  app.post(VALIDATE_PATH, (request, response) => validate(request, response, own));
  app.all(VALIDATE_PATH, (_request, response) => {
    response.set('Allow', 'POST');
    refuse(response, 405, `${VALIDATE_PATH} takes POST only`);
  });
  app.use((_request, response) => refuse(response, 404, `there is nothing but ${VALIDATE_PATH} here`));
  app.use(createErrorHandler(deps, refuse));
  return app;
}

type Refuse = (response: Response, status: RefusalStatus, reason: string) => void;
type ValidateDeps = AppDeps & { readonly budget: BodyBudget; readonly refuse: Refuse };

async function validate(request: Request, response: Response, deps: ValidateDeps): Promise<void> {
  const { refuse } = deps;
  const wrongType = unsupportedType(request);
  if (wrongType !== undefined) return refuse(response, 415, wrongType);
  const gone = new AbortController();
  const giveUp = (): void => gone.abort();
  response.once('close', giveUp);
  try {
    const timeoutMs = timeoutMsOf(request.originalUrl);
    const options = timeoutMs === undefined ? { signal: gone.signal } : { signal: gone.signal, timeoutMs };
    const answer = await answerTo(request, options, deps);
    if (answer.kind === 'gone') return;
    if (answer.kind === 'reviewed') return send(response, answer.body);
    if (answer.status === 503) response.set('Retry-After', '1');
    refuse(response, answer.status, answer.reason);
  } finally {
    response.off('close', giveUp);
  }
}

type HttpAnswer =
  | Reviewed
  | { readonly kind: 'refused'; readonly status: RefusalStatus; readonly reason: string }
  | { readonly kind: 'gone' };

const UNREAD: Readonly<Record<BodyFailure, HttpAnswer>> = Object.freeze({
  'too-large': { kind: 'refused', status: 413, reason: `the body is larger than ${MAX_REVIEW_BYTES} bytes` },
  'crowded-out': { kind: 'refused', status: 503, reason: 'too many large reviews at once' },
  aborted: { kind: 'gone' },
});

/**
 * Not async, and nor is what it calls: an answer may wait for registries, for seconds and with hundreds beside it, and
 * must not hold on to the body that was asked.
 */
function answerTo(request: Request, options: ReviewOptions, deps: ValidateDeps): Promise<HttpAnswer> {
  return readBody(request, { maxBytes: MAX_REVIEW_BYTES, budget: deps.budget }).then((body) => {
    if (!body.ok) return UNREAD[body.error];
    const parsed = parseJsonBody(body.value);
    return parsed.ok ? answerToReview(parsed.value, options, deps) : { kind: 'refused', ...parsed.error };
  });
}

/** A reviewer that throws in spite of its promise still costs nobody a rollout, as long as the uid is known. */
function answerToReview(body: unknown, options: ReviewOptions, { review, log }: ValidateDeps): Promise<HttpAnswer> {
  const decoded = decodeReview(body);
  const uid = decoded.ok ? decoded.value.uid : undefined;
  return review(body, options).then(
    (answer): HttpAnswer =>
      answer.kind === 'reviewed' ? answer : { kind: 'refused', status: 400, reason: answer.reason },
    (err: unknown): HttpAnswer => {
      if (uid === undefined) throw err;
      log.error('review failed', { uid: uid.slice(0, 64), err });
      return passAfterFailure(uid);
    },
  );
}

/** As `response.json` would, without its questions about caches and HEAD, which cost as much as the rest of express. */
function send(response: Response, body: ReviewResponse): void {
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(body));
}

/** The API server sends application/json and never compresses it (k8s.io/apiserver util/webhook/client.go). */
function unsupportedType({ headers }: Request): string | undefined {
  const [type, ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';');
  const charset = parameters.map((parameter) => parameter.trim()).find((one) => one.startsWith('charset='));
  if (type?.trim() !== 'application/json') return 'the body must be of type application/json';
  if (charset !== undefined && !/^charset="?utf-8"?$/u.test(charset)) return 'the body must be in UTF-8';
  return headers['content-encoding'] === undefined ? undefined : 'the body must not be compressed';
}

/** Every refusal ends the connection: the rest of a body that nobody reads would hold it. */
function createRefuse({ metrics, log }: AppDeps): Refuse {
  return (response, status, reason) => {
    metrics.refused(status);
    log.warn('refused', { status, reason });
    response.set('Connection', 'close');
    response.status(status).type('text/plain').send(`${reason}\n`);
  };
}

/** The last handler: what express itself refuses is the caller's mistake, everything else is ours. */
function createErrorHandler({ log }: AppDeps, refuse: Refuse): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    if (isCallersMistake(error)) return refuse(response, 400, 'the request is malformed');
    log.error('request failed', { err: error });
    return refuse(response, 500, 'Pullguard failed inside');
  };
}

function isCallersMistake(error: unknown): boolean {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' && error.status < 500;
}
