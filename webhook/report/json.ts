import { formatPlatform, type Platform } from '../image/platform.ts';
import { formatEndpoint } from '../outcome/evidence.ts';
import type { Finding } from '../outcome/finding.ts';
import { describe, describeFinding, toPrintable, verdictLine } from '../outcome/message.ts';
import type { Evidence, PullOutcome } from '../outcome/outcome.ts';
import { field } from '../outcome/printable.ts';
import type { CheckResult } from './result.ts';

/** The shape of design part 6, in the order of the input, with the facts of the outcome as `evidence`. Ends in a line break. */
export function formatJson(results: readonly CheckResult[]): string {
  return `${JSON.stringify({ results: results.map(resultToJson) }, undefined, 2)}\n`;
}

function resultToJson(result: CheckResult): Readonly<Record<string, unknown>> {
  const { outcome, isConclusive, doubts, findings, requests, millis } = result.prediction;
  return {
    object: result.object,
    path: result.path,
    image: result.image,
    where: result.where,
    ...(result.file === undefined ? {} : { file: result.file, line: result.line ?? null }),
    outcome: outcome.kind,
    conclusive: isConclusive,
    doubts,
    action: result.action,
    message: messageOf(result),
    remedy: describe(outcome, result.wording).remedy,
    findings: findings.map(findingToJson),
    digest: imageDigest(outcome) ?? null,
    depth: outcome.kind === 'pullable' ? outcome.depth : null,
    evidence: { ...factsOf(outcome), ...endpointsOf(findings) },
    requests,
    millis,
  };
}

/** The whole line about a result: container, image, cause, evidence, remedy. */
export function messageOf(result: CheckResult): string {
  const { where, image, wording, prediction } = result;
  return verdictLine({ where, image, wording, outcome: prediction.outcome, doubts: prediction.doubts });
}

function findingToJson(finding: Finding): Readonly<Record<string, unknown>> {
  const { kind, ...facts } = finding;
  return { kind, message: describeFinding(finding), ...bounded(facts) };
}

/** What each endpoint said, where they do not agree. */
function endpointsOf(findings: readonly Finding[]): Readonly<Record<string, unknown>> {
  const found = findings.find((finding) => finding.kind === 'endpoints-disagree');
  return found === undefined ? {} : bounded({ endpoints: found.answers });
}

/** The digest that the image itself was found to have: that of a damaged part is no such digest. */
function imageDigest(outcome: PullOutcome): string | undefined {
  return 'digest' in outcome && outcome.kind !== 'damaged' ? outcome.digest : undefined;
}

/** Whatever the outcome carries besides its kind, flat: the request and its answer first. */
function factsOf(outcome: PullOutcome): Readonly<Record<string, unknown>> {
  const { kind: _kind, ...facts } = outcome;
  if (!('evidence' in facts) || facts.evidence === undefined) return bounded(facts);
  const { evidence, ...others } = facts;
  return { ...requestToJson(evidence), ...bounded(others) };
}

function requestToJson(evidence: Evidence): Readonly<Record<string, unknown>> {
  const { endpoint, method, path, status, code, askedAs, declaredBy } = evidence;
  const isAnonymous = askedAs.by === 'anonymous';
  return bounded({
    endpoint: formatEndpoint(endpoint),
    method,
    path: path.split(/[?#]/u, 1)[0] ?? '',
    status,
    code,
    askedAs: isAnonymous ? { by: askedAs.by } : { by: askedAs.by, secret: askedAs.secret, key: askedAs.key },
    declaredBy,
  });
}

function bounded(facts: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, plain(value)]));
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return field(value, 512);
  if (Array.isArray(value)) return value.slice(0, 256).map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return isPlatform(value) ? toPrintable(formatPlatform(value)) : bounded({ ...value });
}

function isPlatform(value: object): value is Platform {
  return 'os' in value && 'architecture' in value;
}
