import type { SecureContext } from 'node:tls';
import type { Connect, ConnectOptions } from './connection.ts';
import { NO_HTTP, type NetworkFailure } from './failure.ts';
import { speaksTls, wantsClientCertificate } from './probe.ts';
import type { WireTarget } from './wire.ts';

export type DiagnosisOptions = {
  readonly connect: Connect;
  readonly contextFor: (tls: WireTarget['tls']) => SecureContext;
  readonly probeMs: number;
  /** Ends with the transport. */
  readonly lifetime: AbortSignal;
};

/** Tells causes apart that look alike, by one more connection. */
export type Diagnosis = {
  /** Whether a TLS server stands where plain HTTP was asked. */
  readonly isTlsBehind: (target: WireTarget, options: ConnectOptions, signal: AbortSignal) => Promise<boolean>;
  /** What a failure comes from. */
  readonly explain: (
    failure: NetworkFailure,
    target: WireTarget,
    options: ConnectOptions,
    signal: AbortSignal,
  ) => Promise<NetworkFailure>;
};

export function createDiagnosis({ connect, contextFor, probeMs, lifetime }: DiagnosisOptions): Diagnosis {
  const limited = (signal: AbortSignal): AbortSignal =>
    AbortSignal.any([signal, lifetime, AbortSignal.timeout(probeMs)]);

  const isTlsBehind: Diagnosis['isTlsBehind'] = async (target, options, signal) => {
    if (target.scheme === 'https') return false;
    const tls = { context: contextFor(target.tls), isVerified: false, hasClientCertificate: false };
    return speaksTls(connect, { ...options, tls }, limited(signal));
  };

  return {
    isTlsBehind,
    explain: async (failure, target, options, signal) => {
      // what answered before speaks what we speak
      if (lifetime.aborted || (failure.kind === 'reset' && failure.wasKeptAlive)) return failure;
      const mayBeTls = failure.kind === 'reset' || (failure.kind === 'not-http' && failure.reason === NO_HTTP);
      if (mayBeTls && (await isTlsBehind(target, options, signal))) return { kind: 'tls-answer' };
      const mayWantOne = options.tls !== undefined && !options.tls.hasClientCertificate;
      if (failure.kind !== 'reset' || !mayWantOne) return failure;
      const isWanted = await wantsClientCertificate(connect, options, limited(signal));
      return isWanted ? { kind: 'client-certificate-required' } : failure;
    },
  };
}
