import type { SecureContext } from 'node:tls';
import type { Connect, ConnectOptions } from './connection.ts';
import { NO_HTTP, type NetworkFailure } from './failure.ts';
import { breaksOff, speaksTls, wantsClientCertificate } from './probe.ts';
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

  /**
   * Some servers end the connection without a word where a client certificate is of no authority that they name. Go sends
   * them none then (crypto/tls `getClientCertificate`), and is told that one is wanted. It may also be a server that
   * takes ours and breaks off for reasons of its own.
   */
  const wantsAnother = async (target: WireTarget, options: ConnectOptions, limit: AbortSignal): Promise<boolean> => {
    if (!(await breaksOff(connect, options, limit))) return false;
    const context = contextFor({ ...target.tls, clientPairs: [] });
    const tls = { context, isVerified: target.tls.isVerified, hasClientCertificate: false };
    return wantsClientCertificate(connect, { ...options, tls }, limit);
  };

  return {
    isTlsBehind,
    explain: async (failure, target, options, signal) => {
      // what answered before speaks what we speak
      if (lifetime.aborted || (failure.kind === 'reset' && failure.wasKeptAlive)) return failure;
      const mayBeTls = failure.kind === 'reset' || (failure.kind === 'not-http' && failure.reason === NO_HTTP);
      if (mayBeTls && (await isTlsBehind(target, options, signal))) return { kind: 'tls-answer' };
      if (failure.kind !== 'reset' || options.tls === undefined) return failure;
      if (options.tls.hasClientCertificate) {
        const isSurmised = await wantsAnother(target, options, limited(signal));
        return isSurmised ? { kind: 'client-certificate-required', isSurmised } : failure;
      }
      const isWanted = await wantsClientCertificate(connect, options, limited(signal));
      return isWanted ? { kind: 'client-certificate-required' } : failure;
    },
  };
}
