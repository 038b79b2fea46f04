import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import { passAfterFailure, type ReviewResponse } from '../admission/answer.ts';
import { decodeReview } from '../admission/review.ts';
import type { Review } from '../admission/reviewer.ts';
import { createBodyBudget, type BodyBudget } from './body-budget.ts';
import { declaredLength, readBody } from './body.ts';
import { parseJsonBody } from './json-body.ts';
import { timeoutMsOf } from './timeout.ts';

/** The one path that the webhook configuration names. */
export const VALIDATE_PATH = '/validate';

/**
 * The API server takes objects of 3 MiB, a review holds two of them and its options, and what came as protobuf may grow
 * by escaping: 9 MiB is what ingress-nginx settled on for the same reasons.
 */
export const MAX_REVIEW_BYTES = 9 * 1024 * 1024;

/** A process with a limit of 256 MiB parses seven of the largest bodies at once, and thousands of real ones. */
const MAX_BODY_BYTES_IN_FLIGHT = 64 * 1024 * 1024;

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
  const { refuse, budget } = deps;
  const wrongType = unsupportedType(request);
  if (wrongType !== undefined) return refuse(response, 415, wrongType);
  const mayGrow = request.headers['transfer-encoding'] !== undefined;
  const release = budget.take(mayGrow ? MAX_REVIEW_BYTES : Math.min(declaredLength(request), MAX_REVIEW_BYTES));
  if (release === undefined) {
    response.set('Retry-After', '1');
    return refuse(response, 503, 'too many large reviews at once');
  }
  try {
    const body = await readBody(request, MAX_REVIEW_BYTES);
    if (!body.ok && body.error === 'aborted') return;
    if (!body.ok) return refuse(response, 413, `the body is larger than ${MAX_REVIEW_BYTES} bytes`);
    const parsed = parseJsonBody(body.value);
    if (!parsed.ok) return refuse(response, parsed.error.status, parsed.error.reason);
    await answer(parsed.value, { request, response, deps });
  } finally {
    release();
  }
}

type Exchange = { readonly request: Request; readonly response: Response; readonly deps: ValidateDeps };

async function answer(body: unknown, { request, response, deps }: Exchange): Promise<void> {
  const gone = new AbortController();
  const giveUp = (): void => gone.abort();
  response.once('close', giveUp);
  try {
    const timeoutMs = timeoutMsOf(request.originalUrl);
    const options = timeoutMs === undefined ? { signal: gone.signal } : { signal: gone.signal, timeoutMs };
    const reviewed = await deps.review(body, options).catch((error: unknown) => failedReview(body, error, deps.log));
    if (reviewed.kind === 'no-review') deps.refuse(response, 400, reviewed.reason);
    else send(response, reviewed.body);
  } finally {
    response.off('close', giveUp);
  }
}

/** As `response.json` would, without its questions about caches and HEAD, which cost as much as the rest of express. */
function send(response: Response, body: ReviewResponse): void {
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(body));
}

/** A reviewer that throws in spite of its promise still costs nobody a rollout, as long as the uid is known. */
function failedReview(body: unknown, error: unknown, log: HttpLog): ReturnType<typeof passAfterFailure> {
  const decoded = decodeReview(body);
  if (!decoded.ok) throw error;
  log.error('review failed', { uid: decoded.value.uid.slice(0, 64), err: error });
  return passAfterFailure(decoded.value.uid);
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
