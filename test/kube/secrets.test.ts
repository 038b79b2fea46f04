import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createSecretReader } from '../../webhook/kube/secrets.ts';
import { createServiceAccountReader } from '../../webhook/kube/service-accounts.ts';
import { startFakeApi, type Fault, type FakeApi } from './fake-api.ts';
import { until } from './until.ts';

const SECRETS = '/api/v1/namespaces/team-a/secrets';
const ACCOUNTS = '/api/v1/namespaces/team-a/serviceaccounts';
const never = (): AbortSignal => new AbortController().signal;
const encode = (text: string): string => Buffer.from(text).toString('base64');

let fake: FakeApi;
let time = 0;
const now = (): number => time;
before(async () => {
  fake = await startFakeApi();
});
after(() => fake.close());
beforeEach(() => {
  fake.failWith(() => undefined);
  const data = { '.dockerconfigjson': encode('{"auths":{}}') };
  fake.put(SECRETS, { metadata: { name: 'login' }, type: 'kubernetes.io/dockerconfigjson', data });
  fake.remove(SECRETS, 'later');
});
const asked = (): number => fake.requests.length;

describe('reading a Secret', () => {
  it('decodes its values', async () => {
    const read = await createSecretReader(fake.connect(), { now }).read('team-a', 'login', never());

    assert.deepEqual(read, {
      kind: 'found',
      secret: {
        name: 'login',
        namespace: 'team-a',
        type: 'kubernetes.io/dockerconfigjson',
        data: { '.dockerconfigjson': '{"auths":{}}' },
      },
    });
  });

  const failures: readonly { readonly fault: Fault; readonly kind: string; readonly reason?: RegExp }[] = [
    { fault: 404, kind: 'missing' },
    { fault: 403, kind: 'forbidden' },
    { fault: 401, kind: 'unavailable', reason: /credentials \(401\)$/u },
    { fault: 429, kind: 'unavailable', reason: /^answered 429$/u },
    { fault: 500, kind: 'unavailable', reason: /^answered 500$/u },
    { fault: 'reset', kind: 'unavailable', reason: /^could not be asked/u },
    { fault: 'hang', kind: 'unavailable', reason: /^did not answer in time$/u },
  ];
  for (const { fault, kind, reason } of failures) {
    it(`ends as ${kind} after ${JSON.stringify(fault)}, asks once and repeats no body`, async () => {
      const timeoutMs = (): number => (fault === 'hang' ? 100 : 20_000);
      const reader = createSecretReader(fake.connect(), { now, timeoutMs });
      const before = asked();
      fake.failWith(() => fault);

      const reads = [await reader.read('team-a', 'login', never()), await reader.read('team-a', 'login', never())];

      for (const read of reads) {
        assert.equal(read.kind, kind);
        assert.doesNotMatch(JSON.stringify(read), /taint/u);
        if (reason !== undefined) assert.match(read.kind === 'unavailable' ? read.reason : '', reason);
      }
      assert.equal(asked() - before, 1);
    });
  }
  it('keeps an answer for its time and then asks again', async () => {
    const reader = createSecretReader(fake.connect(), { now, ttlMs: 5_000, negativeTtlMs: 2_000 });
    const kinds: string[] = [];
    const look = async (): Promise<void> => {
      kinds.push((await reader.read('team-a', 'later', never())).kind);
    };

    await look();
    fake.put(SECRETS, { metadata: { name: 'later' }, data: {} });
    time += 1_999;
    await look();
    time += 1;
    await look();
    fake.remove(SECRETS, 'later');
    time += 4_999;
    await look();
    time += 1;
    await look();

    assert.deepEqual(kinds, ['missing', 'missing', 'found', 'found', 'missing']);
  });
  it('shares one call among concurrent reads', async () => {
    const reader = createSecretReader(fake.connect(), { now });
    const before = asked();

    const reads = await Promise.all(Array.from({ length: 20 }, () => reader.read('team-a', 'login', never())));

    assert.ok(reads.every(({ kind }) => kind === 'found'));
    assert.equal(asked() - before, 1);
  });
  it('leaves the others alone when the first caller gives up', async () => {
    const reader = createSecretReader(fake.connect(), { now, timeoutMs: 20_000 });
    const before = asked();
    const impatient = new AbortController();

    const first = reader.read('team-a', 'login', impatient.signal);
    const second = reader.read('team-a', 'login', never());
    impatient.abort();

    assert.deepEqual(await first, { kind: 'unavailable', reason: 'did not answer before the review had to end' });
    assert.equal((await second).kind, 'found');
    assert.equal(asked() - before, 1);
  });
  it('does not wait for a call that hangs once the caller gives up', async () => {
    const reader = createSecretReader(fake.connect(), { now, timeoutMs: 20_000 });
    fake.failWith(() => 'hang');
    const before = asked();

    const read = await reader.read('team-a', 'login', AbortSignal.timeout(50));

    assert.equal(read.kind, 'unavailable');
    // on a slow machine the call comes only now, and must not come into the next test
    await until(() => asked() > before, 'the call');
  });
  it('never asks for a name that no Secret can have', async () => {
    const reader = createSecretReader(fake.connect(), { now });
    const before = asked();
    const names = fc.oneof(fc.constantFrom('', '.', '..', '../pods', 'a/b', 'a?b', 'A', '%2e%2e', 'a\nb'), fc.string());

    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        fc.pre(!/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/u.test(name));
        assert.deepEqual(await reader.read('team-a', name, never()), { kind: 'missing' });
        assert.deepEqual(await reader.read(name, 'login', never()), { kind: 'missing' });
      }),
      { numRuns: 300 },
    );

    assert.equal(asked(), before);
  });
  it('asks by name with GET and for nothing else', async () => {
    const reader = createSecretReader(fake.connect(), { now });
    const before = asked();

    await reader.read('team-a', 'login', never());

    assert.deepEqual(
      fake.requests.slice(before).map(({ method, path, query }) => [method, path, query.size]),
      [['GET', `${SECRETS}/login`, 0]],
    );
  });
  it('does not keep a large Secret', async () => {
    fake.put(SECRETS, { metadata: { name: 'large' }, data: { a: encode('x'.repeat(100_000)) } });
    const reader = createSecretReader(fake.connect(), { now });
    const before = asked();

    await reader.read('team-a', 'large', never());
    await reader.read('team-a', 'large', never());

    assert.equal(asked() - before, 2);
  });
  it('refuses to keep Secrets longer than half a minute', () => {
    assert.throws(() => createSecretReader(fake.connect(), { ttlMs: 30_001 }), TypeError);
  });
});

describe('reading a ServiceAccount', () => {
  it('gives the names of its pull secrets in order, an empty one too', async () => {
    const imagePullSecrets = [{ name: 'b' }, { name: '' }, {}, { name: 'a' }];
    fake.put(ACCOUNTS, { metadata: { name: 'default' }, imagePullSecrets });

    const read = await createServiceAccountReader(fake.connect(), { now }).read('team-a', 'default', never());

    assert.deepEqual(read, { kind: 'found', imagePullSecrets: ['b', '', '', 'a'] });
  });
  it('tells a missing one from a forbidden one', async () => {
    const reader = createServiceAccountReader(fake.connect(), { now });

    const missing = await reader.read('team-a', 'nobody', never());
    fake.failWith(() => 403);
    const forbidden = await reader.read('team-a', 'somebody', never());

    assert.deepEqual([missing.kind, forbidden.kind], ['missing', 'forbidden']);
  });
});
