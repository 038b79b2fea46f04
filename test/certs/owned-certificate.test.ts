import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { createMaterial, encodeMaterial, servingNames, type Material } from '../../certs/material.ts';
import { createServingCertificate, type OwnedCertificateOptions } from '../../certs/owned-certificate.ts';
import type { CertificateEvent, ServingCertificate } from '../../certs/serving-certificate.ts';
import { startFakeApi, type FakeApi } from '../kube/fake-api.ts';
import { handshake } from './handshake.ts';
import { until } from '../kube/until.ts';
import { createKeyRing } from './key-ring.ts';

const nextKeys = createKeyRing();
const SECRETS = '/api/v1/namespaces/system/secrets';
const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const NAME = 'pullguard.system.svc';
const DAY_MS = 86_400_000;
const never = (): AbortSignal => new AbortController().signal;

const service = (name: string): object => ({ service: { name, namespace: 'system', path: '/validate' } });

type Webhooks = readonly { readonly clientConfig: { readonly caBundle?: string } }[];

describe('the serving certificate of a cluster', () => {
  let fake: FakeApi;
  let owners: ServingCertificate[] = [];
  let events: CertificateEvent[] = [];
  let time = Date.now();
  let material: Material;
  before(async () => {
    fake = await startFakeApi();
    material = await createMaterial({
      names: servingNames('pullguard', 'system'),
      nowMs: Date.now(),
      makeKeys: nextKeys,
    });
  });
  after(() => fake.close());
  afterEach(async () => {
    await Promise.all(owners.map((owner) => owner.close()));
    owners = [];
    events = [];
    time = Date.now();
    fake.failWith(() => undefined);
    fake.remove(SECRETS, 'pullguard-tls');
    fake.remove(CONFIGURATIONS, 'pullguard');
  });
  const putConfiguration = (): void =>
    fake.put(CONFIGURATIONS, {
      metadata: { name: 'pullguard' },
      webhooks: [
        { name: 'images.pullguard.io', clientConfig: service('pullguard') },
        { name: 'foreign.example', clientConfig: { ...service('foreign'), caBundle: 'Zm9yZWlnbg==' } },
      ],
    });
  /** Spares a test the keys that it does not ask for. */
  const seed = (): void => {
    const data = Object.entries(encodeMaterial(material)).map(([key, text]) => [
      key,
      Buffer.from(text).toString('base64'),
    ]);
    fake.put(SECRETS, {
      metadata: { name: 'pullguard-tls' },
      type: 'kubernetes.io/tls',
      data: Object.fromEntries(data),
    });
  };
  const replica = (
    options: Partial<Pick<OwnedCertificateOptions, 'webhookConfiguration' | 'makeKeys'>> = { makeKeys: nextKeys },
  ): ServingCertificate => {
    const owner = createServingCertificate({
      api: fake.connect(),
      namespace: 'system',
      service: 'pullguard',
      secret: 'pullguard-tls',
      webhookConfiguration: 'pullguard',
      onEvent: (event) => events.push(event),
      now: () => time,
      checkEveryMs: 15,
      retryMs: 10,
      ...options,
    });
    owners.push(owner);
    return owner;
  };
  const caBundles = (): readonly string[] => {
    const webhooks = (fake.get(CONFIGURATIONS, 'pullguard')?.['webhooks'] ?? []) as Webhooks;
    return webhooks.map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString());
  };
  const connectTo = async (owner: ServingCertificate): Promise<string> => {
    const { cert, key } = owner.current() ?? {};
    return handshake({ cert, key }, { ca: caBundles()[0] ?? '', servername: NAME });
  };
  const reasons = (): readonly string[] => events.map(({ reason }) => reason);

  it('is made once by replicas that start together, and trusted by the webhook configuration', async () => {
    putConfiguration();
    const replicas = [replica(), replica(), replica()];

    const pairs = await Promise.all(replicas.map((one) => one.start(never())));

    assert.equal(new Set(pairs.map(({ cert }) => cert)).size, 1);
    await until(() => (caBundles()[0] ?? '') !== '', 'the bundle');
    assert.equal(await connectTo(replicas[0] ?? replica()), 'ok');
    assert.equal(caBundles()[1], 'foreign', 'a webhook of others is left alone');
  });
  it('has the type of a TLS Secret and the keys that others expect', async () => {
    putConfiguration();
    // with keys of its own making
    await replica({}).start(never());

    const secret = fake.get(SECRETS, 'pullguard-tls');
    const data = new Map(Object.entries(secret?.['data'] ?? {}));

    assert.equal(secret?.['type'], 'kubernetes.io/tls');
    assert.deepEqual([...data.keys()].sort(), ['ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
    assert.notEqual(data.get('ca.key'), data.get('tls.key'));
  });
  it('is taken over by a replica that starts later', async () => {
    seed();
    putConfiguration();
    const first = await replica().start(never());

    const second = await replica().start(never());

    assert.equal(second.cert, first.cert);
    assert.equal(second.expiresAtMs, first.expiresAtMs);
  });
  it('is renewed when two thirds of its life are over, and announced', async () => {
    seed();
    putConfiguration();
    const [one, two] = [replica(), replica()];
    const announced: string[] = [];
    one.onChange(({ cert }) => announced.push(cert));
    const first = await one.start(never());
    await two.start(never());

    time += 61 * DAY_MS;
    await until(() => one.current()?.cert !== first.cert && one.current()?.cert === two.current()?.cert, 'the renewal');

    assert.deepEqual(announced, [first.cert, one.current()?.cert]);
    assert.equal(events.filter(({ reason }) => reason.startsWith('renew-leaf')).length, 1);
  });
  it('moves to a new authority in two steps, trusted at each', async () => {
    // the handshakes below live in the present
    time -= 244 * DAY_MS + 20 * 60_000;
    putConfiguration();
    const owner = replica();
    await owner.start(never());
    const old = caBundles()[0] ?? '';

    time += 244 * DAY_MS;
    await until(() => reasons().some((reason) => reason.startsWith('introduce-authority')), 'the introduction');
    await until(() => (caBundles()[0] ?? '').length > old.length * 1.5, 'both in the bundle');
    const between = await connectTo(owner);
    time += 11 * 60_000;
    await until(() => reasons().some((reason) => reason.startsWith('adopt-authority')), 'the adoption');
    const adopted = await connectTo(owner);
    const bundle = caBundles()[0] ?? '';
    time += 2 * DAY_MS;
    await until(() => !(caBundles()[0] ?? '').includes(old.trim()), 'the end of the old one');

    assert.deepEqual([between, adopted, await connectTo(owner)], ['ok', 'ok', 'ok']);
    assert.ok(bundle.includes(old.trim()));
  });
  it('is put back into the configuration when somebody takes it out', async () => {
    seed();
    putConfiguration();
    const owner = replica();
    await owner.start(never());

    putConfiguration();
    await until(() => (caBundles()[0] ?? '') !== '', 'the repair');

    assert.equal(await connectTo(owner), 'ok');
  });
  it('survives the loss of its Secret without a new authority', async () => {
    seed();
    putConfiguration();
    const owner = replica();
    const first = await owner.start(never());

    fake.remove(SECRETS, 'pullguard-tls');
    await until(() => fake.get(SECRETS, 'pullguard-tls') !== undefined, 'the Secret');

    assert.equal((await replica().start(never())).cert, first.cert);
  });
  it('replaces a Secret that cannot be used, and says why', async () => {
    putConfiguration();
    fake.put(SECRETS, { metadata: { name: 'pullguard-tls' }, type: 'Opaque', data: { 'tls.crt': '', 'tls.key': '' } });

    await replica().start(never());

    assert.ok(reasons().includes('the Secret was unusable: ca.crt holds no certificate'));
    assert.equal(fake.get(SECRETS, 'pullguard-tls')?.['type'], 'Opaque', 'a type cannot be changed');
  });
  it('waits for an API server that fails, and stays with what it has later', async () => {
    putConfiguration();
    fake.failWith(({ path }) => (path.startsWith(SECRETS) ? 403 : undefined));
    const owner = replica();
    const starting = owner.start(never());
    await until(() => events.length > 1, 'two refusals');
    const early = owner.current();
    fake.failWith(() => undefined);
    const first = await starting;
    fake.failWith(() => 'reset');
    events = [];
    await until(() => events.length > 1, 'two failures');

    assert.equal(early, undefined);
    assert.equal(owner.current()?.cert, first.cert);
    assert.match(reasons()[0] ?? '', /^Secret system\/pullguard-tls: the API server could not be asked/u);
  });
  it('serves without a webhook configuration, and sees to it as soon as there is one', async () => {
    seed();
    const owner = replica();
    await owner.start(never());
    await until(() => events.some(({ kind }) => kind === 'failed'), 'the report');

    putConfiguration();
    await until(() => (caBundles()[0] ?? '') !== '', 'the bundle');

    assert.match(reasons().find((reason) => reason.startsWith('caBundle')) ?? '', /has no such object \(404\)$/u);
    assert.equal(await connectTo(owner), 'ok');
  });
  it('leaves the configuration to others where it is told to', async () => {
    putConfiguration();
    seed();
    const before = fake.requests.length;
    const owner = replica({ webhookConfiguration: undefined });
    await owner.start(never());
    const read = (): number => fake.requests.slice(before).filter(({ path }) => path.startsWith(SECRETS)).length;
    await until(() => read() > 2, 'three looks');

    assert.ok(!fake.requests.slice(before).some(({ path }) => path.startsWith(CONFIGURATIONS)));
  });
  it('gives up its start when it is told to', async () => {
    fake.failWith(() => 500);
    const owner = replica();

    await assert.rejects(owner.start(AbortSignal.timeout(50)), { name: 'TimeoutError' });
  });
  it('tells no key to anybody', async () => {
    seed();
    putConfiguration();
    await replica().start(never());

    assert.doesNotMatch(JSON.stringify(events), /PRIVATE|BEGIN/u);
    assert.ok(caBundles().every((bundle) => !bundle.includes('PRIVATE')));
  });
});
