import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryTree } from '../../webhook/node/file-tree.ts';
import { createPlanner } from '../../webhook/node/plan.ts';
import { EMPTY_SETUP, type NodeSetup } from '../../webhook/node/settings.ts';
import { createAuthority } from '../support/pki.ts';
import { endpointsFor, planFor, refusalFor, summariesFor } from './ask.ts';

const CONTAINERD = 'containerd@2.1/transfer';
const certsD = (files: Readonly<Record<string, string>>): Partial<NodeSetup> => ({
  certsD: memoryTree('/etc/containerd/certs.d', files),
});
const hostsToml = (text: string): Partial<NodeSetup> => certsD({ 'reg.example:5000/hosts.toml': text });
const IMAGE = 'reg.example:5000/team/app:1';

describe('the default server of containerd', () => {
  const cases: readonly (readonly [image: string, endpoint: string])[] = [
    ['nginx', 'https://registry-1.docker.io/v2'],
    ['registry-1.docker.io/library/nginx', 'https://registry-1.docker.io/v2'],
    ['reg.example/app', 'https://reg.example/v2'],
    ['reg.example:5000/app', 'https://reg.example:5000/v2'],
    ['10.0.0.5:5000/app', 'https://10.0.0.5:5000/v2'],
    ['registry.local:80/app', 'https://registry.local:80/v2'],
    ['registry.kube-system.svc/app', 'https://registry.kube-system.svc/v2'],
    ['localhost/app', 'https://localhost/v2 unverified'],
    ['localhost:443/app', 'https://localhost:443/v2 unverified'],
    ['localhost:80/app', 'http://localhost:80/v2'],
    ['localhost:5000/app', 'https-then-http://localhost:5000/v2 unverified'],
    ['127.0.0.1/app', 'https://127.0.0.1/v2 unverified'],
    ['127.9.9.9:5000/app', 'https-then-http://127.9.9.9:5000/v2 unverified'],
    ['127.0.0.1:80/app', 'http://127.0.0.1:80/v2'],
    ['[::1]:5000/app', 'https-then-http://[::1]:5000/v2 unverified'],
    ['[::1]/app', 'https://[::1]/v2'],
    ['[2001:db8::1]:5000/app', 'https://[2001:db8::1]:5000/v2'],
    ['a.localhost:5000/app', 'https://a.localhost:5000/v2'],
    ['127.0.0.1.example:5000/app', 'https://127.0.0.1.example:5000/v2'],
  ];
  for (const [image, endpoint] of cases) {
    it(`asks for ${image} at ${endpoint}`, () => {
      assert.deepEqual(summariesFor(image, CONTAINERD), [endpoint]);
    });
  }

  it('is the upstream, takes credentials, has every capability and no namespace', () => {
    const [endpoint] = endpointsFor('reg.example/team/app:1', CONTAINERD);

    assert.deepEqual(endpoint, {
      scheme: 'https',
      authority: 'reg.example',
      pathPrefix: '/v2',
      repository: 'team/app',
      namespace: undefined,
      canPull: true,
      canResolve: true,
      serves: 'all',
      tls: { isVerified: true, authorities: [], clientPairs: [] },
      headers: {},
      dialTimeoutMs: 30_000,
      role: 'upstream',
      takesCredentials: true,
      declaredBy: undefined,
    });
  });
});

const mirrorFile = (name: string): string => `[host."https://${name}.example"]\n`;
const firstAsked = (files: Readonly<Record<string, string>>, image: string): string | undefined =>
  endpointsFor(image, CONTAINERD, certsD(files))[0]?.authority;

describe('the folder of a host in certs.d', () => {
  it('is host_port_ before host:port before _default', () => {
    const files = {
      'reg.example_5000_/hosts.toml': mirrorFile('underscored'),
      'reg.example:5000/hosts.toml': mirrorFile('plain'),
      '_default/hosts.toml': mirrorFile('default'),
    };
    const { 'reg.example_5000_/hosts.toml': _, ...withoutFirst } = files;

    assert.equal(firstAsked(files, IMAGE), 'underscored.example');
    assert.equal(firstAsked(withoutFirst, IMAGE), 'plain.example');
    assert.equal(firstAsked(files, 'other.example:5000/app'), 'default.example');
  });

  it('is the bare host where there is no port', () => {
    assert.equal(firstAsked({ 'reg.example/hosts.toml': mirrorFile('bare') }, 'reg.example/app'), 'bare.example');
    assert.equal(firstAsked({ 'docker.io/hosts.toml': mirrorFile('hub') }, 'nginx'), 'hub.example');
  });

  it('counts letter case', () => {
    assert.equal(firstAsked({ 'reg.example/hosts.toml': mirrorFile('small') }, 'REG.example/app'), 'REG.example');
  });

  it('shadows _default even when nothing usable is in it', () => {
    const files = { 'reg.example:5000/notes.txt': '', '_default/hosts.toml': mirrorFile('default') };

    assert.equal(firstAsked(files, IMAGE), 'reg.example:5000');
  });
});

const namespaceOf = (image: string, files: Readonly<Record<string, string>>): readonly unknown[] =>
  endpointsFor(image, CONTAINERD, certsD(files)).map(({ namespace }) => namespace);

describe('hosts.toml', () => {
  it('gives its hosts in file order, with the server last', () => {
    const setup = hostsToml(`
server = "https://upstream.example"
[host."https://z.example"]
[host."https://z.example".header]
  x-a = "1"
[host."http://a.example:8080"]
  capabilities = ["pull"]
[host.'https://1234']
`);

    const endpoints = endpointsFor(IMAGE, CONTAINERD, setup);

    assert.deepEqual(
      endpoints.map(({ authority, role }) => [authority, role]),
      [
        ['z.example', 'mirror'],
        ['a.example:8080', 'mirror'],
        ['1234', 'mirror'],
        ['upstream.example', 'upstream'],
      ],
    );
    assert.ok(
      endpoints.every(({ declaredBy }) => declaredBy === '/etc/containerd/certs.d/reg.example:5000/hosts.toml'),
    );
  });

  it('keeps file order for hosts that look like numbers', () => {
    const endpoints = endpointsFor(IMAGE, CONTAINERD, hostsToml('[host.b]\n[host.7]\n[host.3]\n'));

    assert.deepEqual(
      endpoints.map(({ authority }) => authority),
      ['b', '7', '3', 'reg.example:5000'],
    );
  });

  it('does not see hosts written inline, as containerd does not', () => {
    assert.deepEqual(summariesFor(IMAGE, CONTAINERD, hostsToml('host = { "https://m.example" = {} }\n')), [
      'https://reg.example:5000/v2',
    ]);
  });

  const servers: readonly (readonly [text: string, endpoint: string])[] = [
    ['server = "reg.example:5000"', 'https://reg.example:5000/v2'],
    ['server = "http://reg.example:5000"', 'http://reg.example:5000/v2'],
    ['server = "HTTPS://reg.example"', 'https://HTTPS/reg.example/v2'],
    ['server = "https://reg.example/prefix/"', 'https://reg.example/prefix/v2'],
    ['server = "https://reg.example/a/../b//c/v2/"', 'https://reg.example/b/c/v2'],
    ['server = "https://reg.example/myv2"', 'https://reg.example/myv2/v2'],
    ['server = "https://reg.example/"', 'https://reg.example/v2'],
    ['server = "https://reg.example"\noverride_path = true', 'https://reg.example'],
    ['server = "https://reg.example/"\noverride_path = true', 'https://reg.example'],
    ['server = "https://reg.example/api/docker"\noverride_path = true', 'https://reg.example/api/docker'],
    ['server = "https://user:secret@reg.example"', 'https://reg.example/v2'],
    ['server = "httpbin.example:5000"', 'https://reg.example:5000/v2'],
    ['server = ""', 'https://reg.example:5000/v2'],
    ['# only a comment', 'https://reg.example:5000/v2'],
    ['override_path = true', 'https://reg.example:5000/v2'],
    ['server = "https://reg.example"\nskip_verify = true', 'https://reg.example/v2 unverified'],
    ['skip_verify = true', 'https://reg.example:5000/v2 unverified'],
    ['server = "http://reg.example:5000"\nskip_verify = true', 'https-then-http://reg.example:5000/v2 unverified'],
    ['server = "http://reg.example:5000"\nskip_verify = false', 'https-then-http://reg.example:5000/v2'],
    ['server = "http://reg.example"\nskip_verify = false', 'https-then-http://reg.example/v2'],
    ['server = "http://reg.example:80"\nskip_verify = true', 'http://reg.example:80/v2 unverified'],
    ['server = "http://reg.example:5000"\nca = []', 'https-then-http://reg.example:5000/v2'],
    ['server = "http://reg.example:5000"\nclient = []', 'http://reg.example:5000/v2'],
  ];
  for (const [text, endpoint] of servers) {
    it(`reads ${JSON.stringify(text)} as ${endpoint}`, () => {
      const plan = planFor(IMAGE, CONTAINERD, hostsToml(text));

      assert.deepEqual(plan.problems, []);
      assert.deepEqual(summariesFor(IMAGE, CONTAINERD, hostsToml(text)), [endpoint]);
    });
  }

  it('switches verification off for loopback without a server, whatever the file says', () => {
    const setup = certsD({ 'localhost:5000/hosts.toml': 'skip_verify = false\n' });

    assert.deepEqual(summariesFor('localhost:5000/app', CONTAINERD, setup), [
      'https-then-http://localhost:5000/v2 unverified',
    ]);
  });

  const capabilities: readonly (readonly [list: string, canPull: boolean, canResolve: boolean])[] = [
    ['[]', true, true],
    ['["pull", "resolve"]', true, true],
    ['["PULL"]', true, false],
    ['["resolve", "push"]', false, true],
    ['["referrers"]', false, false],
    ['["pull", "resolve", "referrers"]', true, true],
  ];
  for (const [list, canPull, canResolve] of capabilities) {
    it(`reads capabilities = ${list} as pull ${canPull}, resolve ${canResolve}`, () => {
      const [mirror] = endpointsFor(
        IMAGE,
        'containerd@2.2',
        hostsToml(`[host."https://m.example"]\ncapabilities = ${list}\n`),
      );

      assert.deepEqual([mirror?.canPull, mirror?.canResolve], [canPull, canResolve]);
    });
  }

  it('takes keys in any letter case since containerd 2.0, but not the word host', () => {
    const text = 'Server = "http://other.example"\nSKIP_VERIFY = true\n[Host."https://m.example"]\n';

    assert.deepEqual(summariesFor(IMAGE, 'containerd@2.0', hostsToml(text)), [
      'https-then-http://other.example/v2 unverified',
    ]);
    assert.deepEqual(summariesFor(IMAGE, 'containerd@1.7', hostsToml(text)), ['https://reg.example:5000/v2']);
  });

  it('loses a file that names referrers before containerd 2.2', () => {
    const text = 'server = "http://other.example"\ncapabilities = ["pull", "resolve", "referrers"]\n';
    const plan = planFor(IMAGE, 'containerd@2.1', hostsToml(text));

    assert.deepEqual(summariesFor(IMAGE, 'containerd@2.1', hostsToml(text)), ['https://reg.example:5000/v2']);
    assert.match(
      plan.problems[0]?.reason ?? '',
      /not "referrers", which containerd knows since 2\.2; containerd ignores/u,
    );
    assert.deepEqual(summariesFor(IMAGE, 'containerd@2.2', hostsToml(text)), ['http://other.example/v2']);
  });

  it('applies capabilities at the root to the server, but not to a server that is not named', () => {
    const [named] = endpointsFor(
      IMAGE,
      CONTAINERD,
      hostsToml('server = "https://reg.example"\ncapabilities = ["pull"]'),
    );
    const [unnamed] = endpointsFor(IMAGE, CONTAINERD, hostsToml('capabilities = ["pull"]'));

    assert.equal(named?.canResolve, false);
    assert.equal(unnamed?.canResolve, true);
  });

  it('reads headers as strings and lists', () => {
    const text = '[host."https://m.example".header]\n  Authorization = "Basic c2VjcmV0"\n  x-list = ["a", "b"]\n';
    const [mirror] = endpointsFor(IMAGE, CONTAINERD, hostsToml(text));

    assert.deepEqual(mirror?.headers, { Authorization: ['Basic c2VjcmV0'], 'x-list': ['a', 'b'] });
  });

  it('leaves out a header that cannot be sent, without its value in the problem', () => {
    const plan = planFor(IMAGE, CONTAINERD, hostsToml('[header]\n  x-bad = "top\\nsecret"\n'));

    assert.ok(plan.kind === 'endpoints');
    assert.deepEqual(plan.endpoints[0]?.headers, {});
    assert.match(plan.problems[0]?.reason ?? '', /x-bad/u);
    assert.doesNotMatch(plan.problems[0]?.reason ?? '', /secret/u);
  });

  const timeouts: readonly (readonly [text: string, runtime: string, ms: number])[] = [
    ['"5s"', 'containerd@2.1/transfer', 5000],
    ['"1m30.5s"', 'containerd@2.4/local', 90_500],
    ['"0"', 'containerd@2.1/local', 127_000],
    ['"-1s"', 'containerd@2.1/local', 1],
    ['"9999h"', 'containerd@2.1/local', 2 ** 31 - 1],
    ['"5s"', 'containerd@2.0', 30_000],
    ['"nonsense"', 'containerd@1.7', 30_000],
  ];
  for (const [text, runtime, ms] of timeouts) {
    it(`waits ${ms} ms for a connection with dial_timeout = ${text} on ${runtime}`, () => {
      const plan = planFor(IMAGE, runtime, hostsToml(`dial_timeout = ${text}\n[host]\n`));

      assert.ok(plan.kind === 'endpoints');
      assert.deepEqual(plan.problems, []);
      assert.equal(plan.endpoints[0]?.dialTimeoutMs, ms);
    });
  }

  it('tells other hosts than the own one for whom they are asked', () => {
    assert.deepEqual(namespaceOf('nginx', { 'docker.io/hosts.toml': '[host."https://m.example"]' }), [
      'docker.io',
      undefined,
    ]);
    assert.deepEqual(namespaceOf('nginx', { 'docker.io/hosts.toml': 'server = "https://docker.io"' }), [undefined]);
    assert.deepEqual(
      namespaceOf(IMAGE, {
        'reg.example:5000/hosts.toml': 'server = "http://reg.example:5000"\n[host."https://reg.example"]\n',
      }),
      ['reg.example:5000', undefined],
    );
  });

  it('passes over a mirror that names no host, and says so', () => {
    const plan = planFor(IMAGE, CONTAINERD, hostsToml('[host."httpbin:5000"]\n'));

    assert.ok(plan.kind === 'endpoints');
    assert.deepEqual(
      plan.endpoints.map(({ authority }) => authority),
      ['reg.example:5000'],
    );
    assert.equal(plan.problems.length, 1);
  });
});

describe('what TOML allows and a containerd refuses', () => {
  const OLD = 'containerd@1.7';
  const NEW = 'containerd@2.0';
  const UNCONFIGURED = ['https://reg.example:5000/v2'];
  const rows: readonly (readonly [text: string, runtime: string, endpoints: readonly string[], reason?: RegExp])[] = [
    ['server = "http://s"\n', OLD, UNCONFIGURED, /expected a \[host\] table, which containerd 1\.7/u],
    ['# nothing yet\n', OLD, UNCONFIGURED, /expected a \[host\] table/u],
    ['server = "http://s"\n', NEW, ['http://s/v2']],
    ['server = "http://s"\n[host]\n', OLD, ['http://s/v2']],
    ['server = "http://s"\n[host."http://[::1]:5000"]\n', OLD, UNCONFIGURED, /expected a host without brackets/u],
    ['server = "http://s"\n[host."http://[::1]:5000"]\n', NEW, ['http://[::1]:5000/v2', 'http://s/v2']],
    ['\ufeffserver = "http://s"\n[host]\n', OLD, ['http://s/v2']],
    ['\ufeffserver = "http://s"\n[host]\n', NEW, UNCONFIGURED, /expected no byte order mark/u],
    ['SERVER = "http://s"\n[host]\n', OLD, ['http://s/v2']],
    ['Server = "http://s"\n[host]\n', OLD, UNCONFIGURED],
    ['Server = "http://s"\n[host]\n', NEW, ['http://s/v2']],
    ['host = { "http://m" = {} }\n', OLD, ['http://m/v2', ...UNCONFIGURED]],
    ['host = { "http://m" = {} }\n', NEW, UNCONFIGURED],
    ['[host."http://m"] # the mirror\r\n', NEW, ['http://m/v2', ...UNCONFIGURED]],
  ];
  for (const [text, runtime, endpoints, reason] of rows) {
    it(`goes to ${endpoints.join(' and ')} with ${JSON.stringify(text)} on ${runtime}`, () => {
      const plan = planFor(IMAGE, runtime, hostsToml(text));

      assert.deepEqual(summariesFor(IMAGE, runtime, hostsToml(text)), endpoints);
      if (reason === undefined) assert.deepEqual(plan.problems, []);
      else assert.match(plan.problems[0]?.reason ?? '', reason);
    });
  }
});

describe('the address of a registry in hosts.toml', () => {
  const UNCONFIGURED = 'https://reg.example:5000/v2';
  const rows: readonly (readonly [server: string, endpoint: string | undefined])[] = [
    ['http://s/a b', 'http://s/a%20b/v2'],
    ['http://s/%61%2Fb%3F', 'http://s/a/b%3F/v2'],
    ['http://s/a%zz', UNCONFIGURED],
    ['//s/a', UNCONFIGURED],
    ['httpss://s', undefined],
    ['httpss://s:port', UNCONFIGURED],
  ];
  for (const [server, endpoint] of rows) {
    it(`${server} is ${endpoint ?? 'nowhere'}`, () => {
      const expected = endpoint === undefined ? [] : [endpoint];

      assert.deepEqual(summariesFor(IMAGE, CONTAINERD, hostsToml(`server = "${server}"`)), expected);
    });
  }
});

describe('a folder where a file belongs', () => {
  it('fails every pull from the host, as a mount of a file that is missing makes one', () => {
    const plan = refusalFor(IMAGE, CONTAINERD, certsD({ 'reg.example:5000/hosts.toml/x': '' }));

    assert.equal(plan.reason, 'read "/etc/containerd/certs.d/reg.example:5000/hosts.toml": is a directory');
    assert.equal(plan.file, '/etc/containerd/certs.d/reg.example:5000/hosts.toml');
  });

  it('fails them too the other way round', () => {
    const plan = refusalFor(IMAGE, CONTAINERD, certsD({ 'reg.example_5000_': 'text', '_default/hosts.toml': '' }));

    assert.match(plan.reason, /hosts\.toml": not a directory$/u);
  });

  it('is named before an image of that host is asked for', () => {
    const { problems } = createPlanner({ ...EMPTY_SETUP, ...certsD({ 'reg.example:5000/hosts.toml/x': '' }) });

    assert.match(problems[0]?.reason ?? '', /is a directory$/u);
  });
});

describe('a mistake in hosts.toml', () => {
  const mistakes: readonly (readonly [text: string, line: number, reason: RegExp])[] = [
    ['server = "https://x.example\n', 1, /^expected valid TOML/u],
    ['server = "https://x.example"\n[host."https://m.example"\n', 2, /^expected valid TOML/u],
    ['\n\ncapabilities = ["pull", "fetch"]', 3, /capabilities among .* not "fetch"/u],
    ['[host."https://m"]\ncapabilities = "pull"', 2, /expected capabilities to be a list of strings/u],
    ['ca = 7', 1, /expected ca to be a file/u],
    ['ca = ["a", 7]', 1, /expected ca to be a file/u],
    ['client = [["a", "b", "c"]]', 1, /\[certificate, key\] pairs/u],
    ['client = true', 1, /\[certificate, key\] pairs/u],
    ['skip_verify = "true"', 1, /expected skip_verify to be true or false/u],
    ['override_path = 1', 1, /expected override_path to be true or false/u],
    ['header = "x: y"', 1, /expected header to be a table/u],
    ['[header]\nx-one = 1', 2, /expected header "x-one" to be a string/u],
    ['dial_timeout = "5"', 1, /expected dial_timeout to be a duration/u],
    ['dial_timeout = 5', 1, /expected dial_timeout to be a string/u],
    ['server = 5', 1, /expected server to be a string/u],
    ['server = "https://a b"', 1, /expected a registry as http/u],
    ['host = "x"', 1, /expected host to hold tables/u],
    [
      'skip_verify = true\n[host."https://a"]\nskip_verify = true\n[host."https://b"]\nskip_verify = 1',
      5,
      /skip_verify/u,
    ],
  ];
  for (const [text, line, reason] of mistakes) {
    it(`on line ${line} of ${JSON.stringify(text)} makes containerd ignore the file`, () => {
      const plan = planFor(IMAGE, CONTAINERD, hostsToml(text));

      assert.ok(plan.kind === 'endpoints');
      assert.deepEqual(
        plan.endpoints.map(({ authority, declaredBy }) => [authority, declaredBy]),
        [['reg.example:5000', undefined]],
      );
      assert.equal(plan.problems.length, 1);
      assert.equal(plan.problems[0]?.file, '/etc/containerd/certs.d/reg.example:5000/hosts.toml');
      assert.equal(plan.problems[0]?.line, line);
      assert.match(plan.problems[0]?.reason ?? '', reason);
      assert.match(plan.problems[0]?.reason ?? '', /^[\x20-\x7e]+$/u);
    });
  }

  it('is told without the line that it stands on, which may hold a secret', () => {
    const plan = planFor(IMAGE, CONTAINERD, hostsToml('[header]\nAuthorization = "Bearer hunter2\n'));

    assert.doesNotMatch(JSON.stringify(plan), /hunter2/u);
  });
});

describe('certificates for containerd', () => {
  const authority = createAuthority();
  const { certificate, key } = authority.issue({ use: 'client' });
  const other = createAuthority('Another Root').issue({ use: 'client' });
  const ca = authority.certificate;

  it('come from Docker-style files where there is no hosts.toml, or an empty one, or a broken one', () => {
    const files = {
      'reg.example:5000/ca.crt': ca,
      'reg.example:5000/node.cert': certificate,
      'reg.example:5000/node.key': key,
      'reg.example:5000/both.cert': `${certificate}${key}`,
    };
    for (const extra of [{}, { 'reg.example:5000/hosts.toml': '' }, { 'reg.example:5000/hosts.toml': '[' }]) {
      const [endpoint] = endpointsFor(IMAGE, CONTAINERD, certsD({ ...files, ...extra }));

      assert.equal(endpoint?.scheme, 'https');
      assert.deepEqual(endpoint?.tls, {
        isVerified: true,
        authorities: [ca],
        clientPairs: [
          { certificate: `${certificate}${key}`, key: `${certificate}${key}` },
          { certificate, key },
        ],
      });
      assert.equal(endpoint?.declaredBy, '/etc/containerd/certs.d/reg.example:5000/ca.crt');
    }
  });

  it('are not taken from the files beside a hosts.toml that can be read', () => {
    const files = { 'reg.example:5000/ca.crt': ca, 'reg.example:5000/hosts.toml': '# nothing' };

    assert.deepEqual(endpointsFor(IMAGE, CONTAINERD, certsD(files))[0]?.tls.authorities, []);
  });

  it('are found relative to the host, absolutely, and where the node has the tree', () => {
    const tree = memoryTree('copy/of/certs.d', {
      'reg.example:5000/hosts.toml':
        'ca = ["own.crt", "../shared/ca.crt", "/etc/pki/root.crt", "/etc/containerd/certs.d/reg.example:5000/own.crt"]\n',
      'reg.example:5000/own.crt': `own\n${ca}`,
      'shared/ca.crt': `shared\n${ca}`,
      '/etc/pki/root.crt': `root\n${ca}`,
    });
    const [endpoint] = endpointsFor(IMAGE, CONTAINERD, { certsD: tree });

    assert.deepEqual(
      endpoint?.tls.authorities.map((pem) => pem.split('\n', 1)[0]),
      ['own', 'shared', 'root', 'own'],
    );
  });

  const clients: readonly string[] = ['"both.pem"', '["both.pem"]', '[["client.pem", "key.pem"]]'];
  for (const client of clients) {
    it(`are read from client = ${client}`, () => {
      const files = {
        'reg.example:5000/hosts.toml': `client = ${client}\n`,
        'reg.example:5000/both.pem': `${certificate}${key}`,
        'reg.example:5000/client.pem': certificate,
        'reg.example:5000/key.pem': key,
      };
      const [endpoint] = endpointsFor(IMAGE, CONTAINERD, certsD(files));

      assert.equal(endpoint?.tls.clientPairs.length, 1);
      assert.ok(endpoint?.tls.clientPairs[0]?.key.includes(key));
    });
  }

  const refusals: readonly (readonly [
    name: string,
    files: Readonly<Record<string, string>>,
    file: string,
    reason: RegExp,
  ])[] = [
    [
      'a missing CA',
      { 'hosts.toml': 'ca = "ca.crt"' },
      'reg.example:5000/ca.crt',
      /unable to read CA cert ".*ca\.crt"/u,
    ],
    [
      'a missing CA of a mirror',
      { 'hosts.toml': '[host."https://m"]\nca = "m.crt"' },
      'reg.example:5000/m.crt',
      /unable to read CA cert/u,
    ],
    [
      'a CA that is no PEM',
      { 'hosts.toml': 'ca = "ca.crt"', 'ca.crt': 'hello' },
      'reg.example:5000/ca.crt',
      /unable to load CA cert/u,
    ],
    ['a Docker-style CA that is no PEM', { 'ca.crt': '' }, 'reg.example:5000/ca.crt', /unable to load CA cert/u],
    [
      'a missing client file',
      { 'hosts.toml': 'client = "c.pem"' },
      'reg.example:5000/c.pem',
      /unable to read CERT file/u,
    ],
    [
      'a missing key',
      { 'hosts.toml': 'client = [["c.pem", "k.pem"]]', 'c.pem': certificate },
      'reg.example:5000/k.pem',
      /unable to read CERT file/u,
    ],
    [
      'a key of another certificate',
      { 'hosts.toml': 'client = [["c.pem", "k.pem"]]', 'c.pem': certificate, 'k.pem': other.key },
      'reg.example:5000/c.pem',
      /failed to load X509 key pair/u,
    ],
    [
      'a .cert without its key',
      { 'c.cert': certificate },
      'reg.example:5000/c.cert',
      /failed to load X509 key pair .*: it holds no private key, and there is no key file for it$/u,
    ],
  ];
  for (const [name, files, file, reason] of refusals) {
    it(`refuse every pull with ${name}`, () => {
      const placed = Object.fromEntries(
        Object.entries(files).map(([path, text]) => [`reg.example:5000/${path}`, text]),
      );
      const plan = refusalFor(IMAGE, CONTAINERD, certsD(placed));

      assert.equal(plan.file, `/etc/containerd/certs.d/${file}`);
      assert.match(plan.reason, reason);
    });
  }
});
