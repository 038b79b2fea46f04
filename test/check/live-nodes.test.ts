import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { runHere, type Run } from '../cli/run-here.ts';
import { startFakeApi, type FakeApi } from '../kube/fake-api.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { FULL_LIST, nodeObject, type NodeOptions } from './node-object.ts';

const NODES = '/api/v1/nodes';

let api: FakeApi;
let registry: ScriptedRegistry;
let host = '';
before(async () => {
  [api, registry] = await Promise.all([startFakeApi(), startScriptedRegistry()]);
  const app = registry.store.repository('app');
  app.addImage({ tags: ['1'] });
  const amd64 = { os: 'linux', architecture: 'amd64' };
  app.addIndex([{ ...app.addImage({ platform: amd64 }), platform: amd64 }], { tags: ['amd64'] });
  host = `reg.test:${registry.port}`;
});
after(() => Promise.all([api.close(), registry.close()]));
afterEach(() => {
  api.failWith(() => undefined);
  for (const name of ['node-0', 'node-1']) api.remove(NODES, name);
});

const putNodes = (nodes: readonly NodeOptions[]): void => {
  for (const [at, options] of nodes.entries()) {
    const images = options.images?.map((image) => image.replace('HOST', host)) ?? [];
    api.put(NODES, nodeObject(`node-${at}`, { ...options, images }));
  }
};
const putPolicy = (nodes: string): void =>
  api.put('/api/v1/namespaces/pullguard/configmaps', {
    metadata: { name: 'pullguard-policy' },
    data: {
      'policy.yaml': `nodes: { insecureRegistries: ['${host}'], credentialProviders: none, settings: complete${nodes} }`,
    },
  });

type Asked = { readonly tag: string; readonly policy?: string };
const check = ({ tag, policy = 'IfNotPresent' }: Asked, ...args: readonly string[]): Promise<Run> => {
  const container = { name: 'app', image: `${host}/app:${tag}`, imagePullPolicy: policy };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers: [container] } };
  const cluster = ['--kubeconfig', api.kubeconfig, '--add-host', 'reg.test:127.0.0.1'];
  return runHere(['check', ...cluster, '-o', 'json', '-f', '-', ...args], { stdin: JSON.stringify(pod) });
};
const verdictOf = ({ stdout }: Run): string => {
  const { results } = JSON.parse(stdout) as {
    readonly results: readonly { outcome: string; action: string; doubts: readonly string[] }[];
  };
  return results.map(({ outcome, action, doubts }) => [outcome, action, ...doubts].join(' ')).join();
};

describe('pullguard check with the Nodes of a cluster', () => {
  const gone: Asked = { tag: 'gone' };
  const never = { policy: 'Never' };
  const held: NodeOptions = { images: ['HOST/app:gone'] };
  const cases: readonly (readonly [what: string, asked: Asked, nodes: readonly NodeOptions[], verdict: string])[] = [
    ['denies what no Node holds', gone, [{}, {}], 'tag-not-found deny'],
    ['warns of what a Node holds', gone, [{}, held], 'tag-not-found warn image-is-present'],
    [
      'warns of what its kubelet may ask for again',
      gone,
      [{ ...held, kubelet: 'v1.35.0' }],
      'tag-not-found warn pull-records-unknown',
    ],
    ['denies where a list is full and does not show it', gone, [{ images: FULL_LIST }], 'tag-not-found deny'],
    ['denies where there is no Node', gone, [], 'tag-not-found deny'],
    ['denies with Always, whatever Nodes hold', { ...gone, policy: 'Always' }, [held], 'tag-not-found deny'],
    ['has nothing to say with Never of what a Node holds', { ...gone, ...never }, [held], 'not-checked allow'],
    ['warns with Never of what no Node holds', { tag: '1', ...never }, [{}], 'never-pull-absent warn'],
    [
      'only warns for the platform of another Node',
      { tag: 'amd64' },
      [{ architecture: 'arm64' }, {}],
      'platform-mismatch warn node-platforms',
    ],
    [
      'minds no Node that is cordoned',
      { tag: 'amd64' },
      [{ architecture: 'arm64', isCordoned: true }, {}],
      'pullable allow',
    ],
  ];
  for (const [what, asked, nodes, verdict] of cases) {
    it(what, async () => {
      putPolicy('');
      putNodes(nodes);

      const run = await check(asked);

      assert.deepEqual([run.stderr, verdictOf(run)], ['', verdict]);
    });
  }

  it('takes the runtime that they report', async () => {
    putPolicy('');
    putNodes([{ runtime: 'docker://28.5.2' }]);

    const run = await check({ tag: '1' }, '--certs-d', '/');

    assert.equal(
      run.stderr,
      'pullguard: --certs-d: docker, which the Nodes report, does not read it; add --runtime containerd\n',
    );
    assert.equal(run.code, 2);
  });

  it('goes before them by its flags', async () => {
    putPolicy(', platforms: { list: [linux/arm64], exhaustive: true }');
    putNodes([{}]);

    const [byPolicy, byFlag] = await Promise.all([
      check({ tag: 'amd64' }),
      check({ tag: 'amd64' }, '--platform', 'linux/amd64'),
    ]);

    assert.deepEqual([verdictOf(byPolicy), verdictOf(byFlag)], ['platform-mismatch deny', 'pullable allow']);
  });

  const unread: readonly (readonly [fault: 403 | 500, why: string])[] = [
    [403, 'may not be read ("list" on nodes is refused, 403)'],
    [500, 'could not be read (the API server answered 500)'],
  ];
  for (const [fault, why] of unread) {
    it(`judges as without them, and says so, where they ${why}`, async () => {
      putPolicy('');
      putNodes([{}]);
      api.failWith(({ path }) => (path === NODES ? fault : undefined));

      const run = await check(gone);

      assert.equal(
        run.stderr,
        `pullguard: the Nodes ${why}: --runtime and --platform say what they are, and what they hold is not known\n`,
      );
      assert.deepEqual([verdictOf(run), run.code], ['tag-not-found deny', 1]);
    });
  }
});
