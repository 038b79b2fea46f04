import { generateKeyPairSync, randomBytes } from 'node:crypto';
import forge from 'node-forge';
import { HOST } from './stage.ts';

type OddLeaf = {
  readonly chain: string;
  readonly key: string;
  /** What a node would have to trust. */
  readonly issuer: string;
};
type OddOptions = {
  /** Of the leaf's RSA key. Default 2048. */
  readonly bits?: number;
  /** The leaf is signed with SHA-1, as nobody does any more. */
  readonly isSha1?: boolean;
  /** Whether the issuer's own certificate says that it may sign others. Default true. */
  readonly isIssuerAuthority?: boolean;
};

const DAY_MS = 86_400_000;

/** A certificate of RSA for the registry, with an issuer of its own: what the tests' own authority does not make. */
export function createOddLeaf({ bits = 2048, isSha1 = false, isIssuerAuthority = true }: OddOptions = {}): OddLeaf {
  const above = createKeys(2048);
  const own = createKeys(bits);
  const name = `Odd Root ${randomBytes(4).toString('hex')}`;
  const signer = forge.pki.privateKeyFromPem(above.privateKey);
  const issuer = createCertificate(name, name, above.publicKey, [
    { name: 'basicConstraints', cA: isIssuerAuthority, critical: true },
    { name: 'keyUsage', keyCertSign: isIssuerAuthority, digitalSignature: true, critical: true },
  ]);
  issuer.sign(signer, forge.md.sha256.create());
  const leaf = createCertificate(HOST, name, own.publicKey, [
    { name: 'basicConstraints', cA: false },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: [{ type: 2, value: HOST }] },
  ]);
  leaf.sign(signer, isSha1 ? forge.md.sha1.create() : forge.md.sha256.create());
  return { chain: forge.pki.certificateToPem(leaf), key: own.privateKey, issuer: forge.pki.certificateToPem(issuer) };
}

function createKeys(modulusLength: number): { readonly privateKey: string; readonly publicKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
}

function createCertificate(
  subject: string,
  issuer: string,
  publicKey: string,
  extensions: readonly object[],
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  // a first byte below 80 keeps the number positive
  certificate.serialNumber = `01${randomBytes(8).toString('hex')}`;
  certificate.validity.notBefore = new Date(Date.now() - DAY_MS);
  certificate.validity.notAfter = new Date(Date.now() + 30 * DAY_MS);
  certificate.setSubject([{ name: 'commonName', value: subject }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer }]);
  certificate.setExtensions([...extensions]);
  return certificate;
}
