import { createHash } from 'node:crypto';
import { createSecureContext, DEFAULT_CIPHERS, rootCertificates, type SecureContext } from 'node:tls';
import { createRecentMap } from './recent-map.ts';
import type { WireTarget } from './wire.ts';

type TlsSettings = WireTarget['tls'];

/** Contexts kept ready: making one parses every root certificate, some milliseconds each time. */
const MAX_CONTEXTS = 64;

/** Gives the TLS context for an endpoint's settings, made once for equal settings. */
export function createSecureContexts(): (tls: TlsSettings) => SecureContext {
  const contexts = createRecentMap<SecureContext>(MAX_CONTEXTS);
  return (tls) => contexts.take(tlsFingerprint(tls), () => secureContext(tls));
}

function secureContext(tls: TlsSettings): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    // Go accepts RSA keys of 1024 bits, which OpenSSL's default level 2 does not: we must not fail where nodes do not
    ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=1`,
    // Go trusts any certificate in its pool, not only self-signed roots
    allowPartialTrustChain: true,
    ...(tls.authorities.length > 0 ? { ca: [...rootCertificates, ...tls.authorities] } : {}),
    ...(tls.clientPairs.length > 0
      ? { cert: tls.clientPairs.map((pair) => pair.certificate), key: tls.clientPairs.map((pair) => pair.key) }
      : {}),
  });
}

/** Equal for equal settings; of keys it holds a hash only. */
export function tlsFingerprint(tls: TlsSettings): string {
  if (tls.isVerified && tls.authorities.length === 0 && tls.clientPairs.length === 0) return 'system';
  return createHash('sha256')
    .update(JSON.stringify([tls.isVerified, tls.authorities, tls.clientPairs]))
    .digest('hex');
}
