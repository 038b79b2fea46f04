import { assertNever } from '../image/result.ts';
import type { Evidence, PullOutcome } from '../outcome/outcome.ts';
import type { NetworkFailure } from './failure.ts';

/** The outcome of a question that got no HTTP answer. `host` is who was asked, as a message may name it. */
export function outcomeOfFailure(failure: NetworkFailure, evidence: Evidence, host: string): PullOutcome {
  switch (failure.kind) {
    case 'dns':
    case 'refused':
    case 'reset':
    case 'timeout':
    case 'no-route':
      return { kind: 'unreachable', phase: failure.kind, host, evidence };
    case 'blocked':
      return { kind: 'not-checked', reason: 'blocked-address', detail: host };
    case 'resting':
      return { kind: 'rate-limited', retryAfterSeconds: Math.ceil(failure.restMs / 1000), evidence };
    case 'http-answer':
      return { kind: 'http-not-declared', evidence };
    case 'tls-answer':
      return { kind: 'https-expected-http', evidence };
    case 'not-http':
      return { kind: 'registry-error', reason: failure.reason, evidence };
    case 'unsendable':
      return { kind: 'not-checked', reason: 'node-settings', detail: `${host}: ${failure.reason}` };
    case 'client-certificate-required':
      return failure.isSurmised === true
        ? { kind: 'tls-client-certificate-required', isSurmised: true, evidence }
        : { kind: 'tls-client-certificate-required', evidence };
    case 'tls':
      return { kind: 'tls-other', reason: failure.reason, evidence };
    case 'certificate':
      return certificateOutcome(failure, evidence);
    default:
      return assertNever(failure);
  }
}

function certificateOutcome(
  failure: Extract<NetworkFailure, { kind: 'certificate' }>,
  evidence: Evidence,
): PullOutcome {
  const { certificate } = failure;
  switch (failure.fault) {
    case 'expired':
      return { kind: 'tls-expired', certificate, evidence };
    case 'wrong-name':
      return { kind: 'tls-wrong-name', certificate, evidence };
    case 'unknown-authority':
      return { kind: 'tls-unknown-authority', certificate, evidence };
    case 'other':
      return {
        kind: 'tls-other',
        reason: 'the certificate chain does not verify',
        ...(certificate === undefined ? {} : { certificate }),
        evidence,
      };
    default:
      return assertNever(failure.fault);
  }
}
