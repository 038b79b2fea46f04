import { createAuthority, issue, type KeyedCertificate } from '../../certs/authority.ts';
import { generateRsaPair, type KeySource } from '../../certs/key-pair.ts';

/** The name by which an API server calls the webhook: a Service's. */
export const WEBHOOK_NAME = 'pullguard.pullguard.svc';

/** Made on the spot and kept nowhere. */
export type DemoCertificates = {
  /** PEM of the authority that signs what the registries show. */
  readonly registryAuthority: string;
  /** PEM of the authority that signs what the webhook shows: a `caBundle`. */
  readonly webhookAuthority: string;
  readonly webhook: KeyedCertificate;
  /** A certificate of the registries' authority. */
  readonly issueFor: (names: readonly string[], age?: 'valid' | 'expired') => Promise<KeyedCertificate>;
};

const DAY_MS = 24 * 60 * 60_000;

/** Two authorities and the webhook's certificate. All leaves share one key: making keys is what takes time. */
export async function createCertificates(now: Date, makeKeys: KeySource = generateRsaPair): Promise<DemoCertificates> {
  const inDays = (days: number): Date => new Date(now.getTime() + days * DAY_MS);
  // a certificate that ends within weeks would be warned of
  const valid = { from: inDays(-1), to: inDays(90) };
  const expired = { from: inDays(-92), to: inDays(-2) };
  const ofAuthority = { from: inDays(-92), to: inDays(365) };
  const [registries, cluster, keyPair] = await Promise.all([
    makeKeys().then((pair) =>
      createAuthority({ commonName: 'Demo Registry CA', validity: ofAuthority, keyPair: pair }),
    ),
    makeKeys().then((pair) => createAuthority({ commonName: 'Demo Cluster CA', validity: ofAuthority, keyPair: pair })),
    makeKeys(),
  ]);
  return {
    registryAuthority: registries.certificate,
    webhookAuthority: cluster.certificate,
    webhook: await issue(cluster, {
      names: [WEBHOOK_NAME, 'localhost'],
      addresses: ['127.0.0.1'],
      validity: valid,
      keyPair,
    }),
    issueFor: (names, age = 'valid') =>
      issue(registries, { names, validity: age === 'valid' ? valid : expired, keyPair }),
  };
}
