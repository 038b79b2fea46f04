import { pino, stdSerializers, type DestinationStream, type Level } from 'pino';
import type { ReviewFacts } from '../admission/facts.ts';
import { METRIC_LABEL } from '../outcome/metric-label.ts';
import { field } from '../outcome/printable.ts';

export type LogFields = Readonly<Record<string, unknown>>;

/** A constant message with fields; `err` takes an Error. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly Level[];
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One JSON object a line on `stream`, with ISO times and the level's name. */
export function createLog(stream: DestinationStream, level: LogLevel = 'info'): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.err },
    },
    stream,
  );
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
  };
}

/** The images that a line names at most, each cut: a request may have thousands, of a megabyte each. */
const MAX_IMAGES = 8;
const MAX_IMAGE_LENGTH = 128;
/** The longest name in Kubernetes; a uid is shorter. */
const MAX_NAME_LENGTH = 253;

/** The one line of a review: how it ended, with the images that were not simply allowed. */
export function logReview(log: Log, facts: ReviewFacts): void {
  const { verdict, mode, isDryRun, requests } = facts;
  const notable = facts.images.filter(({ intended }) => intended !== 'allow');
  log.info('reviewed', {
    uid: field(facts.uid, MAX_NAME_LENGTH),
    operation: field(facts.operation, 16),
    namespace: field(facts.namespace, MAX_NAME_LENGTH),
    kind: field(facts.kind, MAX_NAME_LENGTH),
    ...(facts.name === '' ? {} : { name: field(facts.name, MAX_NAME_LENGTH) }),
    ...(isDryRun ? { isDryRun } : {}),
    verdict,
    mode,
    outcomes: countOutcomes(facts),
    ...(notable.length === 0
      ? {}
      : { images: notable.slice(0, MAX_IMAGES).map(({ image }) => field(image, MAX_IMAGE_LENGTH)) }),
    requests,
    tookMs: Math.round(facts.tookMs),
  });
  for (const err of facts.errors.slice(0, MAX_IMAGES))
    log.error('review failed inside', { uid: field(facts.uid, MAX_NAME_LENGTH), err });
}

function countOutcomes({ images }: ReviewFacts): Readonly<Record<string, number>> {
  const counts = Map.groupBy(images, ({ outcome }) => METRIC_LABEL[outcome]);
  return Object.fromEntries([...counts].map(([label, { length }]) => [label, length]));
}
