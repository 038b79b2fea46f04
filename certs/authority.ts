import { createPublicKey, randomBytes, sign as signBytes, X509Certificate } from 'node:crypto';
import forge from 'node-forge';
import { generateRsaPair, type KeyPair } from './key-pair.ts';

/** A certificate and its private key, as PEM texts. */
export type KeyedCertificate = { readonly certificate: string; readonly key: string };

export type Validity = { readonly from: Date; readonly to: Date };

/** What a certificate says. Everything but the validity has a default. */
export type CertificateRequest = {
  readonly validity: Validity;
  /** At most 64 characters. Default: the first name or address. */
  readonly commonName?: string;
  readonly names?: readonly string[];
  readonly addresses?: readonly string[];
  /** Default `server`. */
  readonly usage?: 'server' | 'client' | 'server-and-client';
  /** An intermediate authority instead of a leaf. Default false. */
  readonly isAuthority?: boolean;
  /** Default: a new one. Making it is what takes time. */
  readonly keyPair?: KeyPair;
};

type Issuer = { readonly commonName: string; readonly publicKey: string; readonly privateKey: string };

/** A root of one's own. `commonName` should differ from that of every other root in the same bundle. */
export async function createAuthority(request: {
  readonly commonName: string;
  readonly validity: Validity;
  readonly keyPair?: KeyPair;
}): Promise<KeyedCertificate> {
  const pair = request.keyPair ?? (await generateRsaPair());
  return sign({ ...request, isAuthority: true }, pair, { commonName: request.commonName, ...pair }, 'root');
}

/** Signed by `authority`, and valid no longer than it. */
export async function issue(authority: KeyedCertificate, request: CertificateRequest): Promise<KeyedCertificate> {
  const parent = new X509Certificate(authority.certificate);
  const end = new Date(parent.validTo);
  const validity = { from: request.validity.from, to: request.validity.to < end ? request.validity.to : end };
  const issuer = {
    commonName: commonNameOf(parent),
    publicKey: parent.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey: authority.key,
  };
  return sign({ ...request, validity }, request.keyPair ?? (await generateRsaPair()), issuer, 'issued');
}

/** Signed by its own key, an authority and a server at once: what `openssl req -x509` makes. */
export async function selfSign(request: CertificateRequest): Promise<KeyedCertificate> {
  const pair = request.keyPair ?? (await generateRsaPair());
  return sign({ ...request, isAuthority: true }, pair, { commonName: subjectOf(request), ...pair }, 'self-signed');
}

function sign(
  request: CertificateRequest,
  pair: KeyPair,
  issuer: Issuer,
  role: 'root' | 'issued' | 'self-signed',
): KeyedCertificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey);
  certificate.serialNumber = randomSerial();
  certificate.validity.notBefore = request.validity.from;
  certificate.validity.notAfter = request.validity.to;
  certificate.setSubject([{ name: 'commonName', value: subjectOf(request) }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer.commonName }]);
  certificate.setExtensions([
    ...(role === 'issued' ? [{ name: 'authorityKeyIdentifier', keyIdentifier: keyIdentifier(issuer.publicKey) }] : []),
    ...extensionsOf(request, role),
  ]);
  certificate.signatureOid = SHA256_WITH_RSA;
  certificate.siginfo.algorithmOid = SHA256_WITH_RSA;
  certificate.signature = signatureOf(certificate, issuer.privateKey);
  return { certificate: forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n'), key: pair.privateKey };
}

/** RFC 8017, appendix A.2.4. */
const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';

/** One byte a character, as forge has it. OpenSSL makes it: faster than forge by far, and in a time that tells nothing of the key. */
function signatureOf(certificate: forge.pki.Certificate, privateKey: string): string {
  // the first part of a certificate is what is signed, RFC 5280, section 4.1
  const [body] = forge.pki.certificateToAsn1(certificate).value;
  if (body === undefined || typeof body === 'string') throw new TypeError('the certificate has nothing to sign');
  const bytes = Buffer.from(forge.asn1.toDer(body).getBytes(), 'latin1');
  return signBytes('sha256', bytes, privateKey).toString('latin1');
}

/** RFC 5280, section 4.2. A root names neither hosts nor uses, so that it is good for nothing but signing. */
function extensionsOf(request: CertificateRequest, role: 'root' | 'issued' | 'self-signed'): readonly object[] {
  const { names = [], addresses = [], usage = 'server', isAuthority = false } = request;
  const altNames = [
    ...names.map((value) => ({ type: 2, value })),
    ...addresses.map((address) => ({ type: 7, ip: address })),
  ];
  const common = [
    { name: 'basicConstraints', cA: isAuthority, critical: true },
    {
      name: 'keyUsage',
      critical: true,
      keyCertSign: isAuthority,
      cRLSign: isAuthority,
      digitalSignature: role !== 'root',
      keyEncipherment: role !== 'root' && !isAuthority,
    },
    { name: 'subjectKeyIdentifier' },
  ];
  if (role === 'root' || (role === 'issued' && isAuthority)) return common;
  return [
    ...common,
    { name: 'extKeyUsage', serverAuth: usage !== 'client', clientAuth: usage !== 'server' },
    ...(altNames.length === 0 ? [] : [{ name: 'subjectAltName', altNames }]),
  ];
}

/** RFC 5280, section 4.1.2.2: positive, at most 20 octets, unique for each issuer: here 126 random bits. */
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes.toString('hex');
}

const keyIdentifier = (publicKey: string): string =>
  forge.pki
    .getPublicKeyFingerprint(
      forge.pki.publicKeyFromPem(createPublicKey(publicKey).export({ type: 'spki', format: 'pem' }).toString()),
      { type: 'RSAPublicKey' },
    )
    .getBytes();

/** The upper bound of RFC 5280 for common names is 64 characters; the names that count are in the extension. */
const subjectOf = (request: CertificateRequest): string =>
  (request.commonName ?? request.names?.[0] ?? request.addresses?.[0] ?? 'unnamed').slice(0, 64);

function commonNameOf(certificate: X509Certificate): string {
  const line = certificate.subject.split('\n').find((part) => part.startsWith('CN='));
  if (line === undefined) throw new TypeError('the authority has no common name');
  return line.slice('CN='.length);
}
