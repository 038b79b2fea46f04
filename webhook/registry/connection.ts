import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { CertificateFacts } from '../outcome/outcome.ts';

export type ConnectOptions = {
  /** As in a URL, an IPv6 address in brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: TlsConnectOptions | undefined;
  readonly dialTimeoutMs: number;
};

export type TlsConnectOptions = {
  readonly context: SecureContext;
  readonly isVerified: boolean;
  readonly hasClientCertificate: boolean;
};

export type Connected = { readonly socket: Socket; readonly certificate: CertificateFacts | undefined };

/** Opens a connection that is ready for HTTP. Rejects with a NetworkError. */
export type Connect = (options: ConnectOptions, signal: AbortSignal) => Promise<Connected>;
