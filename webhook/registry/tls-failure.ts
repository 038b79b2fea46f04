import { codeOf } from '../image/error-code.ts';
import type { NetworkFailure } from './failure.ts';

/** What OpenSSL says when the answer to its hello is no TLS record. */
const NOT_TLS: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_BAD_RECORD_TYPE',
  'ERR_SSL_RECORD_LAYER_FAILURE',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_UNEXPECTED_MESSAGE',
  'ERR_SSL_UNKNOWN_PROTOCOL',
]);

export const isNoTlsRecord = (error: unknown): boolean => NOT_TLS.has(codeOf(error) ?? '');

const BROKEN_OFF = 'the server broke off the handshake: nothing that both sides accept';

export type TlsFacts = {
  readonly hasClientCertificate: boolean;
  /** The server's own certificate came: what it broke off for is ours. */
  readonly showedCertificate: boolean;
};

/** Maps what a socket or TLS error says; used for errors after the handshake too, where TLS 1.3 tells of certificates. */
export function tlsFailure(error: unknown, { hasClientCertificate, showedCertificate }: TlsFacts): NetworkFailure {
  const code = codeOf(error) ?? '';
  if (code.includes('CERTIFICATE_REQUIRED')) return { kind: 'client-certificate-required' };
  if (/ALERT_(?:BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN)/u.test(code)) {
    if (hasClientCertificate) return { kind: 'tls', reason: 'the server refused the client certificate' };
    // who says so in answer to our hello has not asked for any
    return showedCertificate ? { kind: 'client-certificate-required' } : { kind: 'tls', reason: BROKEN_OFF };
  }
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW/u.test(code)) {
    return { kind: 'tls', reason: 'the server offers no TLS version from 1.2 on' };
  }
  if (code.includes('HANDSHAKE_FAILURE')) {
    // TLS 1.2 has no other word for a certificate that is missing
    return showedCertificate && !hasClientCertificate
      ? { kind: 'client-certificate-required' }
      : { kind: 'tls', reason: BROKEN_OFF };
  }
  if (/^ERR_(?:SSL|TLS)_/u.test(code)) {
    return {
      kind: 'tls',
      reason: code
        .replace(/^ERR_(?:SSL|TLS)_/u, '')
        .toLowerCase()
        .replaceAll('_', ' '),
    };
  }
  return socketFailure(error);
}

/** Maps the system's error codes; what is not known is a connection that ended. */
export function socketFailure(error: unknown): NetworkFailure {
  switch (codeOf(error) ?? '') {
    case 'ECONNREFUSED':
      return { kind: 'refused' };
    case 'ETIMEDOUT':
      return { kind: 'timeout', during: 'connect' };
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return { kind: 'no-route' };
    default:
      return { kind: 'reset', wasKeptAlive: false };
  }
}
