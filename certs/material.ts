import { createPrivateKey, X509Certificate } from 'node:crypto';
import { err, ok, type Result } from '../webhook/image/result.ts';
import { createAuthority, issue, type KeyedCertificate } from './authority.ts';
import type { KeySource } from './key-pair.ts';

/** Everything that the Secret holds: who signs, what is served, and whom the API server trusts meanwhile. */
export type Material = {
  /** Signed the leaf. */
  readonly authority: KeyedCertificate;
  readonly leaf: KeyedCertificate;
  /** The coming authority: trusted already, signs nothing yet. */
  readonly next: KeyedCertificate | undefined;
  /** Certificates of former authorities, trusted while a replica may still serve their leaf. */
  readonly retired: readonly string[];
};

/** When a certificate is made, and with which keys. */
export type Birth = {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly makeKeys: KeySource;
};
export type LeafBirth = Birth & { readonly names: readonly string[] };

const AUTHORITY_DAYS = 365;
const LEAF_DAYS = 90;
/** Certificates begin a little earlier: the clock of the API server may be behind ours. */
export const BACKDATE_MS = 5 * 60_000;
const DAY_MS = 86_400_000;

/** The names under which an API server asks for a Service: it checks the first. */
export const servingNames = (service: string, namespace: string): readonly string[] => [
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
  `${service}.${namespace}`,
];

export async function createMaterial(birth: LeafBirth): Promise<Material> {
  const authority = await newAuthority(birth);
  return { authority, leaf: await newLeaf(authority, birth), next: undefined, retired: [] };
}

/** Named after the moment of its birth: two of them stand in one bundle. */
export async function newAuthority({ nowMs, makeKeys }: Birth): Promise<KeyedCertificate> {
  const validity = { from: new Date(nowMs - BACKDATE_MS), to: new Date(nowMs + AUTHORITY_DAYS * DAY_MS) };
  return createAuthority({ commonName: `pullguard authority ${nowMs}`, validity, keyPair: await makeKeys() });
}

export async function newLeaf(
  authority: KeyedCertificate,
  { names, nowMs, makeKeys }: LeafBirth,
): Promise<KeyedCertificate> {
  const validity = { from: new Date(nowMs - BACKDATE_MS), to: new Date(nowMs + LEAF_DAYS * DAY_MS) };
  return issue(authority, { commonName: 'pullguard webhook', names, validity, keyPair: await makeKeys() });
}

/** What `caBundle` is to hold: every authority that may have signed what some replica serves, now or soon. */
export function bundleOf(material: Material): string {
  const next = material.next === undefined ? [] : [material.next.certificate];
  return [material.authority.certificate, ...next, ...material.retired].map((pem) => `${pem.trim()}\n`).join('');
}

/** The Secret's keys. `ca.crt` begins with the signing authority, so that others may read it as a bundle. */
export function encodeMaterial(material: Material): Readonly<Record<string, string>> {
  return {
    'ca.crt': bundleOf(material),
    'ca.key': material.authority.key,
    'tls.crt': material.leaf.certificate,
    'tls.key': material.leaf.key,
    ...(material.next === undefined
      ? {}
      : { 'next-ca.crt': material.next.certificate, 'next-ca.key': material.next.key }),
  };
}

/** The error says which key of the Secret is at fault, never what it holds. */
export function decodeMaterial(data: Readonly<Record<string, string>>): Result<Material> {
  const trusted = splitPem(data['ca.crt'] ?? '');
  const [first] = trusted;
  if (first === undefined) return err('ca.crt holds no certificate');
  const authority = { certificate: first, key: data['ca.key'] ?? '' };
  const leaf = { certificate: data['tls.crt'] ?? '', key: data['tls.key'] ?? '' };
  const nextCertificate = splitPem(data['next-ca.crt'] ?? '')[0];
  const next =
    nextCertificate === undefined ? undefined : { certificate: nextCertificate, key: data['next-ca.key'] ?? '' };
  if (!isPair(authority)) return err('ca.key does not belong to the first certificate of ca.crt');
  if (!isPair(leaf)) return err('tls.key does not belong to tls.crt');
  if (next !== undefined && !isPair(next)) return err('next-ca.key does not belong to next-ca.crt');
  if (!new X509Certificate(leaf.certificate).verify(new X509Certificate(first).publicKey)) {
    return err('tls.crt was not signed by the first certificate of ca.crt');
  }
  const retired = trusted.slice(1).filter((pem) => pem !== nextCertificate && isCertificate(pem));
  return ok({ authority, leaf, next, retired });
}

/** The certificates of a PEM text, each as its own text with one newline at the end. */
export const splitPem = (text: string): readonly string[] =>
  (text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu) ?? []).map(
    (pem) => `${pem.replaceAll('\r\n', '\n')}\n`,
  );

/** Whether both are readable and belong together. */
export function isPair(pair: KeyedCertificate): boolean {
  try {
    return new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pair.key));
  } catch {
    return false;
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).serialNumber !== '';
  } catch {
    return false;
  }
}
