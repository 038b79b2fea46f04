import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, describe, it } from 'node:test';
import type { ConnectionOptions, TlsOptions } from 'node:tls';
import {
  createAuthority,
  issue,
  selfSign,
  type CertificateRequest,
  type KeyedCertificate,
} from '../../certs/authority.ts';
import type { KeyPair } from '../../certs/key-pair.ts';
import { handshake } from './handshake.ts';
import { createKeyRing } from './key-ring.ts';

const nextKeys = createKeyRing();
const HOUR_MS = 3_600_000;
const around = (fromMs: number, toMs: number): CertificateRequest['validity'] => ({
  from: new Date(Date.now() + fromMs),
  to: new Date(Date.now() + toMs),
});
const NOW = around(-HOUR_MS, HOUR_MS);
const serverOf = ({ certificate, key }: KeyedCertificate): TlsOptions => ({ cert: certificate, key });

let root: KeyedCertificate;
let stranger: KeyedCertificate;
let keyPair: KeyPair;
before(async () => {
  keyPair = await nextKeys();
  root = await createAuthority({ commonName: 'root', validity: around(-HOUR_MS, 100 * HOUR_MS) });
  stranger = await createAuthority({
    commonName: 'root',
    validity: around(-HOUR_MS, HOUR_MS),
    keyPair: await nextKeys(),
  });
});
const leaf = (request: Partial<CertificateRequest> = {}): Promise<KeyedCertificate> =>
  issue(root, { names: ['web.team.svc'], validity: NOW, keyPair, ...request });

describe('a certificate of our own authority', () => {
  const cases: readonly {
    readonly name: string;
    readonly request: Partial<CertificateRequest>;
    readonly client?: ConnectionOptions;
    readonly ends: string;
  }[] = [
    { name: 'its name', request: {}, ends: 'ok' },
    { name: 'its second name', request: { names: ['other', 'web.team.svc'] }, ends: 'ok' },
    { name: 'another name', request: { names: ['other'] }, ends: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    {
      name: 'its common name only',
      request: { names: ['other'], commonName: 'web.team.svc' },
      ends: 'ERR_TLS_CERT_ALTNAME_INVALID',
    },
    { name: 'its address', request: { names: [], addresses: ['127.0.0.1'] }, client: { servername: '' }, ends: 'ok' },
    {
      name: 'its IPv6 address',
      request: { names: [], addresses: ['::1'] },
      client: { servername: '', checkServerIdentity: checkIpv6 },
      ends: 'ok',
    },
    {
      name: 'another address',
      request: { addresses: ['127.0.0.2'] },
      client: { servername: '' },
      ends: 'ERR_TLS_CERT_ALTNAME_INVALID',
    },
    { name: 'a time after its end', request: { validity: around(-2 * HOUR_MS, -HOUR_MS) }, ends: 'CERT_HAS_EXPIRED' },
    {
      name: 'a time before its beginning',
      request: { validity: around(HOUR_MS, 2 * HOUR_MS) },
      ends: 'CERT_NOT_YET_VALID',
    },
    { name: 'a use as a client only', request: { usage: 'client' }, ends: 'INVALID_PURPOSE' },
  ];
  for (const { name, request, client, ends } of cases) {
    it(`ends a handshake with ${name} as ${ends}`, async () => {
      const served = await leaf(request);

      assert.equal(
        await handshake(serverOf(served), { ca: root.certificate, servername: 'web.team.svc', ...client }),
        ends,
      );
    });
  }
  it('is not trusted through another authority of the same name', async () => {
    const served = await leaf();
    const client = { servername: 'web.team.svc' };

    const foreign = await handshake(serverOf(served), { ...client, ca: stranger.certificate });
    const bundled = await handshake(serverOf(served), {
      ...client,
      ca: [stranger.certificate, root.certificate].join(''),
    });

    assert.deepEqual([foreign, bundled], ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ok']);
  });
  it('serves as a client certificate where it says so', async () => {
    const [served, client, wrong] = await Promise.all([leaf(), leaf({ usage: 'client' }), leaf({ usage: 'server' })]);
    const server = { ...serverOf(served), ca: root.certificate, requestCert: true, rejectUnauthorized: true };
    const trust = { ca: root.certificate, servername: 'web.team.svc' };

    const accepted = await handshake(server, { ...trust, cert: client.certificate, key: client.key });
    const refused = await handshake(server, { ...trust, cert: wrong.certificate, key: wrong.key });

    assert.equal(accepted, 'ok');
    assert.notEqual(refused, 'ok');
  });
  it('never outlives the authority', async () => {
    const served = await issue(stranger, { names: ['a'], validity: around(0, 1_000 * HOUR_MS), keyPair });

    assert.equal(new X509Certificate(served.certificate).validTo, new X509Certificate(stranger.certificate).validTo);
  });
  it('has a random positive serial number', async () => {
    const serials = await Promise.all(
      Array.from({ length: 8 }, async () => new X509Certificate((await leaf()).certificate).serialNumber),
    );

    assert.equal(new Set(serials).size, serials.length);
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/u);
  });
  it('is signed through an intermediate authority too', async () => {
    const middle = await issue(root, {
      commonName: 'middle',
      isAuthority: true,
      validity: NOW,
      keyPair: await nextKeys(),
    });
    const served = await issue(middle, { names: ['web.team.svc'], validity: NOW, keyPair });
    const server = { cert: served.certificate + middle.certificate, key: served.key };

    assert.equal(await handshake(server, { ca: root.certificate, servername: 'web.team.svc' }), 'ok');
  });
  it('may sign nothing itself', async () => {
    const served = await leaf();
    const forged = await issue(served, { names: ['web.team.svc'], validity: NOW, keyPair });
    const server = { cert: forged.certificate + served.certificate, key: forged.key };

    assert.notEqual(await handshake(server, { ca: root.certificate, servername: 'web.team.svc' }), 'ok');
  });
});

describe('a self-signed certificate', () => {
  it('is trusted by whom it was given to, and by nobody else', async () => {
    const served = await selfSign({ names: ['web.team.svc'], validity: NOW, keyPair });
    const client = { servername: 'web.team.svc' };

    const given = await handshake(serverOf(served), { ...client, ca: served.certificate });
    const other = await handshake(serverOf(served), { ...client, ca: root.certificate });

    assert.deepEqual([given, other], ['ok', 'DEPTH_ZERO_SELF_SIGNED_CERT']);
  });
});

/** The connection goes to 127.0.0.1; what counts is that the certificate names the other address. */
function checkIpv6(_: string, peer: { readonly raw: Buffer }): Error | undefined {
  return new X509Certificate(peer.raw).checkIP('::1') === undefined ? new Error('no such address') : undefined;
}
