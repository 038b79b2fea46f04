import { constants } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import {
  createAuthority,
  createSelfSigned,
  expiredDates,
  futureDates,
  type CertificatePair,
} from '../../support/pki.ts';
import { createOddLeaf } from './odd-certificates.ts';
import { HOST, hostOf, type Stage } from './stage.ts';

type Files = Readonly<Record<string, string>>;

const NAMES = { names: [HOST] };
const served = ({ chain, key }: Pick<CertificatePair, 'chain' | 'key'>, more: TlsOptions = {}): TlsOptions => ({
  cert: chain,
  key,
  ...more,
});

/** pull-parity E13 and J89, J90, where Go's TLS and OpenSSL need not be of one mind. */
export async function addCertificateConditions({ registry, add }: Stage): Promise<void> {
  const authority = createAuthority('Truth Certificate Root');
  const stranger = createAuthority('A Stranger');
  const trust =
    (text: string): ((host: string) => Files) =>
    (host) => ({ [`${host}/ca.crt`]: text });
  const at = async (
    id: string,
    tls: TlsOptions,
    node: (host: string) => Files = trust(authority.certificate),
  ): Promise<void> => {
    const host = hostOf(await registry({ tls }));
    add({ id, rule: 'J89', image: `${host}/app:1`, node: node(host) });
  };
  const good = authority.issue(NAMES);
  const intermediate = authority.issueAuthority();
  const below = intermediate.issue(NAMES);
  const self = createSelfSigned(NAMES);
  const past = createAuthority('Expired Root', expiredDates());

  // who vouches
  await at('cert-of-expired-authority', served(past.issue(NAMES)), trust(past.certificate));
  await at('cert-of-one-of-two', served(good), trust(stranger.certificate + authority.certificate));
  await at('cert-of-authority-beside-expired', served(good), trust(past.certificate + authority.certificate));
  await at('cert-authority-with-notes', served(good), trust(`# notes\n${authority.certificate}\nmore notes\n`));
  await at('cert-authority-windows-lines', served(good), trust(authority.certificate.replaceAll('\n', '\r\n')));
  await at('cert-authority-without-end', served(good), trust(authority.certificate.slice(0, -30)));
  await at('cert-of-stranger', served(good), trust(stranger.certificate));
  await at('cert-self-declared', served(self), trust(self.certificate));
  await at('cert-leaf-declared', served(good), trust(good.certificate));
  await at('cert-intermediate-declared', served(below), trust(intermediate.certificate));
  await at('cert-intermediate-not-sent', served({ chain: below.certificate, key: below.key }));
  await at(
    'cert-intermediate-not-sent-declared',
    served({ chain: below.certificate, key: below.key }),
    trust(intermediate.certificate + authority.certificate),
  );
  await at('cert-root-sent-too', served({ chain: below.chain + authority.certificate, key: below.key }));
  await at(
    'cert-chain-disordered',
    served({ chain: below.certificate + authority.certificate + intermediate.certificate, key: below.key }),
  );
  await at('cert-stranger-sent-too', served({ chain: good.chain + stranger.certificate, key: good.key }));
  const unentitled = createOddLeaf({ isIssuerAuthority: false });
  await at('cert-of-who-is-no-authority', served(unentitled), trust(unentitled.issuer));

  // for whom, for what and for how long
  await at('cert-not-yet-valid', served(authority.issue({ ...NAMES, dates: futureDates() })));
  await at('cert-for-clients', served(authority.issue({ ...NAMES, use: 'client' })));
  await at('cert-wildcard', served(authority.issue({ names: ['*.truth.test'] })));
  await at('cert-wildcard-too-high', served(authority.issue({ names: ['*.test'] })));
  await at('cert-wildcard-in-label', served(authority.issue({ names: ['r*.truth.test'] })));
  await at('cert-name-upper-case', served(authority.issue({ names: [HOST.toUpperCase()] })));
  await at('cert-name-with-dot', served(authority.issue({ names: [`${HOST}.`] })));
  await at('cert-name-one-of-many', served(authority.issue({ names: ['a.test', 'b.test', HOST] })));
  await at('cert-expired-of-stranger', served(stranger.issue({ ...NAMES, dates: expiredDates() })));
  await at('cert-wrong-name-of-stranger', served(stranger.issue({ names: ['other.test'] })));

  // whom the registry asks for a certificate
  const wants = (version: 'TLSv1.2' | 'TLSv1.3', more: TlsOptions = {}): TlsOptions =>
    served(good, { requestCert: true, ca: authority.certificate, minVersion: version, maxVersion: version, ...more });
  const mine = authority.issue({ commonName: 'node', use: 'client' });
  const other = stranger.issue({ commonName: 'node', use: 'client' });
  const pair =
    ({ certificate, key }: CertificatePair) =>
    (host: string): Files => ({
      ...trust(authority.certificate)(host),
      [`${host}/node.cert`]: certificate,
      [`${host}/node.key`]: key,
    });
  await at('client-wanted-tls-1-2', wants('TLSv1.2'));
  await at('client-wanted-tls-1-3', wants('TLSv1.3'));
  await at('client-given-tls-1-2', wants('TLSv1.2'), pair(mine));
  await at('client-given-tls-1-3', wants('TLSv1.3'), pair(mine));
  await at('client-of-stranger-tls-1-2', wants('TLSv1.2'), pair(other));
  await at('client-of-stranger-tls-1-3', wants('TLSv1.3'), pair(other));
  await at('client-only-asked-for', wants('TLSv1.3', { rejectUnauthorized: false }));
  await at('client-in-one-file', wants('TLSv1.3'), (host) => ({
    [`${host}/hosts.toml`]: `server = "https://${host}"\nca = "root.pem"\nclient = "both.pem"\n`,
    [`${host}/root.pem`]: authority.certificate,
    [`${host}/both.pem`]: mine.certificate + mine.key,
  }));
  await at('client-key-of-another', wants('TLSv1.3'), (host) => ({
    ...pair(mine)(host),
    [`${host}/node.key`]: self.key,
  }));
  await at('client-without-key', wants('TLSv1.3'), (host) => ({
    ...trust(authority.certificate)(host),
    [`${host}/node.cert`]: mine.certificate,
  }));

  // in which words
  await at(
    'tls-1-1-at-most',
    served(good, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }),
  );
  await at('tls-1-2-at-most', served(good, { maxVersion: 'TLSv1.2' }));
  await at('tls-p521-only', served(good, { ecdhCurve: 'secp521r1' }));
  await at('tls-ccm-only', served(good, { ciphers: 'TLS_AES_128_CCM_SHA256', minVersion: 'TLSv1.3' }));
  await at('tls-ecdsa-cbc', served(good, { ciphers: 'ECDHE-ECDSA-AES128-SHA', maxVersion: 'TLSv1.2' }));
  await at('tls-ecdsa-cbc-sha256', served(good, { ciphers: 'ECDHE-ECDSA-AES128-SHA256', maxVersion: 'TLSv1.2' }));
  await at('tls-ecdsa-cbc-256-sha384', served(good, { ciphers: 'ECDHE-ECDSA-AES256-SHA384', maxVersion: 'TLSv1.2' }));
  const rsa = createOddLeaf();
  const weak: TlsOptions = { ciphers: 'ALL:@SECLEVEL=0', secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT };
  const only = (ciphers: string): TlsOptions =>
    served(rsa, { ciphers: `${ciphers}:@SECLEVEL=0`, maxVersion: 'TLSv1.2', dhparam: 'auto' });
  const trusted = trust(rsa.issuer);
  await at('tls-rsa', served(rsa), trusted);
  await at('tls-rsa-key-exchange', only('AES128-GCM-SHA256'), trusted);
  await at('tls-rsa-cbc-key-exchange', only('AES256-SHA'), trusted);
  await at('tls-dhe', only('DHE-RSA-AES256-GCM-SHA384'), trusted);
  await at('tls-ecdhe-rsa-cbc-sha256', only('ECDHE-RSA-AES128-SHA256'), trusted);
  await at('tls-ecdhe-rsa-chacha', only('ECDHE-RSA-CHACHA20-POLY1305'), trusted);
  const short = createOddLeaf({ bits: 1024 });
  await at('tls-rsa-1024', served(short, weak), trust(short.issuer));
  const sha1 = createOddLeaf({ isSha1: true });
  await at('tls-sha1', served(sha1, weak), trust(sha1.issuer));
}
