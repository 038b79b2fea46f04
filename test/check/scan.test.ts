import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { basicAuth } from '../../webhook/demo/registry.ts';
import { runHere, type Run, type Surroundings } from '../cli/run-here.ts';
import { startFakeApi, type ApiObject, type FakeApi } from '../kube/fake-api.ts';
import { holdsSecret } from '../support/request-log.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { FULL_LIST, nodeObject, type NodeOptions } from './node-object.ts';

const PASSWORD = 'taint-password';
const CORE = '/api/v1';
const APPS = '/apis/apps/v1';
const BATCH = '/apis/batch/v1';

let api: FakeApi;
let registry: ScriptedRegistry;
let closed: ScriptedRegistry;
let host = '';
let closedHost = '';
before(async () => {
  [api, registry, closed] = await Promise.all([
    startFakeApi(),
    startScriptedRegistry(),
    startScriptedRegistry({ auth: basicAuth({ ci: PASSWORD }) }),
  ]);
  host = `reg.test:${registry.port}`;
  closedHost = `reg.test:${closed.port}`;
  const app = registry.store.repository('app');
  app.addImage({ tags: ['1'] });
  const altered = app.addImage({ tags: ['altered'], layers: [{ 'etc/name': 'altered' }] });
  registry.store.damage(altered.layers[0]?.digest ?? altered.digest, 'flipped');
  closed.store.repository('app').addImage({ tags: ['1'] });
});
after(() => Promise.all([api.close(), registry.close(), closed.close()]));
const written: (readonly [collection: string, name: string])[] = [];
afterEach(() => {
  api.failWith(() => undefined);
  for (const [collection, name] of written.splice(0)) api.remove(collection, name);
  registry.log.clear();
});

const put = (collection: string, object: ApiObject): void => {
  api.put(collection, object);
  written.push([collection, object.metadata.name]);
};
beforeEach(() => put(`${CORE}/namespaces/shop/serviceaccounts`, { metadata: { name: 'default' } }));
const putPolicy = (more = ''): void =>
  put(`${CORE}/namespaces/pullguard/configmaps`, {
    metadata: { name: 'pullguard-policy' },
    data: {
      'policy.yaml': `nodes: { insecureRegistries: ['${host}', '${closedHost}'], credentialProviders: none, settings: complete }\n${more}`,
    },
  });
const putNode = (options: NodeOptions = {}): void => put(`${CORE}/nodes`, nodeObject('node', options));

type Spec = { readonly image?: string; readonly policy?: string; readonly [key: string]: unknown };
const podSpec = ({ image = `${host}/app:1`, policy = 'IfNotPresent', ...more }: Spec = {}) => ({
  containers: [{ name: 'app', image, imagePullPolicy: policy }],
  ...more,
});
const template = (spec: Spec = {}): object => ({ template: { spec: podSpec(spec) } });
/** As the API gives it in a list: without a kind of its own. */
const object = (
  name: string,
  spec: object,
  more: { readonly meta?: object; readonly status?: object } = {},
): ApiObject => ({
  metadata: { name, namespace: 'shop', managedFields: [{ manager: 'kubectl' }], ...more.meta },
  spec,
  status: more.status ?? {},
});
const ownedBy = (apiVersion: string, kind: string, name = 'owner') => ({
  ownerReferences: [{ apiVersion, kind, name, uid: `uid-${name}`, controller: true }],
});
const shop = (root: string, plural: string): string => `${root}/namespaces/shop/${plural}`;
const deploy = (name: string, spec: Spec = {}): void => put(shop(APPS, 'deployments'), object(name, template(spec)));

const scan = (args: readonly string[] = [], around: Surroundings = {}): Promise<Run> =>
  runHere(['scan', '--kubeconfig', api.kubeconfig, '--add-host', 'reg.test:127.0.0.1', ...args], around);
type Result = {
  readonly object: string;
  readonly outcome: string;
  readonly action: string;
  readonly doubts: readonly string[];
  readonly message: string;
};
const resultsOf = ({ stdout }: Run): readonly Result[] =>
  (JSON.parse(stdout) as { readonly results: readonly Result[] }).results;
const verdictsOf = (run: Run): readonly string[] =>
  resultsOf(run).map(({ object: of, outcome, action, doubts }) => [of, outcome, action, ...doubts].join(' '));
const scanned = async (...args: readonly string[]): Promise<readonly string[]> =>
  resultsOf(await scan([...args, '-o', 'json'])).map((one) => one.object);

describe('what pullguard scan judges', () => {
  const kinds: readonly (readonly [kind: string, collection: string, specOf: () => object])[] = [
    ['CronJob', shop(BATCH, 'cronjobs'), () => ({ jobTemplate: { spec: template() } })],
    ['Deployment', shop(APPS, 'deployments'), template],
    ['StatefulSet', shop(APPS, 'statefulsets'), template],
    ['DaemonSet', shop(APPS, 'daemonsets'), template],
    ['ReplicationController', shop(CORE, 'replicationcontrollers'), template],
    ['ReplicaSet', shop(APPS, 'replicasets'), template],
    ['Job', shop(BATCH, 'jobs'), template],
    ['Pod', shop(CORE, 'pods'), podSpec],
  ];
  for (const [kind, collection, specOf] of kinds) {
    it(`a ${kind} that nobody made`, async () => {
      putPolicy();
      put(collection, object('one', specOf()));

      const run = await scan(['-o', 'json']);

      assert.deepEqual([run.code, run.stderr, verdictsOf(run)], [0, '', [`${kind}/shop/one pullable allow`]]);
    });
  }

  it('whoever speaks for many, once: not what a kind made that is judged itself', async () => {
    putPolicy();
    deploy('web');
    put(shop(APPS, 'replicasets'), object('web-1', template(), { meta: ownedBy('apps/v1', 'Deployment') }));
    put(shop(CORE, 'pods'), object('web-1-a', podSpec(), { meta: ownedBy('apps/v1', 'ReplicaSet') }));
    put(shop(BATCH, 'jobs'), object('nightly-1', template(), { meta: ownedBy('batch/v1', 'CronJob') }));
    // of another group: nobody judges a Job of volcano
    put(shop(CORE, 'pods'), object('volcano-1', podSpec(), { meta: ownedBy('batch.volcano.sh/v1alpha1', 'Job') }));
    put(shop(CORE, 'pods'), object('volcano-2', podSpec(), { meta: ownedBy('batch.volcano.sh/v1alpha1', 'Job') }));
    const other = podSpec({ image: `${host}/app:2` });
    put(shop(CORE, 'pods'), object('volcano-3', other, { meta: ownedBy('batch.volcano.sh/v1alpha1', 'Job') }));
    const rollout = ownedBy('argoproj.io/v1alpha1', 'Rollout');
    put(shop(APPS, 'replicasets'), object('now', { replicas: 3, ...template() }, { meta: rollout }));
    put(shop(APPS, 'replicasets'), object('before', { replicas: 0, ...template() }, { meta: rollout }));

    const run = await scan(['-o', 'json']);

    assert.deepEqual(verdictsOf(run), [
      'Deployment/shop/web pullable allow',
      'ReplicaSet/shop/now pullable allow',
      'Pod/shop/volcano-1 pullable allow',
      // as at admission: nobody made this Pod who could mend it
      'Pod/shop/volcano-3 tag-not-found warn image-may-be-present',
    ]);
    assert.equal(run.code, 0);
  });

  it('nothing that has ended or is on its way out', async () => {
    const ended = { conditions: [{ type: 'Complete', status: 'True' }] };
    const running = { conditions: [{ type: 'Suspended', status: 'False' }] };
    put(shop(BATCH, 'jobs'), object('ended', template(), { status: ended }));
    put(shop(BATCH, 'jobs'), object('running', template(), { status: running }));
    put(shop(CORE, 'pods'), object('done', podSpec(), { status: { phase: 'Succeeded' } }));
    put(shop(CORE, 'pods'), object('runs', podSpec(), { status: { phase: 'Running' } }));
    const leaving = { meta: { deletionTimestamp: '2026-11-22T00:00:00Z' } };
    put(shop(APPS, 'deployments'), object('leaving', template(), leaving));

    assert.deepEqual(await scanned(), ['Job/shop/running', 'Pod/shop/runs']);
    const selectors = api.requests.map(({ query }) => query.get('fieldSelector')).filter((one) => one !== null);
    assert.deepEqual([...new Set(selectors)], ['status.phase!=Succeeded,status.phase!=Failed']);
  });

  it('all namespaces in their order, or those that are named', async () => {
    for (const namespace of ['shop', 'bank', 'mill']) {
      const meta = { name: 'web', namespace };
      put(`${APPS}/namespaces/${namespace}/deployments`, { metadata: meta, spec: template() });
    }

    assert.deepEqual(await scanned(), ['Deployment/bank/web', 'Deployment/mill/web', 'Deployment/shop/web']);
    assert.deepEqual(await scanned('-A'), await scanned());
    assert.deepEqual(await scanned('-n', 'shop', '-n', 'bank'), ['Deployment/bank/web', 'Deployment/shop/web']);
  });

  it('says that a namespace has nothing, which may be a slip of the pen', async () => {
    const run = await scan(['-n', 'shpo', '--policy', '/dev/null']);

    assert.deepEqual(
      [run.code, run.stdout, run.stderr],
      [0, 'no images\n', 'pullguard: in namespace shpo there is no Pod and nothing that makes one\n'],
    );
  });

  it('leaves out what the policy exempts, without a request', async () => {
    putPolicy('exempt: { namespaces: [shop] }');
    deploy('web');

    const run = await scan(['-o', 'json']);

    assert.deepEqual(verdictsOf(run), ['Deployment/shop/web not-checked allow']);
    assert.deepEqual(registry.log.lines(), []);
  });
});

describe('whose word counts in pullguard scan', () => {
  it("the Pod's own list, and for what makes Pods the ServiceAccount's; read by name alone", async () => {
    putPolicy();
    const logins = JSON.stringify({ auths: { [closedHost]: { username: 'ci', password: PASSWORD } } });
    put(shop(CORE, 'secrets'), {
      metadata: { name: 'pull' },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(logins).toString('base64') },
    });
    put(shop(CORE, 'serviceaccounts'), { metadata: { name: 'default' }, imagePullSecrets: [{ name: 'pull' }] });
    const image = `${closedHost}/app:1`;
    deploy('by-account', { image });
    put(shop(CORE, 'pods'), object('own', podSpec({ image, imagePullSecrets: [{ name: 'pull' }] })));
    // its account got the secret later: the kubelet does not look there
    put(shop(CORE, 'pods'), object('older', podSpec({ image, policy: 'Always' })));
    const before = api.requests.length;

    const run = await scan(['-o', 'json']);

    assert.deepEqual(verdictsOf(run), [
      'Deployment/shop/by-account pullable allow',
      'Pod/shop/own pullable allow',
      'Pod/shop/older access-denied deny',
    ]);
    assert.ok(!holdsSecret(run.stdout + run.stderr, PASSWORD));
    const asked = api.requests.slice(before);
    assert.deepEqual([...new Set(asked.map(({ method }) => method))], ['GET']);
    assert.deepEqual(
      asked.map(({ path }) => path).filter((path) => /secrets|serviceaccounts/u.test(path)),
      [`${shop(CORE, 'serviceaccounts')}/default`, `${shop(CORE, 'secrets')}/pull`],
    );
  });

  it('without a policy that of `serve`: nodes may have settings and logins that nobody declared', async () => {
    deploy('web', { image: `${closedHost}/app:1`, policy: 'Always' });
    putNode();

    const [open, strict] = await Promise.all([
      scan(['-o', 'json']),
      scan(['-o', 'json', '--nodes', 'complete', '--credential-providers', 'none']),
    ]);

    assert.equal(
      open.stderr,
      'pullguard: ConfigMap pullguard/pullguard-policy is not there: the defaults of "scan" hold\n',
    );
    assert.deepEqual(verdictsOf(open), ['Deployment/shop/web http-not-declared warn node-settings']);
    assert.deepEqual(verdictsOf(strict), ['Deployment/shop/web http-not-declared deny']);
  });

  const gone = { image: 'HOST/app:gone' };
  const started = { containerStatuses: [{ name: 'app', imageID: 'HOST/app@sha256:0' }] };
  const waiting = { containerStatuses: [{ name: 'app', imageID: '', state: { waiting: { reason: 'ErrImagePull' } } }] };
  const presence: readonly (readonly [what: string, node: NodeOptions | undefined, status: object, verdict: string])[] =
    [
      ['no Node holds it: proven', {}, waiting, 'tag-not-found deny'],
      [
        'a Node lists it: it still runs there',
        { images: ['HOST/app:gone'] },
        {},
        'tag-not-found warn image-is-present',
      ],
      ['a Pod runs it, whatever Nodes list', {}, started, 'tag-not-found warn image-is-present'],
      [
        'a Pod runs it on a Node with a full list',
        { images: FULL_LIST },
        started,
        'tag-not-found warn image-is-present',
      ],
      [
        'a Pod runs it, and the kubelet may ask again',
        { images: FULL_LIST, kubelet: 'v1.36.0' },
        started,
        'tag-not-found warn pull-records-unknown',
      ],
      ['a list is full', { images: FULL_LIST }, waiting, 'tag-not-found warn image-may-be-present'],
      ['there is no Node', undefined, waiting, 'tag-not-found warn image-may-be-present'],
    ];
  for (const [what, node, status, verdict] of presence) {
    it(`of an image that is gone from the registry, where ${what}`, async () => {
      putPolicy();
      const filledIn = JSON.parse(JSON.stringify({ gone, node, status }).replaceAll('HOST', host)) as {
        readonly gone: Spec;
        readonly node?: NodeOptions;
        readonly status: object;
      };
      deploy('web', filledIn.gone);
      const meta = ownedBy('apps/v1', 'Deployment');
      put(shop(CORE, 'pods'), object('web-1', podSpec(filledIn.gone), { meta, status: filledIn.status }));
      if (filledIn.node !== undefined) putNode(filledIn.node);

      const run = await scan(['-o', 'json']);

      assert.deepEqual(verdictsOf(run), [`Deployment/shop/web ${verdict}`]);
      assert.equal(run.code, verdict.includes('deny') ? 1 : 0);
    });
  }

  it('not that of a Node alone where Pods could not be read', async () => {
    putPolicy();
    putNode();
    deploy('web', { image: `${host}/app:gone` });
    api.failWith(({ path }) => (path.endsWith('/pods') ? 403 : undefined));

    const run = await scan(['-o', 'json']);

    assert.deepEqual(verdictsOf(run), ['Deployment/shop/web tag-not-found warn image-may-be-present']);
  });
});

describe('what pullguard scan may not or cannot read', () => {
  it('is said with kind, place and right, and the rest is judged', async () => {
    putPolicy();
    deploy('web');
    put(shop(APPS, 'replicasets'), object('web-1', template(), { meta: ownedBy('apps/v1', 'Deployment') }));
    api.failWith(({ path }) => (/deployments|cronjobs/u.test(path) ? 403 : undefined));

    const [all, one] = await Promise.all([scan(['-o', 'json']), scan(['-o', 'json', '-n', 'shop'])]);

    // the ReplicaSet speaks for the Deployment that may not be seen
    assert.deepEqual([verdictsOf(all), all.code], [['ReplicaSet/shop/web-1 pullable allow'], 0]);
    assert.equal(
      all.stderr,
      'pullguard: in all namespaces not read: CronJob, Deployment (403, the right to "list" cronjobs.batch, deployments.apps is missing; a right in one namespace is enough with -n)\n',
    );
    assert.equal(
      one.stderr,
      'pullguard: in namespace shop not read: CronJob, Deployment (403, the right to "list" cronjobs.batch, deployments.apps is missing)\n',
    );
  });

  it('ends with 2 where it failed, and what was read is judged', async () => {
    putPolicy();
    deploy('web');
    api.failWith(({ path }) => (path.includes('/jobs') ? 500 : undefined));

    const run = await scan(['-o', 'json']);

    assert.deepEqual([verdictsOf(run), run.code], [['Deployment/shop/web pullable allow'], 2]);
    assert.equal(run.stderr, 'pullguard: in all namespaces not read: Job (the API server answered 500)\n');
  });

  it('ends with 2 where it is everything', async () => {
    putPolicy();
    api.failWith(({ path }) => (/\/v1\/(?!namespaces|nodes)/u.test(path) ? 403 : undefined));

    const run = await scan();

    assert.deepEqual([run.code, run.stdout], [2, '']);
    assert.match(run.stderr, /not read: CronJob, .*, Pod \(403, .*\npullguard: no list could be read: /u);
  });

  const mistaken: readonly (readonly [args: string, line: string])[] = [
    ['-n Shop', '--namespace "Shop": expected the name of a namespace'],
    ['-n a -A', '--namespace and --all-namespaces: each says where to look, keep one of them'],
    ['--nodes some', '--nodes "some": expected complete or partial'],
  ];
  for (const [args, line] of mistaken) {
    it(`answers "${args}" in one line, and ends with 2`, async () => {
      assert.deepEqual(await scan(args.split(' ')), { code: 2, stdout: '', stderr: `pullguard: ${line}\n` });
    });
  }
});

describe('a pullguard scan of many', () => {
  it('asks a registry once for what all have, also to explain it', async () => {
    putPolicy();
    for (let at = 0; at < 40; at += 1) deploy(`web-${at}`);

    const run = await scan(['-o', 'json', '--explain']);

    assert.equal(resultsOf(run).length, 40);
    assert.equal(new Set(registry.log.lines()).size, registry.log.lines().length);
    // of what is well there is nothing to explain
    assert.equal(run.stderr, '');
  });

  it('lists what fails or warns, tells it once, and counts the rest', async () => {
    putPolicy();
    putNode({ images: [`${host}/app:gone`] });
    for (let at = 0; at < 3; at += 1) deploy(`fine-${at}`);
    for (let at = 0; at < 7; at += 1) deploy(`gone-${at}`, { image: `${host}/app:gone` });

    const run = await scan();

    const [rows = '', paragraph = '', end = ''] = run.stdout.replaceAll(host, 'reg.test:5000').split('\n\n');
    assert.equal(rows.split('\n').filter((line) => line.startsWith('warn')).length, 7);
    assert.equal(
      paragraph,
      `warn  reg.test:5000/app:gone
    where     Deployment/shop/gone-0 container "app", spec.template.spec.containers[0].image
              Deployment/shop/gone-1 container "app", spec.template.spec.containers[0].image
              Deployment/shop/gone-2 container "app", spec.template.spec.containers[0].image
              Deployment/shop/gone-3 container "app", spec.template.spec.containers[0].image
              Deployment/shop/gone-4 container "app", spec.template.spec.containers[0].image
              and 2 more
    cause     tag "gone" does not exist in the registry
    evidence  HEAD http://reg.test:5000/v2/app/manifests/gone answered 404 MANIFEST_UNKNOWN without
              credentials, asked there by nodes.insecureRegistries
    doubt     not certain, because nodes hold the image and run it without the registry, only others
              have to pull it (imagePullPolicy: Always would ask it)
    remedy    Push the tag, or name one that exists`,
    );
    assert.equal(end, '10 images: 3 pullable, 7 warned\n');
    assert.ok(!run.stdout.includes('fine-'));
  });

  it('leaves half of what a registry grants to the nodes', async () => {
    putPolicy();
    deploy('web');
    registry.bend({}, (_question, answer) => ({
      ...answer,
      headers: { ...answer.headers, 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '49;w=21600' },
    }));

    const run = await scan(['-o', 'json']);
    registry.straighten();

    assert.match(run.stdout, /"outcome": "pullable"[^]*"depth": "exists"/u);
    assert.deepEqual(
      registry.log.lines().filter((line) => /^GET .*\/(?:manifests|blobs)\//u.test(line)),
      [],
    );
  });

  it('reads layers too where it is told to', async () => {
    putPolicy();
    deploy('web', { image: `${host}/app:altered`, policy: 'Always' });

    const [headers, content] = await Promise.all([scan(['-o', 'json']), scan(['-o', 'json', '--verify', 'content'])]);

    assert.deepEqual(verdictsOf(headers), ['Deployment/shop/web pullable allow']);
    assert.deepEqual(verdictsOf(content), ['Deployment/shop/web damaged deny']);
  });

  it('shows on a terminal how far it is', async () => {
    putPolicy();
    deploy('web');

    const { stderr } = await scan([], { terminal: 100 });

    assert.match(stderr, /objects read: 1/u);
    assert.match(stderr, /checked 1 of 1: reg\.test/u);
  });
});
