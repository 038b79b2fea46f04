import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { REVIEW_VERDICTS, type ReviewFacts } from '../admission/facts.ts';
import { ACTIONS } from '../outcome/action.ts';
import { METRIC_LABEL } from '../outcome/metric-label.ts';
import { MODES } from '../policy/policy.ts';

/** What is counted. Every label is of a closed set; nothing that a request wrote becomes one. */
export interface Metrics {
  reviewed(facts: ReviewFacts): void;
  /** An HTTP request that was no review. */
  refused(status: number): void;
  /** A policy came into force: Unix time in milliseconds. */
  policyAccepted(atMs: number): void;
  /** A policy was refused for so many mistakes; the last good one stays in force. */
  policyRefused(mistakes: number): void;
  certificateExpires(atMs: number): void;
  readonly contentType: string;
  text(): Promise<string>;
}

/** Around the 3.5 s that a review may take; the low end is what cached answers take. */
const DURATION_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 10];

/** A registry of its own, every series present from the start. `now` is Unix time in milliseconds. */
export function createMetrics(options: {
  readonly now: () => number;
  readonly refusalStatuses: readonly number[];
}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const reviews = new Counter({
    name: 'pullguard_reviews_total',
    help: 'Admission reviews by verdict and by the strictest mode that applied.',
    labelNames: ['verdict', 'mode'],
    registers,
  });
  const images = new Counter({
    name: 'pullguard_images_total',
    help: 'Distinct images of reviews by predicted outcome and by what the request met.',
    labelNames: ['outcome', 'action'],
    registers,
  });
  const duration = new Histogram({
    name: 'pullguard_review_duration_seconds',
    help: 'Time from a decoded review to its answer.',
    buckets: DURATION_BUCKETS,
    registers,
  });
  const requests = new Counter({
    name: 'pullguard_registry_requests_total',
    help: 'Requests to registries and token services that reviews waited for.',
    registers,
  });
  const refusals = new Counter({
    name: 'pullguard_http_refused_total',
    help: 'HTTP requests that were no admission review, by status.',
    labelNames: ['status'],
    registers,
  });
  const mistakes = new Gauge({
    name: 'pullguard_policy_errors',
    help: 'Mistakes in the newest policy; above 0 an older policy is in force.',
    registers,
  });
  const lastGood = new Gauge({
    name: 'pullguard_policy_last_good',
    help: 'When the policy in force was accepted, Unix seconds; 0 before any.',
    registers,
  });
  const expiry = certificateGauge(options.now, registers);
  for (const verdict of REVIEW_VERDICTS) for (const mode of MODES) reviews.inc({ verdict, mode }, 0);
  for (const outcome of Object.values(METRIC_LABEL)) for (const action of ACTIONS) images.inc({ outcome, action }, 0);
  for (const status of options.refusalStatuses) refusals.inc({ status }, 0);
  return {
    reviewed: (facts) => {
      reviews.inc({ verdict: facts.verdict, mode: facts.mode });
      for (const { outcome, action } of facts.images) images.inc({ outcome: METRIC_LABEL[outcome], action });
      images.inc({ outcome: METRIC_LABEL['not-checked'], action: 'allow' }, facts.unlisted);
      duration.observe(facts.tookMs / 1000);
      requests.inc(facts.requests);
    },
    refused: (status) => refusals.inc({ status: options.refusalStatuses.includes(status) ? status : 500 }),
    policyAccepted: (atMs) => {
      mistakes.set(0);
      lastGood.set(atMs / 1000);
    },
    policyRefused: (count) => mistakes.set(count),
    certificateExpires: expiry.set,
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

/** Computed at each scrape, so that it goes down by itself. No series before a certificate is known. */
function certificateGauge(now: () => number, registers: Registry[]): { readonly set: (atMs: number) => void } {
  let expiresAtMs: number | undefined;
  const gauge = new Gauge({
    name: 'pullguard_certificate_expiry_seconds',
    help: 'Seconds until the serving certificate expires; negative afterwards.',
    registers,
    collect: () => {
      if (expiresAtMs === undefined) gauge.remove();
      else gauge.set((expiresAtMs - now()) / 1000);
    },
  });
  return {
    set: (atMs) => {
      expiresAtMs = atMs;
    },
  };
}
