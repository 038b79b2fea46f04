import type { Finding } from '../outcome/finding.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { Transport } from '../registry/transport.ts';

/** Long enough to renew without haste, short enough not to nag about ninety-day certificates. */
const SOON_DAYS = 14;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Certificates seen on the way that will end within two weeks, once per host. */
export function expiringCertificates(transport: Transport, clients: readonly RegistryClient[]): readonly Finding[] {
  const found = new Map<string, Finding>();
  for (const { endpoint } of clients) {
    if (endpoint.scheme === 'http' || !endpoint.tls.isVerified) continue;
    const { authority, tls, dialTimeoutMs } = endpoint;
    const certificate = transport.certificateAt({ scheme: 'https', authority, tls, dialTimeoutMs });
    if (certificate === undefined) continue;
    const days = Math.floor((Date.parse(certificate.validTo) - Date.now()) / DAY_MS);
    if (days < 0 || days >= SOON_DAYS) continue;
    found.set(authority, { kind: 'certificate-expires-soon', host: authority, validTo: certificate.validTo, days });
  }
  return [...found.values()];
}
