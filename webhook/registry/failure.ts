import type { CertificateFacts } from '../outcome/outcome.ts';

/** Why no HTTP answer came, as far as a runtime's error text would tell it (pull-parity E13). */
export type NetworkFailure =
  | { readonly kind: 'dns' }
  | { readonly kind: 'refused' }
  /** `wasKeptAlive`: the connection had answered before, so the server may only have closed it as idle. */
  | { readonly kind: 'reset'; readonly wasKeptAlive: boolean }
  | { readonly kind: 'timeout'; readonly during: 'connect' | 'handshake' | 'answer' }
  | { readonly kind: 'no-route' }
  /** The address is one that the webhook must not dial (design, rule 7). */
  | { readonly kind: 'blocked' }
  /** Not asked: a 429 came from there a moment ago (design, rule 9). */
  | { readonly kind: 'resting'; readonly restMs: number }
  /** A TLS hello was answered in plain HTTP. */
  | { readonly kind: 'http-answer' }
  /** A plain request was answered by a TLS server. */
  | { readonly kind: 'tls-answer' }
  | { readonly kind: 'not-http'; readonly reason: string }
  /** Not asked: what the settings declare cannot be sent. */
  | { readonly kind: 'unsendable'; readonly reason: string }
  | {
      readonly kind: 'certificate';
      readonly fault: CertificateFault;
      readonly certificate: CertificateFacts | undefined;
    }
  /** `isSurmised`: we have one, and whoever has none is told that one is wanted. */
  | { readonly kind: 'client-certificate-required'; readonly isSurmised?: true }
  | { readonly kind: 'tls'; readonly reason: string };

/** The reason of a `not-http` that may come of speaking HTTP to something else. */
export const NO_HTTP = 'it does not answer in HTTP';

export type CertificateFault = 'expired' | 'wrong-name' | 'unknown-authority' | 'other';

/** Carries a failure through code that can only throw: undici's connector, a stream. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  readonly failure: NetworkFailure;

  constructor(failure: NetworkFailure, options?: ErrorOptions) {
    super(failure.kind, options);
    this.failure = failure;
  }
}
