import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import { codeOf } from '../image/error-code.ts';
import { err, ok, type Result } from '../image/result.ts';
import { createListener, type Listener } from './listener.ts';

/** PEM texts; the certificate with its intermediates. */
export type ServingCertificate = { readonly certificate: string; readonly key: string };

export interface TlsServer extends Listener {
  /** Serves another certificate on connections from now on. A pair that does not fit is refused, the old one stays. */
  renew(certificate: ServingCertificate): Result<void>;
}

/** Suits the API server as its only client; nobody else has a reason to be slow. */
const LIMITS = Object.freeze({
  /** The API server's own limit for a handshake. */
  handshakeTimeout: 10_000,
  headersTimeout: 5_000,
  /** With its body, which an API server sends at once. */
  requestTimeout: 10_000,
  /** Node looks for overdue headers and requests only this often. */
  connectionsCheckingInterval: 2_500,
  /** Above the 90 s after which the API server closes idle connections: whoever closes first must not be us. */
  keepAliveTimeout: 120_000,
} as const satisfies ServerOptions);

/** 600 admissions in flight from each of three API servers, and some to spare. */
const MAX_CONNECTIONS = 2000;

/** HTTP/1.1 only: the API server speaks no HTTP/2 to webhooks in Services. */
const TLS = Object.freeze({ minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] } as const satisfies ServerOptions);

/** Throws where the first certificate does not fit its key. */
export function createTlsServer(app: RequestListener, certificate: ServingCertificate): TlsServer {
  const fitting = contextOptions(certificate);
  if (!fitting.ok) throw new Error(fitting.error);
  const server: Server = createServer({ ...LIMITS, ...TLS, ...fitting.value });
  const listener = createListener((requestListener) => server.on('request', requestListener), app, {
    maxConnections: MAX_CONNECTIONS,
  });
  return {
    ...listener,
    renew: (next) => {
      const options = contextOptions(next);
      if (!options.ok) return options;
      server.setSecureContext(options.value);
      return ok(undefined);
    },
  };
}

type ContextOptions = {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.2';
  readonly secureOptions: number;
};

/**
 * A trial: `setSecureContext` has forgotten the old pair by the time it finds that the new one does not fit, and takes
 * empty texts for no certificate at all.
 */
function contextOptions({ certificate, key }: ServingCertificate): Result<ContextOptions> {
  const options: ContextOptions = {
    cert: certificate,
    key,
    minVersion: TLS.minVersion,
    // TLS 1.2 lets a client ask for one handshake after the other, of which each costs us more than him
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
  try {
    const isFitting = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    if (!isFitting) return err('the serving certificate does not belong to its key');
    createSecureContext(options);
    return ok(options);
  } catch (error) {
    const code = codeOf(error) ?? 'unreadable PEM';
    return err(`the serving certificate and its key cannot be used (${code})`);
  }
}
