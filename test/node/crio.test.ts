import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryTree } from '../../webhook/node/file-tree.ts';
import { createPlanner } from '../../webhook/node/plan.ts';
import { EMPTY_SETUP, type NodeSetup } from '../../webhook/node/settings.ts';
import { createAuthority } from '../support/pki.ts';
import { endpointsFor, refusalFor, summariesFor } from './ask.ts';

const CRIO = 'crio@1.34';
const DIGEST = `sha256:${'ab'.repeat(32)}`;

function crioWith(...texts: readonly string[]): Partial<NodeSetup> {
  const registriesConf = texts.map((text, at) => ({
    name: at === 0 ? '/etc/containers/registries.conf' : `/etc/containers/registries.conf.d/${at}.conf`,
    text,
  }));
  return { crio: { registriesConf, certsD: [], policyJson: undefined } };
}

describe('the endpoints of CRI-O', () => {
  const images: readonly (readonly [image: string, endpoint: string])[] = [
    ['nginx', 'https://registry-1.docker.io/v2'],
    ['docker.io/library/nginx', 'https://registry-1.docker.io/v2'],
    ['reg.example:5000/app', 'https://reg.example:5000/v2'],
    ['localhost:5000/app', 'https://localhost:5000/v2'],
    ['localhost/app', 'https://localhost/v2'],
    ['127.0.0.1:80/app', 'https://127.0.0.1:80/v2'],
  ];
  for (const [image, endpoint] of images) {
    it(`are ${endpoint} for ${image} where nothing is declared`, () => {
      assert.deepEqual(summariesFor(image, CRIO), [endpoint]);
    });
  }

  for (const image of ['[::1]:5000/app', '[2001:db8::1]/app']) {
    it(`are none for ${image}, which its grammar does not know`, () => {
      assert.equal(refusalFor(image, CRIO).reason, 'invalid reference format');
    });
  }

  it('are none for a host of letters alone, which it takes for a short name', () => {
    assert.match(refusalFor('MyRegistry/app', CRIO).reason, /must be lowercase/u);
  });

  it('fall back to HTTP unverified where the registry is insecure', () => {
    const setup = crioWith('[[registry]]\nlocation = "reg.example:5000"\ninsecure = true\n');

    assert.deepEqual(summariesFor('reg.example:5000/app', CRIO, setup), [
      'https-then-http://reg.example:5000/v2 unverified',
    ]);
    assert.deepEqual(summariesFor('reg.example:5001/app', CRIO, setup), ['https://reg.example:5001/v2']);
  });

  it('are those of the longest prefix, at a boundary of the name', () => {
    const setup = crioWith(`
[[registry]]
prefix = "reg.example"
location = "one.example"
[[registry]]
prefix = "reg.example/team"
location = "two.example/of/team/"
[[registry]]
prefix = "reg.example/team/app"
location = "three.example/app"
[[registry]]
prefix = "reg.example/team/app:1"
location = "none.example/app:9"
`);
    const asked = (image: string): readonly unknown[] =>
      endpointsFor(image, CRIO, setup).map(({ authority, repository }) => `${authority}/${repository}`);

    assert.deepEqual(asked('reg.example/other'), ['one.example/other']);
    assert.deepEqual(asked('reg.example/teams/app'), ['one.example/teams/app']);
    assert.deepEqual(asked('reg.example/team/web'), ['two.example/of/team/web']);
    assert.deepEqual(asked('reg.example/team/app:1'), ['three.example/app']);
    assert.deepEqual(asked('reg.example/team/app/deep:2'), ['three.example/app/deep']);
    assert.deepEqual(asked('reg.example:5000/app'), ['one.example:5000/app']);
    assert.deepEqual(asked('areg.example/app'), ['areg.example/app']);
  });

  it('know wildcards for subdomains, with and without a location', () => {
    const setup = crioWith(`
[[registry]]
prefix = "*.example.com"
location = "proxy.example.net/example"
[[registry]]
prefix = "*.internal"
insecure = true
`);

    assert.deepEqual(
      endpointsFor('a.b.example.com/app', CRIO, setup).map(({ authority, repository }) => [authority, repository]),
      [['proxy.example.net', 'example/app']],
    );
    assert.deepEqual(summariesFor('example.com/app', CRIO, setup), ['https://example.com/v2']);
    assert.deepEqual(summariesFor('x.internal:5000/app', CRIO, setup), [
      'https-then-http://x.internal:5000/v2 unverified',
    ]);
    assert.deepEqual(summariesFor('other.example/x.internal/app', CRIO, setup), ['https://other.example/v2']);
  });

  it('send credentials only where the domain stays the same', () => {
    const setup = crioWith(`
[[registry]]
location = "reg.example"
[[registry.mirror]]
location = "mirror.example/reg"
insecure = true
[[registry.mirror]]
location = "reg.example/cached"
`);
    const endpoints = endpointsFor('reg.example/app', CRIO, setup);

    assert.deepEqual(
      endpoints.map(({ authority, repository, role, takesCredentials, scheme }) => [
        authority,
        repository,
        role,
        takesCredentials,
        scheme,
      ]),
      [
        ['mirror.example', 'reg/app', 'mirror', false, 'https-then-http'],
        ['reg.example', 'cached/app', 'mirror', true, 'https'],
        ['reg.example', 'app', 'upstream', true, 'https'],
      ],
    );
    assert.ok(endpoints.every(({ declaredBy }) => declaredBy === '/etc/containers/registries.conf'));
  });

  it('lose credentials too where a location moves the registry to another domain', () => {
    const setup = crioWith('[[registry]]\nprefix = "reg.example"\nlocation = "new.example"\n');

    assert.equal(endpointsFor('reg.example/app', CRIO, setup)[0]?.takesCredentials, false);
  });

  const mirrors: readonly (readonly [
    name: string,
    text: string,
    byTag: readonly string[],
    byDigest: readonly string[],
  ])[] = [
    [
      'no restriction',
      '[[registry.mirror]]\nlocation = "m.example"',
      ['m.example', 'reg.example'],
      ['m.example', 'reg.example'],
    ],
    [
      'pull-from-mirror = "digest-only"',
      '[[registry.mirror]]\nlocation = "m.example"\npull-from-mirror = "digest-only"',
      ['reg.example'],
      ['m.example', 'reg.example'],
    ],
    [
      'pull-from-mirror = "tag-only"',
      '[[registry.mirror]]\nlocation = "m.example"\npull-from-mirror = "tag-only"',
      ['m.example', 'reg.example'],
      ['reg.example'],
    ],
    [
      'mirror-by-digest-only',
      'mirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.example"',
      ['reg.example'],
      ['m.example', 'reg.example'],
    ],
  ];
  for (const [name, text, byTag, byDigest] of mirrors) {
    it(`include the mirrors that serve such a reference, with ${name}`, () => {
      const setup = crioWith(`[[registry]]\nlocation = "reg.example"\n${text}\n`);
      const asked = (image: string): readonly string[] =>
        endpointsFor(image, CRIO, setup).map(({ authority }) => authority);

      assert.deepEqual(asked('reg.example/app:1'), byTag);
      assert.deepEqual(asked(`reg.example/app@${DIGEST}`), byDigest);
      assert.deepEqual(asked(`reg.example/app:1@${DIGEST}`), byDigest);
    });
  }

  it('are none where the registry is blocked', () => {
    const setup = crioWith('[[registry]]\nprefix = "reg.example/bad"\nlocation = "reg.example/bad"\nblocked = true\n');
    const plan = refusalFor('reg.example/bad/app', CRIO, setup);

    assert.match(plan.reason, /^registry reg\.example\/bad is blocked in \/etc\/containers\/registries\.conf or /u);
    assert.equal(plan.file, '/etc/containers/registries.conf');
    assert.deepEqual(summariesFor('reg.example/good', CRIO, setup), ['https://reg.example/v2']);
  });

  it('pass over a mirror in a blocked registry', () => {
    const setup = crioWith(`
[[registry]]
location = "reg.example"
[[registry.mirror]]
location = "blocked.example"
[[registry]]
location = "blocked.example"
blocked = true
`);

    assert.deepEqual(summariesFor('reg.example/app', CRIO, setup), ['https://reg.example/v2']);
  });

  it('are none where a location makes no name', () => {
    const setup = crioWith('[[registry]]\nprefix = "reg.example"\nlocation = "docker.io"\n');

    assert.match(refusalFor('reg.example/nginx', CRIO, setup).reason, /must be canonical/u);
    assert.deepEqual(summariesFor('reg.example/library/nginx', CRIO, setup), ['https://registry-1.docker.io/v2']);
    const ipv6 = crioWith('[[registry]]\nprefix = "reg.example"\nlocation = "[::1]:5000"\n');
    assert.match(refusalFor('reg.example/app', CRIO, ipv6).reason, /must be canonical/u);
    const upper = crioWith('[[registry]]\nprefix = "reg.example"\nlocation = "Registry"\n');
    assert.match(refusalFor('reg.example/app', CRIO, upper).reason, /must be canonical/u);
  });
});

describe('the drop-ins of registries.conf', () => {
  it('replace prefixes, search lists, modes and aliases of earlier files', () => {
    const setup = crioWith(
      'unqualified-search-registries = ["a.example", "b.example"]\nshort-name-mode = "enforcing"\n[aliases]\napp = "one.example/app"\nweb = "one.example/web"\n[[registry]]\nlocation = "reg.example"\ninsecure = true\n[[registry]]\nlocation = "kept.example"\ninsecure = true\n',
      'unqualified-search-registries = ["c.example"]\n[[registry]]\nlocation = "reg.example"\n',
      '[aliases]\napp = "two.example/app"\nweb = ""\n',
    );

    assert.deepEqual(summariesFor('reg.example/x', CRIO, setup), ['https://reg.example/v2']);
    assert.deepEqual(summariesFor('kept.example/x', CRIO, setup), ['https-then-http://kept.example/v2 unverified']);
    assert.deepEqual(summariesFor('app', CRIO, setup), ['https://two.example/v2']);
    assert.deepEqual(summariesFor('web', CRIO, setup), ['https://c.example/v2']);
  });

  it('empty the search list with an empty list, but not by leaving it out', () => {
    const search = 'unqualified-search-registries = ["a.example"]\n';

    assert.deepEqual(summariesFor('app', CRIO, crioWith(search, '')), ['https://a.example/v2']);
    assert.match(
      refusalFor('app', CRIO, crioWith(search, 'unqualified-search-registries = []')).reason,
      /registries are defined in "\/etc\/containers\/registries\.conf\.d\/1\.conf"$/u,
    );
  });
});

const placesFor = (image: string, runtime: string, text: string): readonly string[] =>
  endpointsFor(image, runtime, crioWith(text)).map(({ authority, repository }) => `${authority}/${repository}`);

describe('short names on CRI-O', () => {
  const TWO = 'unqualified-search-registries = ["docker.io", "quay.io:8443"]\n';
  const IN_TURN = ['registry-1.docker.io/library/nginx', 'quay.io:8443/nginx'];

  it('are completed by the search list', () => {
    assert.deepEqual(placesFor('nginx:1', CRIO, 'unqualified-search-registries = ["quay.io"]'), ['quay.io/nginx']);
    assert.deepEqual(placesFor('me/app', CRIO, 'unqualified-search-registries = ["docker.io"]'), [
      'registry-1.docker.io/me/app',
    ]);
    assert.deepEqual(placesFor('nginx', CRIO, 'unqualified-search-registries = ["docker.io"]'), [
      'registry-1.docker.io/library/nginx',
    ]);
  });

  it('are refused as ambiguous since 1.34, and tried in turn before', () => {
    assert.equal(
      refusalFor('nginx', CRIO, crioWith(TWO)).reason,
      'short name mode is enforcing, but image name nginx:latest returns ambiguous list',
    );
    assert.deepEqual(placesFor('nginx', 'crio@1.33', TWO), IN_TURN);
  });

  it('go by short_name_mode of crio.conf, whose default is no proof', () => {
    const declared = (shortNameMode: 'enforcing' | 'disabled'): Partial<NodeSetup> => {
      const { crio } = crioWith(TWO);
      return crio === undefined ? {} : { crio: { ...crio, shortNameMode } };
    };

    assert.equal(refusalFor('nginx', CRIO, crioWith(TWO)).rule?.isAssumed, true);
    assert.equal(refusalFor('nginx', CRIO, declared('enforcing')).rule?.isAssumed, undefined);
    assert.deepEqual(summariesFor('nginx', CRIO, declared('disabled')), [
      'https://registry-1.docker.io/v2',
      'https://quay.io:8443/v2',
    ]);
  });

  for (const mode of ['permissive', 'disabled', 'enforcing']) {
    it(`heed no short-name-mode = "${mode}" of registries.conf, which CRI-O overrides`, () => {
      const text = `${TWO}short-name-mode = "${mode}"\n`;

      assert.match(refusalFor('nginx', CRIO, crioWith(text)).reason, /ambiguous/u);
      assert.deepEqual(placesFor('nginx', 'crio@1.33', text), IN_TURN);
    });
  }

  it('are refused without a search list, also where Docker Hub has the image', () => {
    const plan = refusalFor('nginx:1.25', CRIO, crioWith('# nothing\n'));

    assert.equal(
      plan.reason,
      'short-name "nginx:1.25" did not resolve to an alias and no unqualified-search registries are defined in "/etc/containers/registries.conf"',
    );
  });

  it('follow an alias before anything else, with tag or digest', () => {
    const text = `${TWO}[aliases]\nnginx = "reg.example/mirrored/nginx"\n"me/app" = "docker.io/me/app"\n`;

    assert.deepEqual(placesFor('nginx', CRIO, text), ['reg.example/mirrored/nginx']);
    assert.deepEqual(placesFor('nginx:1.25', CRIO, text), ['reg.example/mirrored/nginx']);
    assert.deepEqual(placesFor(`nginx@${DIGEST}`, CRIO, text), ['reg.example/mirrored/nginx']);
    assert.deepEqual(placesFor('me/app', CRIO, text), ['registry-1.docker.io/me/app']);
    assert.match(refusalFor('library/nginx', CRIO, crioWith(text)).reason, /ambiguous/u);
  });

  it('are those too whose first part is no DNS name, whatever the kubelet takes it for', () => {
    const text = 'unqualified-search-registries = ["quay.io"]\n';

    assert.deepEqual(placesFor('ex_ample.com/app', CRIO, text), ['quay.io/ex_ample.com/app']);
    assert.equal(endpointsFor('ex_ample.com/app', 'containerd@2.1/transfer')[0]?.authority, 'ex_ample.com');
  });

  it('pay no heed to aliases that are no table, as the library does', () => {
    const text = 'unqualified-search-registries = ["quay.io"]\n[[aliases]]\napp = "a.example/app"\n';

    assert.deepEqual(placesFor('app', CRIO, text), ['quay.io/app']);
  });

  it('take the settings of the registry that they end in', () => {
    const text =
      'unqualified-search-registries = ["reg.example"]\n[[registry]]\nlocation = "reg.example"\ninsecure = true\n';

    assert.deepEqual(summariesFor('app', CRIO, crioWith(text)), ['https-then-http://reg.example/v2 unverified']);
  });
});

describe('certificates for CRI-O', () => {
  const one = createAuthority('One').certificate;
  const two = createAuthority('Two').certificate;
  const trees = [
    memoryTree('/etc/containers/certs.d', { 'reg.example:5000/ca.crt': one, 'docker.io/ca.crt': one }),
    memoryTree('/etc/docker/certs.d', { 'reg.example:5000/ca.crt': two, 'other.example/ca.crt': two }),
  ];
  const setup: Partial<NodeSetup> = { crio: { registriesConf: [], certsD: trees, policyJson: undefined } };
  const authoritiesOf = (image: string): readonly string[] | undefined =>
    endpointsFor(image, CRIO, setup)[0]?.tls.authorities;

  it('come from the first tree that has a folder for the host', () => {
    assert.deepEqual(authoritiesOf('reg.example:5000/app'), [one]);
    assert.deepEqual(authoritiesOf('other.example/app'), [two]);
    assert.deepEqual(authoritiesOf('none.example/app'), []);
  });

  it('come from docker.io for Docker Hub, which is asked elsewhere', () => {
    const [endpoint] = endpointsFor('docker.io/library/nginx', CRIO, setup);

    assert.equal(endpoint?.authority, 'registry-1.docker.io');
    assert.deepEqual(endpoint?.tls.authorities, [one]);
    assert.equal(endpoint?.declaredBy, '/etc/containers/certs.d/docker.io');
  });

  it('refuse the pull where a pair lacks a half', () => {
    const broken = memoryTree('/etc/containers/certs.d', { 'reg.example/a.cert': 'x' });

    assert.match(
      refusalFor('reg.example/app', CRIO, { crio: { registriesConf: [], certsD: [broken], policyJson: undefined } })
        .reason,
      /^missing key a\.key/u,
    );
  });
});

describe('a mistake in registries.conf', () => {
  const mistakes: readonly (readonly [text: string, line: number, reason: RegExp])[] = [
    ['[[registry]\n', 1, /^expected valid TOML/u],
    ['\nunqualified-search-registries = "docker.io"', 2, /to be a list of strings/u],
    ['unqualified-search-registries = ["https://docker.io"]', 1, /to list host\[:port\]/u],
    ['short-name-mode = "strict"', 1, /enforcing, permissive or disabled/u],
    ['[registry]\nlocation = "x"', 1, /written \[\[registry\]\]/u],
    ['[[registry]]\ninsecure = true', 1, /location or a prefix/u],
    ['[[registry]]\nprefix = "a.example"', 2, /location beside the prefix/u],
    ['[[registry]]\nprefix = "*.a.example/x"\nlocation = "b"', 2, /without port or path/u],
    ['[[registry]]\nlocation = "http://a.example"', 2, /without a scheme/u],
    ['[[registry]]\nlocation = "a.example"\ninsecure = "yes"', 3, /insecure to be true or false/u],
    ['[[registry]]\nlocation = "a.example"\npull-from-mirror = "all"', 3, /in a \[\[registry\.mirror\]\]/u],
    ['[[registry]]\nlocation = "a"\n[[registry.mirror]]\ninsecure = true', 3, /location in every/u],
    ['[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "some"', 5, /not "some"/u],
    [
      '[[registry]]\nlocation = "a"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "all"',
      6,
      /not both/u,
    ],
    [
      '[[registry]]\nlocation = "a"\n[[registry]]\nprefix = "b"\nlocation = "a"\ninsecure = true',
      4,
      /same insecure and blocked/u,
    ],
    ['[[registry]]\nlocation = "a"\n[[registry]]\nlocation = "a"\nblocked = true', 2, /same insecure and blocked/u],
    ['[aliases]\nnginx = "nginx"', 2, /to name registry and repository/u],
    ['[aliases]\nnginx = "a.example/nginx:1"', 2, /without tag or digest/u],
    ['[aliases]\nnginx = "Registry/nginx"', 2, /to name registry and repository/u],
    ['[aliases]\n"a.example/x" = "b.example/x"', 2, /a name without registry, tag or digest/u],
    ['[aliases]\n"localhost/x" = "b.example/x"', 2, /a name without registry/u],
    ['[aliases]\n"nginx:1" = "b.example/x"', 2, /a name without registry/u],
    ['[aliases]\nNginx = ""', 2, /a name without registry/u],
    ['credential-helpers = "secretservice"', 1, /to be a list of strings/u],
    ['[registries.search]\nregistries = ["docker.io"]', 1, /version 2/u],
  ];
  for (const [text, line, reason] of mistakes) {
    it(`on line ${line} of ${JSON.stringify(text)} is told`, () => {
      const { problems } = createPlanner({ ...EMPTY_SETUP, ...crioWith(text) });

      assert.equal(problems.length, 1);
      assert.deepEqual([problems[0]?.file, problems[0]?.line], ['/etc/containers/registries.conf', line]);
      assert.match(problems[0]?.reason ?? '', reason);
    });
  }

  it('in any of the files refuses every pull, as nothing can be said of such a node', () => {
    const setup = crioWith('[[registry]]\nlocation = "a.example"\ninsecure = true\n', 'short-name-mode = 1');

    for (const image of ['a.example/app', 'b.example/app', 'app']) {
      const plan = refusalFor(image, CRIO, setup);
      assert.match(plan.reason, /^expected short-name-mode to be a string; CRI-O refuses every pull with it$/u);
      assert.equal(plan.file, '/etc/containers/registries.conf.d/1.conf');
    }
    assert.deepEqual(summariesFor('a.example/app', 'containerd@2.1/transfer', setup), ['https://a.example/v2']);
  });
});
