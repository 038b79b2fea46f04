import { createHash } from 'node:crypto';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { createRecentMap } from './recent-map.ts';
import type { WireTarget } from './wire.ts';

type TlsSettings = WireTarget['tls'];

/** Contexts kept ready: making one parses every root certificate, some milliseconds each time. */
const MAX_CONTEXTS = 64;

/**
 * What Go offers (crypto/tls `cipherSuitesPreferenceOrder`), and so every runtime: no DHE, CCM or CBC with SHA-256. Go also
 * accepts RSA keys of 1024 bits, which OpenSSL's default level 2 does not.
 */
const CIPHERS: readonly string[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
];
/** Where we do not know what a runtime was built with, we must not fail where nodes do not. */
const RSA_KEY_EXCHANGE: readonly string[] = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'AES128-SHA', 'AES256-SHA'];
const SECURITY_LEVEL = '@SECLEVEL=1';

/** Gives the TLS context for an endpoint's settings, made once for equal settings. */
export function createSecureContexts(): (tls: TlsSettings) => SecureContext {
  const contexts = createRecentMap<SecureContext>(MAX_CONTEXTS);
  return (tls) => contexts.take(tlsFingerprint(tls), () => secureContext(tls));
}

function secureContext(tls: TlsSettings): SecureContext {
  const ciphers = offersRsa(tls) ? [...CIPHERS, ...RSA_KEY_EXCHANGE] : CIPHERS;
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ciphers: [...ciphers, SECURITY_LEVEL].join(':'),
    // Go trusts any certificate in its pool, not only self-signed roots
    allowPartialTrustChain: true,
    ...(tls.authorities.length > 0 ? { ca: [...rootCertificates, ...tls.authorities] } : {}),
    ...(tls.clientPairs.length > 0
      ? { cert: tls.clientPairs.map((pair) => pair.certificate), key: tls.clientPairs.map((pair) => pair.key) }
      : {}),
  });
}

const offersRsa = ({ offersRsaKeyExchange = true }: TlsSettings): boolean => offersRsaKeyExchange;

/** Equal for equal settings; of keys it holds a hash only. */
export function tlsFingerprint(tls: TlsSettings): string {
  const { isVerified, authorities, clientPairs } = tls;
  if (isVerified && authorities.length === 0 && clientPairs.length === 0)
    return offersRsa(tls) ? 'system with RSA' : 'system';
  return createHash('sha256')
    .update(JSON.stringify([isVerified, authorities, clientPairs, offersRsa(tls)]))
    .digest('hex');
}
