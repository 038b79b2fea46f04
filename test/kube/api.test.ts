import assert from 'node:assert/strict';
import { writeFile, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { createKubeApi } from '../../webhook/kube/api.ts';
import { readConfigMap } from '../../webhook/kube/config-map-watch.ts';
import { readApiFailure } from '../../webhook/kube/failure.ts';
import { startFakeApi, TOKEN, type FakeApi } from './fake-api.ts';

const SECRETS = '/api/v1/namespaces/team-a/secrets';
const TIMEOUT_MS = 20_000;

describe('the way to the API server', () => {
  let fake: FakeApi;
  before(async () => {
    fake = await startFakeApi();
    fake.put(SECRETS, { metadata: { name: 'login' }, data: {} });
  });
  after(() => fake.close());

  it('keeps its connections for later calls', async () => {
    const core = fake.connect().core(TIMEOUT_MS);
    const opened = fake.connections();

    for (let call = 0; call < 20; call += 1) await core.readNamespacedSecret({ namespace: 'team-a', name: 'login' });

    assert.ok(fake.connections() - opened <= 2);
  });
  it('limits the connections of concurrent calls', async () => {
    const core = fake.connect().core(TIMEOUT_MS);
    const opened = fake.connections();

    const calls = Array.from({ length: 40 }, () => core.readNamespacedSecret({ namespace: 'team-a', name: 'login' }));
    await Promise.all(calls);

    assert.ok(fake.connections() - opened <= 8);
  });
  it('sends the token and ends a call at its deadline', async () => {
    const core = fake.connect().core(50);
    fake.failWith(() => 'hang');

    const failure = await core.readNamespacedSecret({ namespace: 'team-a', name: 'login' }).catch(readApiFailure);
    fake.failWith(() => undefined);

    assert.deepEqual(failure, { kind: 'unavailable', reason: 'did not answer in time' });
    assert.equal(fake.requests.at(-1)?.authorization, `Bearer ${TOKEN}`);
  });
  it('follows no redirect to another host', async () => {
    const elsewhere = await startFakeApi();
    const target = JSON.parse(await readFile(elsewhere.kubeconfig, 'utf8')) as {
      readonly clusters: readonly [{ readonly cluster: { readonly server: string } }];
    };
    const { server } = target.clusters[0].cluster;
    fake.failWith(() => ({ redirectTo: `${server}${SECRETS}/login` }));

    const read = fake.connect().core(TIMEOUT_MS).readNamespacedSecret({ namespace: 'team-a', name: 'login' });
    await assert.rejects(read);
    fake.failWith(() => undefined);

    assert.equal(elsewhere.connections(), 0);
    await elsewhere.close();
  });
  it('takes the current context, or the one that is named', () => {
    const current = createKubeApi({ from: 'file', file: fake.kubeconfig });
    const other = createKubeApi({ from: 'file', file: fake.kubeconfig, context: 'other' });

    assert.deepEqual([current.namespace, other.namespace], ['team-a', 'team-b']);
    assert.match(current.server, /^https:\/\/127\.0\.0\.1:\d+$/u);
  });

  const mistakes: readonly { readonly name: string; readonly text: string; readonly says: RegExp }[] = [
    { name: 'no YAML', text: 'users:\n{', says: /cannot be read as a kubeconfig: on line 2 it is no sound YAML$/u },
    {
      name: 'no address of its cluster',
      text: 'clusters: [{ name: a, cluster: {} }]\ncontexts: []\nusers: []\n',
      says: /cannot be read as a kubeconfig: clusters\[0\]\.cluster\.server is missing$/u,
    },
    { name: 'no cluster', text: 'current-context: a', says: /names no cluster|cannot be read/u },
    {
      name: 'an address without TLS',
      text: JSON.stringify({
        'current-context': 'a',
        clusters: [{ name: 'a', cluster: { server: 'http://10.0.0.1:8080' } }],
        users: [{ name: 'a', user: {} }],
        contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
      }),
      says: /by https only/u,
    },
  ];
  for (const { name, text, says } of mistakes) {
    it(`refuses a kubeconfig with ${name}`, async () => {
      const file = `${fake.kubeconfig}-bad`;
      await writeFile(file, text);

      assert.throws(() => createKubeApi({ from: 'file', file }), says);
    });
  }
  it('refuses a context that is not there, and names those that are', () => {
    const source = { from: 'file', file: fake.kubeconfig, context: 'none' } as const;

    assert.throws(() => createKubeApi(source), /no context "none"; it has: fake, other/u);
  });
  it('finds the kubeconfig that kubectl would find, and says where there is none', (context) => {
    const { HOME, KUBECONFIG } = process.env;
    context.after(() => Object.assign(process.env, { HOME, KUBECONFIG }));
    Object.assign(process.env, { HOME: '/nowhere', KUBECONFIG: fake.kubeconfig });
    const found = createKubeApi({ from: 'default' });
    process.env['KUBECONFIG'] = '';

    assert.equal(found.namespace, 'team-a');
    for (const from of [{ from: 'default' }, { from: 'default', context: 'other' }] as const) {
      assert.throws(() => createKubeApi(from), /^Error: there is no kubeconfig: name one with --kubeconfig/u);
    }
  });
  it('refuses a file that is not there', () => {
    const file = '/nowhere/config';

    assert.throws(() => createKubeApi({ from: 'file', file }), {
      message: '/nowhere/config cannot be read as a kubeconfig: there is no such file or folder',
    });
    assert.throws(() => createKubeApi({ from: 'file', file: tmpdir() }), /as a kubeconfig: it is a folder$/u);
  });

  const faults: readonly (readonly [what: string, cluster: object, user: object, reason: string])[] = [
    [
      'a file of authorities that is not there',
      { 'certificate-authority': '/nowhere/ca.crt' },
      {},
      'could not be asked: the file /nowhere/ca.crt that the kubeconfig names cannot be read (ENOENT)',
    ],
    [
      'a command for logins that is not there',
      {},
      { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/nowhere/login' } },
      'could not be asked: the command /nowhere/login that the kubeconfig names cannot be run (ENOENT)',
    ],
  ];
  for (const [what, cluster, user, reason] of faults) {
    it(`names ${what}`, async () => {
      const file = `${fake.kubeconfig}-fault`;
      const text = {
        'current-context': 'a',
        clusters: [{ name: 'a', cluster: { server: 'https://127.0.0.1:6443', ...cluster } }],
        users: [{ name: 'a', user }],
        contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
      };
      await writeFile(file, JSON.stringify(text));
      const api = createKubeApi({ from: 'file', file });

      const read = await readConfigMap(api, 'pullguard', 'policy');
      await api.close();

      assert.deepEqual(read, { kind: 'unavailable', reason });
    });
  }
});
