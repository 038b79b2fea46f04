import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { CertificateFacts } from '../outcome/outcome.ts';
import type { CertificateFault } from './failure.ts';

/** OpenSSL's verdicts that mean: no trusted authority signed this. */
const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
]);
/** Of an authority, as the leaf itself is in date. */
const OUT_OF_DATE: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);
const MAX_NAMES = 8;
/** A root may be its own issuer. */
const MAX_DEPTH = 8;

/**
 * Judges a server's certificate in the order in which Go's crypto/x509 does, so that the fault named is the one in the
 * runtime's error: dates of the leaf, its names, then the chain. `chainError` is OpenSSL's verdict on the chain.
 */
export function judgeCertificate(
  leaf: X509Certificate | undefined,
  host: string,
  chainError: string | undefined,
  now: Date,
): CertificateFault | undefined {
  if (leaf === undefined) return 'other';
  if (!isInDate(leaf, now)) return 'expired';
  if (!coversHost(leaf, host)) return 'wrong-name';
  if (chainError === undefined) return undefined;
  if (OUT_OF_DATE.has(chainError)) return 'expired';
  return UNKNOWN_AUTHORITY.has(chainError) ? 'unknown-authority' : 'other';
}

/** The certificate that the dates are wrong of: the leaf, or an authority above it where that is known. */
export function outOfDate(leaf: X509Certificate | undefined, now: Date): X509Certificate | undefined {
  let one = leaf;
  for (let depth = 0; one !== undefined && depth < MAX_DEPTH; depth += 1) {
    if (!isInDate(one, now)) return one;
    one = one.issuerCertificate;
  }
  return leaf;
}

function isInDate({ validFromDate, validToDate }: X509Certificate, now: Date): boolean {
  return now >= validFromDate && now <= validToDate;
}

/** Go looks at subject alternative names alone: a name that stands only in the common name does not count. */
function coversHost(leaf: X509Certificate, host: string): boolean {
  const name = host.replace(/^\[|\]$/gu, '');
  if (isIP(name) !== 0) return leaf.checkIP(name) !== undefined;
  const bare = name.replace(/\.$/u, '');
  return (
    leaf.checkHost(bare, { subject: 'never', partialWildcards: false }) !== undefined ||
    // Go takes a wildcard for one label however few follow it; OpenSSL wants two: `*.corp` covers reg.corp on nodes
    namesOf(leaf).some((one) => one.startsWith('*.') && one.slice(1).toLowerCase() === afterLabel(bare))
  );
}

/** `reg.corp` is `.corp`; nothing where there is no dot. */
function afterLabel(name: string): string | undefined {
  const dot = name.indexOf('.');
  return dot > 0 ? name.slice(dot).toLowerCase() : undefined;
}

function namesOf(leaf: X509Certificate): readonly string[] {
  const all = (leaf.subjectAltName ?? '').split(', ');
  return all.filter((one) => one.startsWith('DNS:')).map((one) => one.slice(4));
}

/** What a message may show of a certificate. */
export function certificateFacts(leaf: X509Certificate | undefined): CertificateFacts | undefined {
  if (leaf === undefined) return undefined;
  const names = (leaf.subjectAltName ?? '')
    .split(', ')
    .filter((one) => one !== '')
    .map((one) => one.replace(/^(?:DNS|IP Address):/u, ''));
  return {
    subject: commonName(leaf.subject),
    issuer: commonName(leaf.issuer),
    names: names.slice(0, MAX_NAMES),
    validFrom: leaf.validFromDate.toISOString(),
    validTo: leaf.validToDate.toISOString(),
    isSelfSigned: leaf.subject === leaf.issuer,
  };
}

/** The common name where there is one, else the whole distinguished name on one line. */
function commonName(name: string): string {
  const lines = name.split('\n');
  const common = lines.find((line) => line.startsWith('CN='));
  return (common?.slice(3) ?? lines.join(', ')).slice(0, 200);
}
