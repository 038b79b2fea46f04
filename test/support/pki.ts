import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import forge from 'node-forge';

export type LeafOptions = {
  /** Default: the first name or address. */
  readonly commonName?: string;
  /** DNS names and IP addresses of the subjectAltName; without any there is no such extension, only the common name. */
  readonly names?: readonly string[];
  readonly addresses?: readonly string[];
  readonly dates?: Dates;
  /** Default `server`. */
  readonly use?: 'server' | 'client';
};
export type Dates = { readonly from: Date; readonly to: Date };

/** A certificate with its key, all as PEM texts. */
export type CertificatePair = {
  readonly certificate: string;
  /** The certificate and the intermediate authorities above it, as a server sends them. */
  readonly chain: string;
  readonly key: string;
};

export interface Authority {
  readonly name: string;
  /** What a client trusts, for a root; an intermediate's own certificate otherwise. */
  readonly certificate: string;
  issue(options?: LeafOptions): CertificatePair;
  issueAuthority(name?: string): Authority;
}

const DAY_MS = 86_400_000;
const daysFromNow = (days: number): Date => new Date(Date.now() + days * DAY_MS);

export const validDates = (): Dates => ({ from: daysFromNow(-1), to: daysFromNow(30) });
export const expiredDates = (): Dates => ({ from: daysFromNow(-60), to: daysFromNow(-30) });
export const futureDates = (): Dates => ({ from: daysFromNow(30), to: daysFromNow(60) });

/** One for the leaves of all authorities of a name: making RSA keys is the slow part. */
const leafKeys = new Map<string, Keys>();
function leafKeysOf(authority: string): Keys {
  const keys = leafKeys.get(authority) ?? createKeys();
  leafKeys.set(authority, keys);
  return keys;
}

/** A root authority with a key of its own. */
export function createAuthority(name = 'Pullguard Test Root', dates = validDates()): Authority {
  const keys = createKeys();
  const parts = { subject: name, issuer: name, keys, signer: keys };
  const certificate = assemble({ ...parts, extensions: AUTHORITY_EXTENSIONS, dates });
  return authorityOf({ name, certificate, keys, above: [] });
}

/** A certificate that nobody vouches for but itself. */
export function createSelfSigned(options: LeafOptions = {}): CertificatePair {
  const keys = leafKeysOf('');
  const subject = subjectOf(options);
  const certificate = assemble({ ...leafParts(options), subject, issuer: subject, keys, signer: keys });
  return { certificate, chain: certificate, key: keys.privateKey };
}

type Keys = { readonly privateKey: string; readonly publicKey: string };

function createKeys(): Keys {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

type AuthorityParts = {
  readonly name: string;
  readonly certificate: string;
  readonly keys: Keys;
  /** The intermediates from this one upwards, without the root. */
  readonly above: readonly string[];
};

function authorityOf({ name, certificate, keys, above }: AuthorityParts): Authority {
  return {
    name,
    certificate,
    issue: (options = {}) => {
      const own = leafKeysOf(name);
      const parts = { subject: subjectOf(options), issuer: name, keys: own, signer: keys };
      const leaf = assemble({ ...leafParts(options), ...parts });
      return { certificate: leaf, chain: [leaf, ...above].join(''), key: own.privateKey };
    },
    issueAuthority: (below = 'Pullguard Test Intermediate') => {
      const own = createKeys();
      const extensions = AUTHORITY_EXTENSIONS;
      const issued = assemble({ subject: below, issuer: name, keys: own, signer: keys, extensions });
      return authorityOf({ name: below, certificate: issued, keys: own, above: [issued, ...above] });
    },
  };
}

const AUTHORITY_EXTENSIONS: readonly object[] = [
  { name: 'basicConstraints', cA: true, critical: true },
  { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
];
/** GeneralName's choices, RFC 5280, 4.2.1.6. */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

function subjectOf({ commonName, names = [], addresses = [] }: LeafOptions): string {
  return commonName ?? names[0] ?? addresses[0] ?? 'unnamed';
}

function leafParts({ names = [], addresses = [], dates, use = 'server' }: LeafOptions): LeafParts {
  const altNames = [
    ...names.map((value) => ({ type: DNS_NAME, value })),
    ...addresses.map((ip) => ({ type: IP_ADDRESS, ip })),
  ];
  const extensions = [
    { name: 'basicConstraints', cA: false },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: use === 'server', clientAuth: use === 'client' },
    ...(altNames.length === 0 ? [] : [{ name: 'subjectAltName', altNames }]),
  ];
  return { extensions, dates: dates ?? validDates() };
}

type LeafParts = { readonly extensions: readonly object[]; readonly dates?: Dates };
type CertificateParts = LeafParts & {
  readonly subject: string;
  readonly issuer: string;
  readonly keys: Keys;
  readonly signer: Keys;
};

/** RFC 8017, appendix A.2.4. */
const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';

function assemble({ subject, issuer, keys, signer, extensions, dates = validDates() }: CertificateParts): string {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(keys.publicKey);
  // a leading 0 bit keeps the number positive, RFC 5280, 4.1.2.2
  certificate.serialNumber = `0${randomBytes(8).toString('hex').slice(1)}`;
  certificate.validity.notBefore = dates.from;
  certificate.validity.notAfter = dates.to;
  certificate.setSubject([{ name: 'commonName', value: subject }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer }]);
  certificate.setExtensions([...extensions]);
  certificate.signatureOid = SHA256_WITH_RSA;
  certificate.siginfo.algorithmOid = SHA256_WITH_RSA;
  // the first part of a certificate is what is signed, RFC 5280, 4.1; forge would take fifty times as long
  const [body] = forge.pki.certificateToAsn1(certificate).value;
  if (body === undefined || typeof body === 'string') throw new TypeError('the certificate has nothing to sign');
  const bytes = Buffer.from(forge.asn1.toDer(body).getBytes(), 'latin1');
  certificate.signature = sign('sha256', bytes, signer.privateKey).toString('latin1');
  return forge.pki.certificateToPem(certificate).replaceAll('\r', '');
}
