import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { mkdtemp, mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { selfSign, type KeyedCertificate, type Validity } from '../../certs/authority.ts';
import { loadFromFiles } from '../../certs/file-certificate.ts';
import type { CertificateEvent, ServingCertificate } from '../../certs/serving-certificate.ts';
import { until } from '../kube/until.ts';
import { createKeyRing } from './key-ring.ts';

const nextKeys = createKeyRing();
const HOUR_MS = 3_600_000;
const LOCKED = { format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
const never = (): AbortSignal => new AbortController().signal;
const validity = (fromMs: number, toMs: number): Validity => ({
  from: new Date(Date.now() + fromMs),
  to: new Date(Date.now() + toMs),
});

describe('a certificate from files', () => {
  let folder = '';
  let certFile = '';
  let keyFile = '';
  let events: CertificateEvent[] = [];
  let owner: ServingCertificate;
  let first: KeyedCertificate;
  let second: KeyedCertificate;
  let expired: KeyedCertificate;
  before(async () => {
    const [one, two] = await Promise.all([nextKeys(), nextKeys()]);
    first = await selfSign({ names: ['a'], validity: validity(-HOUR_MS, HOUR_MS), keyPair: one });
    second = await selfSign({ names: ['a'], validity: validity(-HOUR_MS, 2 * HOUR_MS), keyPair: two });
    expired = await selfSign({ names: ['a'], validity: validity(-2 * HOUR_MS, -HOUR_MS), keyPair: two });
    folder = await mkdtemp(join(tmpdir(), 'pullguard-files-'));
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    certFile = join(folder, 'tls.crt');
    keyFile = join(folder, 'tls.key');
    events = [];
    await write(first);
    owner = open();
  });
  afterEach(() => owner.close());
  const open = (): ServingCertificate =>
    loadFromFiles(certFile, keyFile, { onEvent: (event) => events.push(event), pollMs: 5 });
  const write = async ({ certificate, key }: KeyedCertificate): Promise<void> => {
    await writeFile(certFile, certificate);
    await writeFile(keyFile, key);
  };

  it('follows the files', async () => {
    const announced: string[] = [];
    owner.onChange(({ cert }) => announced.push(cert));
    await owner.start(never());

    await write(second);
    await until(() => owner.current()?.cert === second.certificate, 'the change');

    assert.deepEqual(announced, [first.certificate, second.certificate]);
    assert.equal(events.at(-1)?.kind, 'rotated');
  });
  it('follows a mounted Secret, which changes by a symbolic link', async () => {
    const [old, fresh] = [join(folder, 'old'), join(folder, 'fresh')];
    await Promise.all([mkdir(old), mkdir(fresh)]);
    for (const [place, pair] of [
      [old, first],
      [fresh, second],
    ] as const) {
      await writeFile(join(place, 'tls.crt'), pair.certificate);
      await writeFile(join(place, 'tls.key'), pair.key);
    }
    await symlink(old, join(folder, 'data'));
    [certFile, keyFile] = [join(folder, 'data', 'tls.crt'), join(folder, 'data', 'tls.key')];
    await owner.close();
    owner = open();
    await owner.start(never());

    await symlink(fresh, join(folder, 'data-next'));
    await rename(join(folder, 'data-next'), join(folder, 'data'));
    await until(() => owner.current()?.cert === second.certificate, 'the change');

    assert.ok(events.every(({ kind }) => kind === 'rotated'));
  });

  const damages: readonly { readonly name: string; readonly damage: () => Promise<void>; readonly says: RegExp }[] = [
    {
      name: 'half written',
      damage: () => writeFile(certFile, second.certificate.slice(0, 500)),
      says: /is no key that belongs to/u,
    },
    {
      name: 'with the key of another',
      damage: () => writeFile(keyFile, second.key),
      says: /is no key that belongs to/u,
    },
    { name: 'gone', damage: () => unlink(certFile), says: /tls\.crt cannot be read: there is no such file or folder/u },
    {
      name: 'without a key',
      damage: () => unlink(keyFile),
      says: /tls\.key cannot be read: there is no such file or folder/u,
    },
    { name: 'expired', damage: () => write(expired), says: /expired on/u },
    { name: 'empty', damage: () => writeFile(certFile, ''), says: /tls\.crt holds no certificate in PEM/u },
    {
      name: 'exchanged',
      damage: () => write({ certificate: first.key, key: first.certificate }),
      says: /tls\.crt holds no certificate in PEM/u,
    },
    {
      name: 'a certificate alone',
      damage: () => writeFile(keyFile, first.certificate),
      says: /tls\.key holds no private key in PEM/u,
    },
    {
      name: 'locked',
      damage: () => writeFile(keyFile, createPrivateKey(first.key).export(LOCKED)),
      says: /the key in .*tls\.key is encrypted: give one without a passphrase/u,
    },
  ];
  for (const { name, damage, says } of damages) {
    it(`keeps the last good one while the files are ${name}, and reports it once`, async () => {
      await owner.start(never());

      await damage();
      await until(() => events.some(({ reason }) => says.test(reason)), 'the report');
      const kept = owner.current()?.cert;
      await write(second);
      await until(() => owner.current()?.cert === second.certificate, 'the repair');

      assert.equal(kept, first.certificate);
      assert.ok(events.filter(({ reason }) => says.test(reason)).length <= 2);
      assert.doesNotMatch(JSON.stringify(events), /BEGIN|PRIVATE/u);
    });
    it(`does not start with files that are ${name}`, async () => {
      await damage();

      await assert.rejects(owner.start(never()), says);
      assert.equal(owner.current(), undefined);
    });
  }
});
