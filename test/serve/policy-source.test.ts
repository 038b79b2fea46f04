import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { createSecretReader } from '../../webhook/kube/secrets.ts';
import {
  followPolicyConfigMap,
  followPolicyFile,
  pathOfKey,
  readPolicyFile,
  type PolicyChange,
} from '../../webhook/policy-source.ts';
import { startFakeApi, type FakeApi } from '../kube/fake-api.ts';
import { until } from '../kube/until.ts';

const MAPS = '/api/v1/namespaces/pullguard/configmaps';

let folder = '';
let api: FakeApi;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pullguard-policy-'));
  api = await startFakeApi();
});
after(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Keeps what it is told, each as a word or two. */
function listener() {
  const heard: string[] = [];
  const changes: PolicyChange[] = [];
  return {
    heard,
    changes,
    onChange: (change: PolicyChange): void => {
      changes.push(change);
      heard.push(change.kind === 'accepted' ? `${change.policy.mode}, ${change.policy.nodes.settings}` : change.kind);
    },
  };
}

const put = (name: string, data: Readonly<Record<string, string>>): void => api.put(MAPS, { metadata: { name }, data });

function followMap(t: TestContext, name: string) {
  const own = listener();
  const connection = api.connect();
  const files = {
    api: connection,
    secrets: createSecretReader(connection, { ttlMs: 0, negativeTtlMs: 0 }),
    namespace: 'pullguard',
  };
  const source = followPolicyConfigMap(
    { namespace: 'pullguard', name },
    { files, onChange: own.onChange, refreshMs: 20 },
  );
  t.after(() => source.close());
  return { ...own, first: source.first };
}

describe('a policy in a file', () => {
  it('is followed, and a bad or missing one is told without ending anything', async (t) => {
    const path = write('followed.yaml', 'mode: warn\n');
    const { heard, changes, onChange } = listener();
    const source = followPolicyFile(path, { files: undefined, onChange, pollMs: 20 });
    t.after(() => source.close());
    await source.first;

    write('followed.yaml', 'mode: loud\n');
    await until(() => heard.length === 2, 'the bad policy');
    rmSync(path);
    await until(() => heard.length === 3, 'the missing file');
    write('followed.yaml', 'mode: enforce\n');
    await until(() => heard.includes('enforce, partial'), 'the good policy');

    assert.deepEqual(heard.slice(0, 3), ['warn, partial', 'refused', 'failed']);
    const [, refused] = changes;
    assert.deepEqual(refused?.kind === 'refused' && refused.mistakes, [
      `${path}:1: mode: expected observe, warn or enforce, found the text "loud"`,
    ]);
  });

  it('is not all that the nodes have where it names objects of a cluster and there is none', async (t) => {
    const path = write(
      'named.yaml',
      'nodes: { settings: complete, containerd: { certsDFrom: { configMap: hosts } } }\n',
    );
    const { heard, changes, onChange } = listener();
    const source = followPolicyFile(path, { files: undefined, onChange });
    t.after(() => source.close());
    await source.first;

    assert.deepEqual(heard, ['enforce, partial']);
    const [change] = changes;
    assert.deepEqual(change?.kind === 'accepted' && change.missing, [
      'nodes.containerd.certsDFrom: ConfigMap hosts is in a cluster, and there is none',
    ]);
  });

  it('is read once with every mistake, for the start', () => {
    const bad = readPolicyFile(write('bad.yaml', 'mod: warn\nmode: loud\n'));

    assert.equal(bad.ok ? 0 : bad.error.length, 2);
    assert.deepEqual(readPolicyFile('/nowhere.yaml'), {
      ok: false,
      error: ['/nowhere.yaml cannot be read: there is no such file or folder'],
    });
  });
});

describe('a policy in a ConfigMap', () => {
  it('is followed: absent, bad, without its key, good', async (t) => {
    const { heard, changes, first } = followMap(t, 'policy');
    await first;

    put('policy', { 'policy.yml': 'mode: warn' });
    await until(() => heard.length === 2, 'the wrong key');
    put('policy', { 'policy.yaml': 'mode: loud' });
    await until(() => heard.length === 3, 'the bad policy');
    put('policy', { 'policy.yaml': 'mode: warn' });
    await until(() => heard.length === 4, 'the good policy');

    assert.deepEqual(heard, ['absent', 'refused', 'refused', 'warn, partial']);
    assert.deepEqual(
      changes.flatMap((change) => (change.kind === 'refused' ? change.mistakes : [])),
      [
        'ConfigMap pullguard/policy: has no key policy.yaml, only policy.yml',
        'ConfigMap pullguard/policy policy.yaml:1: mode: expected observe, warn or enforce, found the text "loud"',
      ],
    );
  });

  it('comes with the files that it names, and again when they change; once read they stay when they are lost', async (t) => {
    put('hosts-of-nodes', { 'reg.test_5000___hosts.toml': 'first' });
    api.put('/api/v1/namespaces/pullguard/secrets', {
      metadata: { name: 'client' },
      data: { 'tls.key': Buffer.from('key').toString('base64') },
    });
    put('with-files', {
      'policy.yaml':
        'nodes: { settings: complete, containerd: { certsDFrom: { configMap: hosts-of-nodes }, clientCertificates: [{ path: /a/client.key, secret: client, key: tls.key }] } }',
    });
    const { heard, changes, first } = followMap(t, 'with-files');
    await first;

    put('hosts-of-nodes', { 'reg.test_5000___hosts.toml': 'second' });
    await until(() => heard.length === 2, 'the changed file');
    api.remove(MAPS, 'hosts-of-nodes');
    await until(() => heard.includes('failed'), 'the lost file');

    assert.deepEqual(heard.slice(0, 3), ['enforce, complete', 'enforce, complete', 'failed']);
    assert.deepEqual(
      changes.flatMap((change) => (change.kind === 'accepted' ? [change.files] : [])),
      ['first', 'second'].map((text) => ({ 'reg.test_5000_/hosts.toml': text, '/a/client.key': 'key' })),
    );
  });

  it('is taken as partial where a file that it names was never there', async (t) => {
    put('without-files', {
      'policy.yaml': 'nodes: { settings: complete, containerd: { certsDFrom: { configMap: none } } }',
    });
    const { heard, first } = followMap(t, 'without-files');
    await first;

    assert.deepEqual(heard, ['enforce, partial']);
  });
});

it('keys of a ConfigMap stand for paths', () => {
  assert.deepEqual(['reg.example__hosts.toml', 'reg.example_5000___ca.crt', 'hosts.toml'].map(pathOfKey), [
    'reg.example/hosts.toml',
    'reg.example_5000_/ca.crt',
    'hosts.toml',
  ]);
});
