import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { basicAuth } from '../../webhook/demo/registry.ts';
import { runHere, type Run } from '../cli/run-here.ts';
import { startFakeApi, type FakeApi } from '../kube/fake-api.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';

const LOGIN = { username: 'ci', password: 'taint-password' };
const POLICIES = '/api/v1/namespaces/pullguard/configmaps';

let api: FakeApi;
let registry: ScriptedRegistry;
let host = '';
before(async () => {
  [api, registry] = await Promise.all([
    startFakeApi(),
    startScriptedRegistry({ auth: basicAuth({ [LOGIN.username]: LOGIN.password }) }),
  ]);
  registry.store.repository('app').addImage({ tags: ['1'] });
  host = `reg.test:${registry.port}`;
});
after(() => Promise.all([api.close(), registry.close()]));
const policy = (text: string): void =>
  api.put(POLICIES, { metadata: { name: 'pullguard-policy' }, data: { 'policy.yaml': text } });

const check = (...args: readonly string[]): Promise<Run> =>
  runHere(['check', '--kubeconfig', api.kubeconfig, '--add-host', 'reg.test:127.0.0.1', '-o', 'json', ...args]);

const outcomesOf = ({ stdout }: Run): readonly string[] =>
  (JSON.parse(stdout) as { readonly results: readonly { outcome: string; action: string }[] }).results.map(
    ({ outcome, action }) => `${outcome} ${action}`,
  );

describe('pullguard check --kubeconfig', () => {
  beforeEach(() => {
    api.failWith(() => undefined);
    api.remove(POLICIES, 'pullguard-policy');
    for (const namespace of ['team-a', 'team-b']) {
      const path = `/api/v1/namespaces/${namespace}`;
      api.put(`${path}/serviceaccounts`, { metadata: { name: 'default' }, imagePullSecrets: [{ name: 'pull' }] });
    }
    api.put('/api/v1/namespaces/team-a/secrets', {
      metadata: { name: 'pull' },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: { [host]: LOGIN } })).toString('base64') },
    });
  });

  it('judges by the ServiceAccount, the Secrets and the policy of the cluster, in the namespace of the context', async () => {
    policy('nodes: { settings: complete, containerd: { certsDFrom: { configMap: hosts } } }');
    const key = `reg.test_${registry.port}___hosts.toml`;
    api.put(POLICIES, { metadata: { name: 'hosts' }, data: { [key]: `server = "http://${host}"\n[host]\n` } });

    const run = await check(`${host}/app:1`);

    assert.equal(run.stderr, '');
    assert.deepEqual(outcomesOf(run), ['pullable allow']);
    assert.ok(api.requests.every(({ method }) => method === 'GET'));
  });

  it('takes the Secrets of the manifests before those of the cluster, and another context by name', async () => {
    policy(`nodes: { insecureRegistries: ['${host}'], credentialProviders: none }`);

    const [own, other] = await Promise.all([check(`${host}/app:1`), check('--context', 'other', `${host}/app:1`)]);

    assert.deepEqual(outcomesOf(own), ['pullable allow']);
    assert.deepEqual(outcomesOf(other), ['access-denied deny']);
  });

  it('takes the declared files for all only where they could be read', async () => {
    policy('nodes: { settings: complete, containerd: { certsDFrom: { configMap: nowhere } } }');

    const run = await check(`${host}/app:1`);

    assert.equal(
      run.stderr,
      "pullguard: not at hand: nodes.containerd.certsDFrom: ConfigMap nowhere: the API server has no such object (404); what hangs on the nodes' files is no proof then\n",
    );
    assert.deepEqual(outcomesOf(run), ['http-not-declared warn']);
  });

  const notices: readonly (readonly [what: string, arrange: () => void, notice: string])[] = [
    ['is not there', () => undefined, 'is not there'],
    ['has mistakes', () => policy('mode: loud'), 'has mistakes'],
    [
      'may not be read',
      () => api.failWith(({ path }) => (path.includes('configmaps') ? 403 : undefined)),
      'may not be read',
    ],
  ];
  for (const [what, arrange, notice] of notices) {
    it(`says that the defaults hold where the policy ${what}`, async () => {
      arrange();

      const run = await check('Nginx');

      assert.equal(
        run.stderr,
        `pullguard: ConfigMap pullguard/pullguard-policy ${notice}: the defaults of "check" hold\n`,
      );
      assert.equal(run.code, 1);
    });
  }

  it('names a cluster that does not answer, and a context that does not exist, and ends with 2', async () => {
    api.failWith(() => 500);

    const [broken, unknown] = await Promise.all([check('Nginx'), check('--context', 'nowhere', 'Nginx')]);

    assert.match(broken.stderr, /^pullguard: the cluster at https:\/\/127\.0\.0\.1:\d+ answered 500\n$/u);
    assert.equal(unknown.stderr, 'pullguard: the kubeconfig has no context "nowhere"; it has: fake, other\n');
    assert.deepEqual([broken.code, unknown.code], [2, 2]);
  });
});
