import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
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

/** A root authority. Its leaves share one key. */
export function createAuthority(name = 'Pullguard Test Root', dates = validDates()): Authority {
  const keys = createKeys();
  const parts = { subject: name, issuer: name, keys, signer: keys };
  const certificate = assemble({ ...parts, extensions: AUTHORITY_EXTENSIONS, dates });
  return authorityOf({ name, certificate, keys, above: [], leafKeys: createKeys() });
}

/** A certificate that nobody vouches for but itself. */
export function createSelfSigned(options: LeafOptions = {}): CertificatePair {
  const keys = createKeys();
  const subject = subjectOf(options);
  const certificate = assemble({ ...leafParts(options), subject, issuer: subject, keys, signer: keys });
  return { certificate, chain: certificate, key: keys.privateKey };
}

/** PKCS#8 as PEM, and SubjectPublicKeyInfo as DER. */
type Keys = { readonly privateKey: string; readonly publicKey: Buffer };

/** Of P-256, as one of RSA takes a tenth of a second to be made. */
function createKeys(): Keys {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

type AuthorityParts = {
  readonly name: string;
  readonly certificate: string;
  readonly keys: Keys;
  /** The intermediates from this one upwards, without the root. */
  readonly above: readonly string[];
  readonly leafKeys: Keys;
};

function authorityOf({ name, certificate, keys, above, leafKeys }: AuthorityParts): Authority {
  return {
    name,
    certificate,
    issue: (options = {}) => {
      const parts = { subject: subjectOf(options), issuer: name, keys: leafKeys, signer: keys };
      const leaf = assemble({ ...leafParts(options), ...parts });
      return { certificate: leaf, chain: [leaf, ...above].join(''), key: leafKeys.privateKey };
    },
    issueAuthority: (below = 'Pullguard Test Intermediate') => {
      const own = createKeys();
      const extensions = AUTHORITY_EXTENSIONS;
      const issued = assemble({ subject: below, issuer: name, keys: own, signer: keys, extensions });
      return authorityOf({ name: below, certificate: issued, keys: own, above: [issued, ...above], leafKeys });
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

function assemble({ subject, issuer, keys, signer, extensions, dates = validDates() }: CertificateParts): string {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = NO_KEY;
  // a first byte below 80 keeps the number positive (RFC 5280, 4.1.2.2), and one above 0 in its shortest form
  certificate.serialNumber = `01${randomBytes(8).toString('hex')}`;
  certificate.validity.notBefore = dates.from;
  certificate.validity.notAfter = dates.to;
  certificate.setSubject([{ name: 'commonName', value: subject }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer }]);
  certificate.setExtensions([...extensions]);
  certificate.signatureOid = ECDSA_WITH_SHA256;
  certificate.siginfo.algorithmOid = ECDSA_WITH_SHA256;
  const [body] = partsOf(forge.pki.certificateToAsn1(certificate));
  assert.ok(body !== undefined);
  return signed(partsOf(body), keys, signer);
}

/** forge knows RSA keys alone; ours takes the place of this one. */
const THREE = new forge.jsbn.BigInteger('3', 10);
const NO_KEY = forge.pki.setRsaPublicKey(THREE, THREE);
/** RFC 5758, 3.2: an algorithm without parameters. */
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
/** Where they stand in what is signed, RFC 5280, 4.1. */
const ALGORITHM_AT = 2;
const PUBLIC_KEY_AT = 6;

function signed(body: readonly forge.asn1.Asn1[], keys: Keys, signer: Keys): string {
  const { Class, Type, create, fromDer, oidToDer } = forge.asn1;
  const algorithm = sequence([create(Class.UNIVERSAL, Type.OID, false, oidToDer(ECDSA_WITH_SHA256).getBytes())]);
  const key = fromDer(keys.publicKey.toString('latin1'));
  const content = sequence(body.with(ALGORITHM_AT, algorithm).with(PUBLIC_KEY_AT, key));
  const signature = sign('sha256', derOf(content), signer.privateKey).toString('latin1');
  // no bit of the last byte is unused
  const bits = create(Class.UNIVERSAL, Type.BITSTRING, false, `\0${signature}`);
  return new X509Certificate(derOf(sequence([content, algorithm, bits]))).toString();
}

const sequence = (parts: forge.asn1.Asn1[]): forge.asn1.Asn1 =>
  forge.asn1.create(forge.asn1.Class.UNIVERSAL, forge.asn1.Type.SEQUENCE, true, parts);

const derOf = (value: forge.asn1.Asn1): Buffer => Buffer.from(forge.asn1.toDer(value).getBytes(), 'latin1');

function partsOf({ value }: forge.asn1.Asn1): readonly forge.asn1.Asn1[] {
  assert.ok(typeof value !== 'string');
  return value;
}
