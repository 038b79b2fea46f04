import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryTree } from '../../webhook/node/file-tree.ts';
import { createPlanner } from '../../webhook/node/plan.ts';
import { EMPTY_SETUP, type NodeSetup } from '../../webhook/node/settings.ts';
import { createAuthority } from '../support/pki.ts';
import { endpointsFor, planFor, refusalFor, summariesFor } from './ask.ts';

const GRAPH = 'docker@28.5/graph';
const STORE = 'docker@29.0/containerd';

type Files = Readonly<Record<string, string>>;

function dockerWith(daemon: unknown, files: Files = {}): Partial<NodeSetup> {
  const daemonJson =
    daemon === undefined ? undefined : { name: '/etc/docker/daemon.json', text: JSON.stringify(daemon) };
  return { docker: { daemonJson, certsD: memoryTree('/etc/docker/certs.d', files) } };
}

describe('the endpoints of dockerd with its own image store', () => {
  const cases: readonly (readonly [image: string, insecure: readonly string[], endpoints: readonly string[]])[] = [
    ['nginx', [], ['https://registry-1.docker.io/v2']],
    ['nginx', ['docker.io', 'registry-1.docker.io'], ['https://registry-1.docker.io/v2']],
    ['reg.example:5000/app', [], ['https://reg.example:5000/v2']],
    ['reg.example:5000/app', ['reg.example:5000'], ['https-then-http://reg.example:5000/v2 unverified']],
    ['reg.example:5000/app', ['http://reg.example:5000'], ['https-then-http://reg.example:5000/v2 unverified']],
    ['reg.example:5000/app', ['reg.example'], ['https://reg.example:5000/v2']],
    ['reg.example/app', ['reg.example:443'], ['https://reg.example/v2']],
    ['REG.example/app', ['reg.example'], ['https://REG.example/v2']],
    ['10.1.2.3:5000/app', ['10.0.0.0/8'], ['https-then-http://10.1.2.3:5000/v2 unverified']],
    ['10.1.2.3:5000/app', ['10.1.2.3/32'], ['https-then-http://10.1.2.3:5000/v2 unverified']],
    ['11.1.2.3:5000/app', ['10.0.0.0/8'], ['https://11.1.2.3:5000/v2']],
    ['[2001:db8::5]:5000/app', ['2001:db8::/32'], ['https-then-http://[2001:db8::5]:5000/v2 unverified']],
    ['[2001:db8::5]:5000/app', ['0.0.0.0/0'], ['https://[2001:db8::5]:5000/v2']],
    ['127.0.0.1:5000/app', [], ['https-then-http://127.0.0.1:5000/v2 unverified']],
    ['127.200.0.1/app', [], ['https-then-http://127.200.0.1/v2 unverified']],
    ['[::1]:5000/app', [], ['https-then-http://[::1]:5000/v2 unverified']],
    ['localhost:5000/app', [], ['https-then-http://localhost:5000/v2 unverified']],
    ['localhost/app', [], ['https-then-http://localhost/v2 unverified']],
  ];
  for (const [image, insecure, endpoints] of cases) {
    it(`are ${endpoints.join(', ')} for ${image} with insecure ${JSON.stringify(insecure)}`, () => {
      assert.deepEqual(summariesFor(image, GRAPH, dockerWith({ 'insecure-registries': insecure })), endpoints);
    });
  }

  it('are the mirrors first for Docker Hub, and only for Docker Hub', () => {
    const setup = dockerWith({
      'registry-mirrors': [
        'https://m.example/hub/',
        'http://n.example:5000',
        'https://m.example/hub',
        'https://10.0.0.9',
      ],
      'insecure-registries': ['10.0.0.0/8'],
    });

    assert.deepEqual(summariesFor('nginx', GRAPH, setup), [
      'https://m.example/hub/v2',
      'http://n.example:5000/v2',
      'https://10.0.0.9/v2 unverified',
      'https://registry-1.docker.io/v2',
    ]);
    assert.deepEqual(summariesFor('reg.example/app', GRAPH, setup), ['https://reg.example/v2']);
    assert.deepEqual(
      endpointsFor('nginx', GRAPH, setup).map(({ role, takesCredentials, namespace }) => [
        role,
        takesCredentials,
        namespace,
      ]),
      [
        ['mirror', true, undefined],
        ['mirror', true, undefined],
        ['mirror', true, undefined],
        ['upstream', true, undefined],
      ],
    );
  });

  it('name the daemon.json that allows them, but not for what is built in', () => {
    const setup = dockerWith({ 'insecure-registries': ['reg.example'] });

    assert.equal(endpointsFor('reg.example/app', GRAPH, setup)[0]?.declaredBy, '/etc/docker/daemon.json');
    assert.equal(endpointsFor('localhost/app', GRAPH, setup)[0]?.declaredBy, undefined);
  });
});

describe('certificates for dockerd with its own image store', () => {
  const authority = createAuthority();
  const { certificate, key } = authority.issue({ use: 'client' });
  const folder: Files = { 'ca.crt': authority.certificate, 'extra.crt': 'no pem', 'a.cert': certificate, 'a.key': key };
  const placed = (host: string, files: Files): Files =>
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`${host}/${name}`, text]));

  it('are read from the folder of the very host', () => {
    const setup = dockerWith({}, placed('reg.example:5000', folder));

    assert.deepEqual(endpointsFor('reg.example:5000/app', GRAPH, setup)[0]?.tls, {
      isVerified: true,
      authorities: [authority.certificate, 'no pem'],
      clientPairs: [{ certificate, key }],
    });
    assert.deepEqual(endpointsFor('reg.example/app', GRAPH, setup)[0]?.tls.authorities, []);
  });

  it('know neither host_port_ nor _default nor hosts.toml', () => {
    const files = {
      ...placed('reg.example_5000_', folder),
      ...placed('_default', folder),
      'a.example/hosts.toml': 'server = "http://b"',
    };

    assert.deepEqual(endpointsFor('reg.example:5000/app', GRAPH, dockerWith({}, files))[0]?.tls.authorities, []);
    assert.deepEqual(summariesFor('a.example/app', GRAPH, dockerWith({}, files)), ['https://a.example/v2']);
  });

  it('are not read for an insecure host, not even wrong ones', () => {
    const files = placed('reg.example', { 'a.cert': certificate });

    assert.deepEqual(
      summariesFor('reg.example/app', GRAPH, dockerWith({ 'insecure-registries': ['reg.example'] }, files)),
      ['https-then-http://reg.example/v2 unverified'],
    );
  });

  it('are ignored for Docker Hub, but not for its mirrors', () => {
    const broken = placed('registry-1.docker.io', { 'a.cert': certificate });
    const hub = placed('docker.io', { 'a.cert': certificate });
    const mirror = placed('m.example', folder);
    const setup = dockerWith({ 'registry-mirrors': ['https://m.example'] }, { ...broken, ...hub, ...mirror });

    const [first, second] = endpointsFor('nginx', GRAPH, setup);

    assert.equal(first?.tls.authorities[0], authority.certificate);
    assert.deepEqual(second?.tls.authorities, []);
  });

  const refusals: readonly (readonly [name: string, files: Files, reason: RegExp])[] = [
    ['a .cert without .key', { 'a.cert': certificate }, /^missing key a\.key for client certificate a\.cert/u],
    ['a .key without .cert', { 'a.key': key }, /^missing client certificate a\.cert for key a\.key/u],
    [
      'a pair that is none',
      { 'a.cert': certificate, 'a.key': 'x' },
      /^failed to load the key pair a\.cert and a\.key/u,
    ],
  ];
  for (const [name, files, reason] of refusals) {
    it(`refuse every pull with ${name}`, () => {
      const plan = refusalFor('reg.example/app', GRAPH, dockerWith({}, placed('reg.example', files)));

      assert.match(plan.reason, reason);
      assert.match(plan.file ?? '', /^\/etc\/docker\/certs\.d\/reg\.example\/a\./u);
    });
  }
});

describe('the endpoints of dockerd with the containerd image store', () => {
  it('follow hosts.toml in its certs.d, and nothing of daemon.json then', () => {
    const setup = dockerWith(
      { 'registry-mirrors': ['https://other.example'], 'insecure-registries': ['registry-1.docker.io'] },
      { 'docker.io/hosts.toml': '[host."https://m.example"]\n' },
    );

    assert.deepEqual(summariesFor('nginx', STORE, setup), ['https://m.example/v2', 'https://registry-1.docker.io/v2']);
  });

  it('are merged from daemon.json where no hosts.toml gives a mirror', () => {
    const setup = dockerWith({
      'registry-mirrors': ['https://m.example/hub/', 'http://n.example:5000/v2', 'https://10.0.0.9'],
      'insecure-registries': ['10.0.0.0/8', 'reg.example:5000'],
    });

    assert.deepEqual(summariesFor('nginx', STORE, setup), [
      'https://m.example/hub/v2',
      'http://n.example:5000/v2',
      'https-then-http://10.0.0.9/v2 unverified',
      'https://registry-1.docker.io/v2',
    ]);
    assert.deepEqual(summariesFor('reg.example:5000/app', STORE, setup), [
      'https-then-http://reg.example:5000/v2 unverified',
    ]);
  });

  it('send credentials to the own host only, and tell mirrors for whom they are asked', () => {
    const setup = dockerWith({ 'registry-mirrors': ['https://m.example'] });

    assert.deepEqual(
      endpointsFor('nginx', STORE, setup).map(({ takesCredentials, namespace, role }) => [
        takesCredentials,
        namespace,
        role,
      ]),
      [
        [false, 'docker.io', 'mirror'],
        [true, undefined, 'upstream'],
      ],
    );
  });

  it('follow the rules of containerd for loopback', () => {
    assert.deepEqual(summariesFor('localhost:5000/app', STORE), ['https-then-http://localhost:5000/v2 unverified']);
    assert.deepEqual(summariesFor('localhost:80/app', STORE), ['http://localhost:80/v2']);
  });

  it('use _default, which the other store does not know', () => {
    const authority = createAuthority();
    const setup = dockerWith({}, { '_default/ca.crt': authority.certificate });

    assert.deepEqual(endpointsFor('reg.example/app', STORE, setup)[0]?.tls.authorities, [authority.certificate]);
    assert.deepEqual(endpointsFor('reg.example/app', GRAPH, setup)[0]?.tls.authorities, []);
  });
});

describe('a mistake in daemon.json', () => {
  const mistakes: readonly (readonly [text: string, line: number, reason: RegExp])[] = [
    ['{\n  "insecure-registries": ["a.example"\n}', 3, /^expected "," or the end of the list/u],
    ['{\n  "a": 1,\n}', 3, /^expected a key in double quotes/u],
    ["{ 'a': 1 }", 1, /^expected a key in double quotes/u],
    ['{ "a" 1 }', 1, /^expected ":" after the key/u],
    ['{ "a": }', 1, /^expected a value/u],
    ['{ "a": 1 }\n\nx', 3, /^expected nothing after the end/u],
    ['{\n "a": [1, 2', 2, /but the file ends/u],
    ['[1]', 1, /^expected daemon\.json to be a JSON object/u],
    ['{\n"insecure-registries": "a.example"}', 2, /^expected insecure-registries to be a list of strings/u],
    ['{\n"registry-mirrors": [1]}', 2, /^expected registry-mirrors to be a list of strings/u],
    ['{"insecure-registries": [\n"a b"]}', 2, /not "a b"/u],
    ['{"insecure-registries": [\n"10.0.0.0/33"]}', 2, /not "10\.0\.0\.0\/33"/u],
    ['{"registry-mirrors": [\n"m.example"]}', 2, /expected registry-mirrors to list http/u],
    ['{"registry-mirrors": [\n"https://user:hunter2@m.example"]}', 2, /expected registry-mirrors to list http/u],
  ];
  for (const [text, line, reason] of mistakes) {
    it(`on line ${line} of ${JSON.stringify(text)} is told, and the rest is used`, () => {
      const setup = { ...EMPTY_SETUP, docker: { daemonJson: { name: 'daemon.json', text }, certsD: undefined } };
      const { problems } = createPlanner(setup);

      assert.equal(problems.length, 1);
      assert.deepEqual([problems[0]?.file, problems[0]?.line], ['daemon.json', line]);
      assert.match(problems[0]?.reason ?? '', reason);
      assert.match(problems[0]?.reason ?? '', /dockerd does not start with it$/u);
      assert.doesNotMatch(problems[0]?.reason ?? '', /hunter2/u);
      assert.deepEqual(planFor('reg.example/app', GRAPH, setup).problems, problems);
      assert.deepEqual(summariesFor('reg.example/app', GRAPH, setup), ['https://reg.example/v2']);
    });
  }

  for (const text of [
    '',
    ' \n',
    '\ufeff{}',
    '{"log-level": "debug"}',
    '{"insecure-registries": []}',
    '{"registry-mirrors": null}',
  ]) {
    it(`is none in ${JSON.stringify(text)}`, () => {
      const setup = { ...EMPTY_SETUP, docker: { daemonJson: { name: 'daemon.json', text }, certsD: undefined } };

      assert.deepEqual(createPlanner(setup).problems, []);
    });
  }
});
