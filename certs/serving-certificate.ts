/** What a TLS server needs, as PEM texts. */
export type ServingPair = {
  readonly cert: string;
  readonly key: string;
  /** Whom callers are to trust; `undefined` where the operator brought the certificate. */
  readonly ca: string | undefined;
  /** Milliseconds since 1970: for a metric and an alert. */
  readonly expiresAtMs: number;
};

/** For the log and metrics: one line each, without a key's content. */
export type CertificateEvent =
  { readonly kind: 'rotated'; readonly reason: string } | { readonly kind: 'failed'; readonly reason: string };

/** The certificate that is served now, and its owner. */
export interface ServingCertificate {
  /** The last good pair; `undefined` before `start()` resolved. */
  current(): ServingPair | undefined;
  /** Called with every new pair. Returns what ends the calls. */
  onChange(listener: (pair: ServingPair) => void): () => void;
  /** Resolves with the first pair there is. Rejects when `signal` aborts. Call it once. */
  start(signal: AbortSignal): Promise<ServingPair>;
  close(): Promise<void>;
}

export type PairHolder = Pick<ServingCertificate, 'current' | 'onChange'> & {
  /** False where it is the one that is held. */
  take(pair: ServingPair): boolean;
};

export function createPairHolder(): PairHolder {
  const listeners = new Set<(pair: ServingPair) => void>();
  let held: ServingPair | undefined;
  return {
    current: () => held,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    take(pair) {
      const isNew = held?.cert !== pair.cert || held.key !== pair.key || held.ca !== pair.ca;
      held = pair;
      if (isNew) for (const listener of listeners) listener(pair);
      return isNew;
    },
  };
}
