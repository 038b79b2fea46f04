import type { Result } from '../image/result.ts';
import type { CertificateFacts } from '../outcome/outcome.ts';
import type { NetworkFailure } from './failure.ts';
import type { ReplyShare } from './reply-room.ts';

/** Where to connect, and how far to trust what answers. */
export type WireTarget = {
  readonly scheme: 'http' | 'https';
  /** Host with port where one is written. */
  readonly authority: string;
  readonly tls: {
    readonly isVerified: boolean;
    readonly authorities: readonly string[];
    readonly clientPairs: readonly { readonly certificate: string; readonly key: string }[];
    /** Builds with a Go before 1.22 offer RSA key exchange, which no later one does. Default true. */
    readonly offersRsaKeyExchange?: boolean;
  };
  readonly dialTimeoutMs: number;
};

export type WireRequest = {
  readonly target: WireTarget;
  readonly method: 'HEAD' | 'GET' | 'POST';
  /** Path with its query. */
  readonly path: string;
  readonly headers: WireHeaders;
  readonly body?: string;
  /** Asked before more than a little of the answer is read; without it, all that the reader allows is. */
  readonly room?: ReplyShare;
};

export type WireHeaders = Readonly<Record<string, string | readonly string[]>>;

/** What was read of a body, and why the reading ended: at its end, at our limit, cut off, or with no time left. */
export type Reading = {
  readonly bytes: Uint8Array;
  readonly ending: 'whole' | 'longer' | 'cut' | 'timeout';
};

export type WireReply = {
  readonly status: number;
  /** The first value of a header, by its lower-case name. */
  readonly header: (name: string) => string | undefined;
  readonly headerAll: (name: string) => readonly string[];
  /** Reads up to `maxBytes` of the body, or of what its stream is `unpacked` to, and lets the rest go. Never throws. */
  readonly read: (maxBytes: number, unpacked?: AsyncIterable<Uint8Array>) => Promise<Reading>;
  /** The body as it comes. Throws a NetworkError: `reset` where the connection was cut, `timeout` where time ran out. */
  readonly stream: () => AsyncIterable<Uint8Array>;
  /** Ends the transfer without reading on. */
  readonly drop: () => void;
};

/** Sends a request and returns what came, or why nothing came. Never follows redirects, never throws but for bugs. */
export type SendRequest = (request: WireRequest, signal: AbortSignal) => Promise<Result<WireReply, NetworkFailure>>;

export type Transport = {
  readonly send: SendRequest;
  /** The certificate last seen at a target. */
  readonly certificateAt: (target: WireTarget) => CertificateFacts | undefined;
  /** Ends every connection. What is asked from then on ends as a timeout. */
  readonly close: () => Promise<void>;
};
