import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { basicAuth } from '../../webhook/demo/registry.ts';
import { runHere, type Run, type Surroundings } from '../cli/run-here.ts';
import { readXml } from '../report/xml-reader.ts';
import { neverAnswer } from '../support/bend.ts';
import { holdsSecret } from '../support/request-log.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';

const PASSWORD = 'taint-password';

let folder = '';
let open: ScriptedRegistry;
let closed: ScriptedRegistry;
/** `reg.test:PORT`, as images and folders of certs.d have it. */
let openHost = '';
let closedHost = '';
let certsD = '';

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pullguard-check-'));
  open = await startScriptedRegistry();
  closed = await startScriptedRegistry({ auth: basicAuth({ ci: PASSWORD }) });
  openHost = `reg.test:${open.port}`;
  closedHost = `reg.test:${closed.port}`;
  open.store.repository('app').addImage({ tags: ['1'] });
  closed.store.repository('team/app').addImage({ tags: ['1'] });
  certsD = join(folder, 'certs.d');
  for (const host of [openHost, closedHost]) write(`certs.d/${host}/hosts.toml`, `server = "http://${host}"\n[host]\n`);
});
after(async () => {
  await Promise.all([open.close(), closed.close()]);
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const check = (args: readonly string[], around?: Surroundings): Promise<Run> =>
  runHere(['check', '--add-host', 'reg.test:127.0.0.1', ...args], around);
/** On nodes that are told to use plain HTTP. */
const checkHttp = (args: readonly string[], around?: Surroundings): Promise<Run> =>
  check(['--certs-d', certsD, ...args], around);

type Result = {
  readonly object: string;
  readonly image: string;
  readonly path: string;
  readonly outcome: string;
  readonly action: string;
  readonly conclusive: boolean;
  readonly depth: string | null;
  readonly file?: string;
  readonly line?: number;
};
const resultsOf = ({ stdout }: Run): readonly Result[] =>
  (JSON.parse(stdout) as { readonly results: readonly Result[] }).results;
const verdictsOf = (run: Run): readonly string[] =>
  resultsOf(run).map(({ object, outcome, action }) => `${object} ${outcome} ${action}`);

const logins = (host: string): string => JSON.stringify({ auths: { [host]: { username: 'ci', password: PASSWORD } } });

function pod(name: string, image: string, more = ''): string {
  return `apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  ${more}
  containers:
    - name: app
      image: ${image}
`;
}

const pullSecret = (namespace: string): string => `apiVersion: v1
kind: Secret
metadata: { name: pull, namespace: ${namespace} }
type: kubernetes.io/dockerconfigjson
stringData:
  .dockerconfigjson: '${logins(closedHost)}'
`;

describe('pullguard check', () => {
  beforeEach(() => open.straighten());

  it('judges Pods and workloads with the Secrets and ServiceAccounts beside them, in the order of the input', async () => {
    const image = `${closedHost}/team/app:1`;
    const text = [
      pod('by-account', image, 'serviceAccountName: builder'),
      pod('by-secret', image, 'imagePullSecrets: [{ name: pull }]'),
      pod('without', image),
      `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: team }
spec: { template: { spec: { containers: [{ name: app, image: '${openHost}/app:2' }], imagePullSecrets: [{ name: pull }] } } }
`,
      pullSecret('team'),
      'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: builder }\nimagePullSecrets: [{ name: pull }]\n',
    ].join('---\n');

    const run = await checkHttp(['-n', 'team', '-o', 'json', '-f', write('all.yaml', text), `${openHost}/app:1`]);

    assert.equal(run.stderr, '');
    assert.deepEqual(verdictsOf(run), [
      'Pod/team/by-account pullable allow',
      'Pod/team/by-secret pullable allow',
      'Pod/team/without access-denied deny',
      'Deployment/team/web tag-not-found deny',
      `${openHost}/app:1 pullable allow`,
    ]);
    assert.equal(run.code, 1);
    assert.ok(!holdsSecret(run.stdout, PASSWORD));
  });

  it('uses no Secret of another namespace', async () => {
    const text = [pod('app', `${closedHost}/team/app:1`, 'imagePullSecrets: [{ name: pull }]'), pullSecret('other')];

    const run = await checkHttp(['-o', 'json', '-f', '-'], { stdin: text.join('---\n') });

    assert.deepEqual(verdictsOf(run), ['Pod/default/app access-denied deny']);
  });

  it('reads manifests among the images, as a shell writes -f *.yaml, and standard input as -', async () => {
    const first = write('first.yaml', pod('first', `${openHost}/app:1`));
    const second = write('second.yaml', pod('second', `${openHost}/app:1`));

    const run = await checkHttp(['-o', 'json', '-f', first, second, '-', `${openHost}/app:1`], {
      stdin: pod('third', `${openHost}/app:1`),
    });

    assert.deepEqual(
      resultsOf(run).map(({ object, file, line }) => [object, file, line]),
      [
        ['Pod/default/first', first, 8],
        ['Pod/default/second', second, 8],
        ['Pod/default/third', '-', 8],
        [`${openHost}/app:1`, undefined, undefined],
      ],
    );
    assert.equal(run.code, 0);
  });

  it('gives the logins of --docker-config to the images of the command line, and to no Pod', async () => {
    const config = write('config.json', logins(closedHost));
    const stdin = pod('app', `${closedHost}/team/app:1`);

    const run = await checkHttp(['--docker-config', config, '-o', 'json', '-', `${closedHost}/team/app:1`], { stdin });

    assert.deepEqual(verdictsOf(run), [
      'Pod/default/app access-denied deny',
      `${closedHost}/team/app:1 pullable allow`,
    ]);
  });

  it('exits with 1 for what --fail-on names, and with 0 for what it does not', async () => {
    open.bend({ kind: 'manifest', reference: '1' }, neverAnswer);
    const args = ['--timeout', '300ms', '-o', 'json', `${openHost}/app:1`];

    const [denials, warnings] = await Promise.all([checkHttp(args), checkHttp(['--fail-on', 'warn', ...args])]);

    assert.deepEqual(verdictsOf(denials), [`${openHost}/app:1 unreachable warn`]);
    assert.deepEqual([denials.code, warnings.code], [0, 1]);
  });

  it('names the line of a malformed hosts.toml, prints the results all the same, and exits with 2', async () => {
    write('broken.d/other.test/hosts.toml', 'server = "https://other.test"\n[host."https://mirror.test"\n');

    const run = await check(['--certs-d', join(folder, 'broken.d'), '-o', 'json', 'Nginx']);

    assert.match(run.stderr, /^pullguard: .*broken\.d\/other\.test\/hosts\.toml:2: [ -~]+\n$/u);
    assert.deepEqual(verdictsOf(run), ['Nginx invalid-reference deny']);
    assert.equal(run.code, 2);
  });

  it('denies plain HTTP that the nodes were not told of, but not where the files are not all that they have', async () => {
    const image = `${openHost}/app:1`;

    const [complete, partial] = await Promise.all([
      check(['-o', 'json', image]),
      check(['-o', 'json', '--nodes', 'partial', image]),
    ]);

    assert.deepEqual(verdictsOf(complete), [`${image} http-not-declared deny`]);
    assert.deepEqual(verdictsOf(partial), [`${image} http-not-declared warn`]);
  });

  it('finds a damaged layer with --verify content only', async () => {
    const { layers } = open.store.repository('damaged').addImage({ tags: ['1'] });
    const [layer] = layers;
    assert.ok(layer);
    open.store.damage(layer.digest, 'flipped');
    const args = ['-o', 'json', `${openHost}/damaged:1`];

    const [headers, content] = await Promise.all([checkHttp(args), checkHttp(['--verify', 'content', ...args])]);

    assert.deepEqual(verdictsOf(headers), [`${openHost}/damaged:1 pullable allow`]);
    assert.deepEqual(verdictsOf(content), [`${openHost}/damaged:1 damaged deny`]);
  });

  it('follows the policy of a file', async () => {
    const policy = write(
      'policy.yaml',
      `mode: warn\nexempt: { namespaces: [kube-system] }\nnodes: { settings: complete, containerd: { certsD: { '${openHost}/hosts.toml': "server = 'http://${openHost}'\\n[host]" } } }\n`,
    );
    const stdin = [pod('system', 'Nginx').replace('{ name', '{ namespace: kube-system, name'), pod('app', 'Nginx')];

    const run = await check(['--policy', policy, '-o', 'json', '-f', '-', `${openHost}/app:1`], {
      stdin: stdin.join('---\n'),
    });

    assert.deepEqual(verdictsOf(run), [
      'Pod/kube-system/system not-checked allow',
      'Pod/default/app invalid-reference warn',
      `${openHost}/app:1 pullable allow`,
    ]);
  });

  it('says which objects of a cluster a policy file names that are not at hand', async () => {
    const policy = write('elsewhere.yaml', 'nodes: { containerd: { certsDFrom: { configMap: hosts } } }\n');

    const run = await check(['--policy', policy, 'Nginx']);

    assert.equal(
      run.stderr,
      "pullguard: not at hand: ConfigMap hosts (nodes.containerd.certsDFrom); what hangs on the nodes' files is no proof then\n",
    );
  });

  it('reports every mistake of flags and files at once and asks nobody', async () => {
    open.log.clear();

    const run = await checkHttp(['-o', 'xml', '--nodes', 'all', '-f', '/nowhere.yaml', `${openHost}/app:1`]);

    assert.equal(run.code, 2);
    assert.equal(run.stdout, '');
    assert.deepEqual(run.stderr.split('\n'), [
      'pullguard: --output "xml": expected table, json, sarif or junit',
      'pullguard: --nodes "all": expected complete or partial',
      'pullguard: -f /nowhere.yaml: there is no such file or folder',
      '',
    ]);
    assert.deepEqual(open.log.requests, []);
  });
});

describe('the outputs of pullguard check', () => {
  let manifest = '';
  before(() => {
    manifest = write('mixed.yaml', [pod('good', `${openHost}/app:1`), pod('bad', `${openHost}/app:2`)].join('---\n'));
  });

  it('are a table, then a paragraph for each problem, then a sum', async () => {
    const { stdout, stderr, code } = await checkHttp(['-f', manifest]);

    const lines = stdout.split('\n');
    assert.equal(stderr, '');
    assert.match(lines[0] ?? '', /^ +IMAGE +OBJECT +RESULT$/u);
    assert.match(lines[1] ?? '', /^ok {4}/u);
    assert.ok(lines.some((line) => line === `DENY  ${openHost}/app:2`));
    assert.ok(stdout.includes(`${manifest}:17`));
    assert.equal(lines.at(-2), '2 images: 1 pullable, 1 denied');
    assert.ok(lines.every((line) => line.length <= 100));
    assert.equal(code, 1);
  });

  it('are coloured on a terminal, unless NO_COLOR or a dumb terminal speaks against it, and fit it', async () => {
    const run = async (environment: Readonly<Record<string, string>>) =>
      (await checkHttp(['-f', manifest], { terminal: 60, environment })).stdout;

    const coloured = await run({ NO_COLOR: '' });
    const plain = [await run({ NO_COLOR: '1' }), await run({ TERM: 'dumb' })];

    assert.ok(coloured.includes('\u001b['));
    for (const text of plain) assert.equal(text, stripVTControlCharacters(coloured));
    // a path or a URL stays whole, to be copied
    const lines = plain[0]?.split('\n').filter((line) => !/\S{40}/u.test(line)) ?? [];
    assert.ok(lines.length > 10);
    assert.deepEqual(
      lines.filter((line) => line.length > 60),
      [],
    );
  });

  it('show the progress on a terminal and wipe it', async () => {
    const { stderr } = await checkHttp(['-f', manifest], { terminal: 100 });

    assert.match(stderr, /checked 0 of 2: reg\.test.*checked 2 of 2: reg\.test/su);
    assert.ok(stderr.endsWith('\r\u001b[2K'));
  });

  it('hold the course of each check with --explain, beside a report that is for machines', async () => {
    const [table, json] = await Promise.all([
      checkHttp(['--explain', '-f', manifest]),
      checkHttp(['--explain', '-o', 'json', '-f', manifest]),
    ]);

    for (const text of [table.stdout, json.stderr]) {
      assert.match(text, new RegExp(`\\|- .*HEAD http://${openHost}/v2/app/manifests/2`, 'u'));
      assert.match(text, /denied \(tag-not-found\)/u);
    }
    assert.equal(resultsOf(json).length, 2);
    assert.equal(table.stderr, '');
  });

  it('are SARIF that leads to file and line', async () => {
    const { stdout } = await checkHttp(['-o', 'sarif', '-f', manifest]);

    const { version, runs } = JSON.parse(stdout) as {
      readonly version: string;
      readonly runs: readonly {
        readonly results: readonly {
          readonly ruleId: string;
          readonly level: string;
          readonly locations: readonly { readonly physicalLocation: unknown }[];
        }[];
      }[];
    };
    assert.equal(version, '2.1.0');
    const [result, ...more] = runs[0]?.results ?? [];
    assert.deepEqual([result?.ruleId, result?.level, more.length], ['tag-not-found', 'error', 0]);
    assert.deepEqual(result?.locations[0]?.physicalLocation, {
      artifactLocation: { uri: `file://${manifest}` },
      region: { startLine: 17 },
    });
  });

  it('are JUnit that counts', async () => {
    const { stdout } = await checkHttp(['-o', 'junit', '-f', manifest]);

    const { name, attributes, children } = readXml(stdout);
    assert.equal(name, 'testsuites');
    assert.deepEqual([attributes.get('tests'), attributes.get('failures')], ['2', '1']);
    assert.deepEqual(
      children.map((suite) => suite.attributes.get('name')),
      ['Pod/default/good', 'Pod/default/bad'],
    );
  });

  it('are empty but whole for manifests without an image', async () => {
    const run = await check(['-o', 'json', '-f', '-'], { stdin: 'kind: Service\n' });

    assert.deepEqual(run, {
      code: 0,
      stdout: '{\n  "results": []\n}\n',
      stderr: 'pullguard: the manifests name no image: no Pod and no workload among Service\n',
    });
  });
});

describe('a Job whose images are large for its time', () => {
  it('is told of their sum, with the numbers and the limit to raise', async () => {
    const sized = open.store.repository('sized');
    const bytesOf = (tag: string): number => {
      const { config, layers } = sized.addImage({ tags: [tag], paddingBytes: 4096 });
      return [config, ...layers].reduce((sum, { size }) => sum + size, 0);
    };
    const bytes = Math.max(bytesOf('init'), bytesOf('main'));
    // each takes about 100 seconds, the Job may take 150
    const policy = write('slow.yaml', `nodes: { throughput: ${Math.floor(bytes / 100)}B/s }\n`);
    const manifest = write(
      'slow-job.yaml',
      `apiVersion: batch/v1
kind: Job
metadata: { name: slow }
spec:
  activeDeadlineSeconds: 150
  template:
    spec:
      initContainers: [{ name: load, image: "${openHost}/sized:init" }]
      containers: [{ name: main, image: "${openHost}/sized:main" }]
`,
    );

    const run = await checkHttp(['--policy', policy, '-f', manifest, '-o', 'json']);

    const results = (JSON.parse(run.stdout) as { readonly results: readonly { readonly [key: string]: string }[] })
      .results;
    const slow = results.filter(({ outcome }) => outcome === 'pull-too-slow');
    assert.equal(run.code, 0);
    assert.deepEqual([results.length, slow.length], [2, 1]);
    const text = JSON.stringify(slow[0]);
    assert.match(
      text,
      /KiB at \d+ B\/s is about 1\.\d min, 3\.\d min with 1 other image of the Pod, the Job ends after 2\.5 min/u,
    );
    assert.match(text, /Raise the Job's activeDeadlineSeconds above 3\.\d min, make the images smaller/u);
  });
});
