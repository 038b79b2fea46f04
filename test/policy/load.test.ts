import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { rootCertificates } from 'node:tls';
import * as fc from 'fast-check';
import { OUTCOME_KINDS } from '../../webhook/outcome/outcome.ts';
import { DEFAULT_POLICY, formatMistakes, readPolicy } from '../../webhook/policy/load.ts';
import type { Policy } from '../../webhook/policy/policy.ts';
import { anyText } from '../support/any-text.ts';

const NAME = 'policy.yaml';

function readGood(text: string): Policy {
  const policy = readPolicy(text, NAME);
  assert.ok(policy.ok, policy.ok ? '' : formatMistakes(NAME, policy.error));
  return policy.value;
}

function mistakesOf(text: string): readonly string[] {
  const policy = readPolicy(text, NAME);
  assert.ok(!policy.ok, `taken as sound: ${text}`);
  return formatMistakes(NAME, policy.error).split('\n');
}

describe('the default policy', () => {
  /** The design's table, written out once more: proven, unproven. */
  const TABLE: Readonly<Record<string, string>> = {
    pullable: 'allow allow',
    'invalid-reference': 'deny warn',
    'tag-not-found': 'deny warn',
    'repository-not-found': 'deny warn',
    'digest-not-found': 'deny warn',
    'platform-mismatch': 'deny warn',
    'pull-secret-malformed': 'deny warn',
    'unsupported-manifest': 'deny warn',
    damaged: 'deny warn',
    'will-not-run': 'warn warn',
    'never-pull-absent': 'warn allow',
    'access-denied': 'deny warn',
    'http-not-declared': 'deny warn',
    'https-expected-http': 'deny warn',
    'tls-unknown-authority': 'deny warn',
    'tls-wrong-name': 'deny warn',
    'tls-expired': 'deny warn',
    'tls-client-certificate-required': 'deny warn',
    'tls-other': 'deny warn',
    'pull-too-slow': 'warn warn',
    'rate-limited': 'warn warn',
    'registry-error': 'warn warn',
    unreachable: 'warn warn',
    'not-checked': 'allow allow',
  };

  for (const kind of OUTCOME_KINDS) {
    it(`meets ${kind} as the table of outcomes says`, () => {
      const { proven, unproven } = DEFAULT_POLICY.actions[kind];

      assert.equal(`${proven} ${unproven}`, TABLE[kind]);
    });
  }

  it('has the documented defaults everywhere else', () => {
    const { actions, ...rest } = DEFAULT_POLICY;

    assert.equal(Object.keys(actions).length, OUTCOME_KINDS.length);
    assert.deepEqual(rest, {
      mode: 'enforce',
      findings: {
        'pull-secret-missing': 'warn',
        'pull-secret-unreadable': 'warn',
        'pull-secret-wrong-type': 'warn',
        'pull-secret-empty': 'warn',
        'pull-secret-token-only': 'warn',
        'pull-secret-odd-login': 'warn',
        'service-account-missing': 'warn',
        'key-nearly-matches': 'warn',
        'certificate-expires-soon': 'warn',
        'endpoints-disagree': 'warn',
        'mutable-tag': 'allow',
        'node-settings-problem': 'warn',
      },
      controllerPods: 'warn',
      placeholders: ['auto'],
      exempt: { namespaces: [], images: [] },
      nodes: {
        runtimes: ['containerd'],
        settings: 'partial',
        platforms: { list: [], isExhaustive: false },
        credentialProviders: 'possible',
        kubelet: { imagePullCredentialsVerificationPolicy: undefined, preloadedImagesVerificationAllowlist: [] },
        containerd: { configPath: undefined, certsD: {}, certsDFrom: undefined, clientCertificates: [] },
        docker: { daemonJson: undefined, certsD: {} },
        crio: {
          registriesConf: undefined,
          registriesConfD: {},
          certsD: {},
          policyJson: undefined,
          namespacePolicies: {},
          shortNameMode: undefined,
        },
        insecureRegistries: [],
        certificateAuthorities: [],
        throughput: { bytesPerSecond: undefined, hosts: {} },
        count: undefined,
        parallelImagePulls: 1,
        registryBurst: undefined,
        stallSeconds: { containerd: undefined, docker: undefined, crio: undefined },
      },
      limits: {
        reviewMs: 3500,
        registryMs: 2500,
        secretMs: 1000,
        maxImages: 64,
        maxHosts: 16,
        maxPullSeconds: undefined,
        requestsPerMinute: 600,
        connectionsPerHost: 8,
      },
      hints: { similarTags: false },
      network: { allow: [], blockedRanges: [], strictRealms: false, realms: [] },
      rules: [],
    });
  });

  const NOTHING_SET = [
    '',
    '\n\n',
    '# mode: warn\n',
    '---\n',
    '{}',
    'apiVersion: pullguard.io/v1\nkind: PullPolicy\n',
    'mode:\nexempt:\n  namespaces:\n  # - team-a\nnodes:\nrules:\n',
  ];
  for (const text of NOTHING_SET) {
    it(`is what ${JSON.stringify(text)} becomes`, () => {
      assert.deepEqual(readGood(text), DEFAULT_POLICY);
    });
  }
});

describe('readPolicy', () => {
  it('takes an action alone for both halves, and a pair for the halves that it names', () => {
    const { actions } = readGood(
      'actions:\n  unreachable: deny\n  damaged: {unproven: allow}\n  tls-other: {proven: warn}\n',
    );

    assert.deepEqual(actions.unreachable, { proven: 'deny', unproven: 'deny' });
    assert.deepEqual(actions.damaged, { proven: 'deny', unproven: 'allow' });
    assert.deepEqual(actions['tls-other'], { proven: 'warn', unproven: 'warn' });
  });

  it('reads what the nodes are declared to be', () => {
    const authority = rootCertificates[0] ?? '';
    const { nodes } = readGood(
      JSON.stringify({
        nodes: {
          runtime: ['containerd@2.1/local', 'crio'],
          settings: 'complete',
          platforms: { list: ['linux/aarch64', 'linux/arm', 'windows/amd64:10.0.20348.2402'], exhaustive: true },
          credentialProviders: ['*.dkr.ecr.*.amazonaws.com', 'gcr.io/team'],
          kubelet: {
            imagePullCredentialsVerificationPolicy: 'NeverVerifyAllowlistedImages',
            preloadedImagesVerificationAllowlist: ['reg.example/base/*', 'reg.example/java'],
          },
          containerd: {
            configPath: '/etc/containerd/certs.d:/etc/docker/certs.d',
            certsD: { 'reg.example:5000/hosts.toml': 'server = "http://reg.example:5000"' },
            certsDFrom: { configMap: 'registry-hosts' },
            clientCertificates: [{ path: '/etc/certs/client.key', secret: 'reg-client', key: 'tls.key' }],
          },
          docker: { daemonJson: '{"insecure-registries": []}', certsD: { 'reg.example/ca.crt': authority } },
          crio: {
            registriesConf: 'unqualified-search-registries = []',
            registriesConfD: { '50-team.conf': '[aliases]' },
            policyJson: '{"default": [{"type": "reject"}]}',
            namespacePolicies: { team: '{"default": []}' },
            shortNameMode: 'disabled',
          },
          insecureRegistries: ['reg.example:5000', '10.0.0.0/8', '[::1]:5000'],
          certificateAuthorities: [authority],
          throughput: {
            default: '20MB/s',
            hosts: { 'reg.example:5000': '100Mbit/s', 'big.example': { perNode: '10MB/s', total: '1GB/s' } },
          },
          count: 12,
          serializeImagePulls: false,
        },
      }),
    );

    assert.deepEqual(nodes, {
      runtimes: ['containerd@2.1/local', 'crio'],
      settings: 'complete',
      platforms: { list: ['linux/arm64', 'linux/arm/v7', 'windows/amd64:10.0.20348'], isExhaustive: true },
      credentialProviders: ['*.dkr.ecr.*.amazonaws.com', 'gcr.io/team'],
      kubelet: {
        imagePullCredentialsVerificationPolicy: 'NeverVerifyAllowlistedImages',
        preloadedImagesVerificationAllowlist: ['reg.example/base/*', 'reg.example/java'],
      },
      containerd: {
        configPath: '/etc/containerd/certs.d:/etc/docker/certs.d',
        certsD: { 'reg.example:5000/hosts.toml': 'server = "http://reg.example:5000"' },
        certsDFrom: { configMap: 'registry-hosts' },
        clientCertificates: [{ path: '/etc/certs/client.key', secret: 'reg-client', key: 'tls.key' }],
      },
      docker: { daemonJson: '{"insecure-registries": []}', certsD: { 'reg.example/ca.crt': authority } },
      crio: {
        registriesConf: 'unqualified-search-registries = []',
        registriesConfD: { '50-team.conf': '[aliases]' },
        certsD: {},
        policyJson: '{"default": [{"type": "reject"}]}',
        namespacePolicies: { team: '{"default": []}' },
        shortNameMode: 'disabled',
      },
      insecureRegistries: ['reg.example:5000', '10.0.0.0/8', '[::1]:5000'],
      certificateAuthorities: [authority],
      throughput: {
        bytesPerSecond: 20_000_000,
        hosts: {
          'reg.example:5000': { perNode: 12_500_000, total: undefined },
          'big.example': { perNode: 10_000_000, total: 1_000_000_000 },
        },
      },
      count: 12,
      parallelImagePulls: Number.POSITIVE_INFINITY,
      registryBurst: undefined,
      stallSeconds: { containerd: undefined, docker: undefined, crio: undefined },
    });
  });

  const PARALLEL = [
    { nodes: { serializeImagePulls: true }, pulls: 1 },
    { nodes: { serializeImagePulls: false }, pulls: Number.POSITIVE_INFINITY },
    { nodes: { maxParallelImagePulls: 1 }, pulls: 1 },
    { nodes: { maxParallelImagePulls: 5 }, pulls: 5 },
    { nodes: { serializeImagePulls: false, maxParallelImagePulls: 5 }, pulls: 5 },
  ];
  for (const { nodes, pulls } of PARALLEL) {
    it(`takes ${JSON.stringify(nodes)} as the kubelet does: ${pulls} at a time`, () => {
      assert.equal(readGood(JSON.stringify({ nodes })).nodes.parallelImagePulls, pulls);
    });
  }

  it('takes the limits of runtimes for pulls that stall, and what a kubelet starts at once', () => {
    const { nodes } = readGood(
      JSON.stringify({
        nodes: {
          containerd: { imagePullProgressTimeout: '30s' },
          docker: { imagePullProgressDeadline: '2m' },
          crio: { pullProgressTimeout: '0s' },
          kubelet: { registryPullQPS: 2 },
        },
      }),
    );

    assert.deepEqual(nodes.stallSeconds, { containerd: 30, docker: 120, crio: 0 });
    assert.equal(nodes.registryBurst, 10);
    for (const [kubelet, burst] of [
      [{ registryPullQPS: 0, registryBurst: 3 }, undefined],
      [{ registryBurst: 3 }, 3],
    ] as const) {
      assert.equal(readGood(JSON.stringify({ nodes: { kubelet } })).nodes.registryBurst, burst);
    }
  });

  it('keeps the shorter deadlines within a review that is shortened', () => {
    const { limits } = readGood('limits:\n  review: 800ms\n');

    assert.deepEqual([limits.reviewMs, limits.registryMs, limits.secretMs], [800, 800, 800]);
  });

  it('reads JSON, which is YAML too', () => {
    const policy = readGood('{"mode": "warn", "limits": {"review": "29s", "registry": "50ms"}}');

    assert.equal(policy.mode, 'warn');
    assert.deepEqual([policy.limits.reviewMs, policy.limits.registryMs], [29_000, 50]);
  });

  it('uses one anchored text in several places', () => {
    const { nodes } = readGood('nodes:\n  docker: {certsD: {a/x: &text hello, b/x: *text}}\n');

    assert.deepEqual(nodes.docker.certsD, { 'a/x': 'hello', 'b/x': 'hello' });
  });
});

describe('the examples', () => {
  const folder = new URL('../../deploy/policies/', import.meta.url);
  for (const file of readdirSync(folder)) {
    it(`${file} is a policy that differs from the default`, () => {
      const policy = readPolicy(readFileSync(new URL(file, folder), 'utf8'), file);

      assert.ok(policy.ok, policy.ok ? '' : formatMistakes(file, policy.error));
      assert.notDeepEqual(policy.value, DEFAULT_POLICY);
    });
  }
});

describe('a document with mistakes', () => {
  const KEY = ['-----BEGIN', 'PRIVATE KEY-----'].join(' ');
  const KEY_REMEDY =
    'holds a private key: many can read policy.yaml, so put the key into a Secret of the namespace of Pullguard and name that Secret in nodes.containerd.clientCertificates';

  const CASES: readonly { readonly text: string; readonly mistakes: readonly string[] }[] = [
    {
      text: 'apiVersion: pullguard.io/v2\nkind: Policy\n',
      mistakes: [
        'policy.yaml:1: apiVersion: "pullguard.io/v2" is not known here, did you mean "pullguard.io/v1"?',
        'policy.yaml:2: kind: expected PullPolicy, found the text "Policy"',
      ],
    },
    {
      text: 'mode: block\n',
      mistakes: ['policy.yaml:1: mode: expected observe, warn or enforce, found the text "block"'],
    },
    {
      text: 'mode: enfroce\n',
      mistakes: ['policy.yaml:1: mode: "enfroce" is not known here, did you mean "enforce"?'],
    },
    {
      text: '# first\nexmept: {}\nlimits:\n  reveiw: 2s\n  zzz: 1\n',
      mistakes: [
        'policy.yaml:2: exmept: unknown key, did you mean "exempt"?',
        'policy.yaml:4: limits.reveiw: unknown key, did you mean "review"?',
        'policy.yaml:5: limits.zzz: unknown key, known here: review, registry, secret, maxImages, maxHosts, maxPullSeconds, requestsPerMinute, connectionsPerHost',
      ],
    },
    { text: 'exmept:\n', mistakes: ['policy.yaml:1: exmept: unknown key, did you mean "exempt"?'] },
    {
      text: 'actions:\n  tag-not-fond: deny\n  damaged: dney\n  unreachable: 3\n  pullable: deny\n  tls-other: {proven: no}\n',
      mistakes: [
        'policy.yaml:2: actions.tag-not-fond: unknown key, did you mean "tag-not-found"?',
        'policy.yaml:3: actions.damaged: "dney" is not known here, did you mean "deny"?',
        'policy.yaml:4: actions.unreachable: expected allow, warn, deny or a map of settings, found the number 3',
        'policy.yaml:5: actions.pullable: cannot deny "pullable": it would refuse every image that the nodes can pull',
        'policy.yaml:6: actions.tls-other.proven: expected allow, warn or deny, found the text "no"',
      ],
    },
    {
      text: 'actions: {damaged: {}}',
      mistakes: ['policy.yaml:1: actions.damaged: sets nothing: give proven, unproven or both'],
    },
    {
      text: 'exempt:\n  namespaces: Team A\n  images: ["a b", "http://x"]\n',
      mistakes: [
        'policy.yaml:2: exempt.namespaces: expected a list, found the text "Team A"',
        'policy.yaml:3: exempt.images[0]: "a b" is not an image pattern: expected for example ghcr.io/team or *.example.com/*',
      ],
    },
    {
      text: 'nodes:\n  runtime: podman\n  platforms: {list: [linux], exhaustive: yes}\n  credentialProviders: some\n',
      mistakes: [
        'policy.yaml:2: nodes.runtime: "podman" is no runtime: expected containerd[@VERSION][/transfer|/local], docker[@VERSION][/graph|/containerd] or crio[@VERSION], for example containerd@2.1/transfer',
        'policy.yaml:3: nodes.platforms.list[0]: "linux" is no platform: expected os/arch[/variant], for example linux/amd64 or linux/arm/v7',
        'policy.yaml:3: nodes.platforms.exhaustive: expected true or false, found the text "yes"',
        'policy.yaml:4: nodes.credentialProviders: expected possible, none or a list, found the text "some"',
      ],
    },
    {
      text: 'nodes:\n  containerd:\n    certsD:\n      /abs: a\n      a/../b: b\n      reg.example:5000/hosts.toml: 4\n    clientCertificates: [{path: /a}]\n',
      mistakes: [
        'policy.yaml:4: nodes.containerd.certsD["/abs"]: "/abs" is not a relative path: expected for example reg.example:5000/hosts.toml',
        'policy.yaml:5: nodes.containerd.certsD["a/../b"]: "a/../b" is not a relative path: expected for example reg.example:5000/hosts.toml',
        'policy.yaml:6: nodes.containerd.certsD["reg.example:5000/hosts.toml"]: expected text, found the number 4',
        'policy.yaml:7: nodes.containerd.clientCertificates[0].secret: is missing: expected the name of an object, for example registry-client',
        'policy.yaml:7: nodes.containerd.clientCertificates[0].key: is missing: expected a key of a Secret, for example tls.key',
      ],
    },
    {
      text: 'nodes:\n  docker: {daemonJson: "{"}\n  throughput: 20Mb/s\n  serializeImagePulls: true\n  maxParallelImagePulls: 4\n',
      mistakes: [
        'policy.yaml:2: nodes.docker.daemonJson: is not JSON, and dockerd would not start with it',
        'policy.yaml:3: nodes.throughput: "20Mb/s" is no throughput: expected for example 20MB/s (bytes) or 100Mbit/s (bits)',
      ],
    },
    {
      text: 'nodes:\n  serializeImagePulls: true\n  maxParallelImagePulls: 4\n',
      mistakes: [
        'policy.yaml:3: nodes.maxParallelImagePulls: is above 1 while serializeImagePulls is true: the kubelet refuses to start with both',
      ],
    },
    {
      text: 'nodes:\n  certificateAuthorities:\n    - my-ca\n    - |\n      -----BEGIN CERTIFICATE-----\n      MIIB\n      -----END CERTIFICATE-----\n',
      mistakes: [
        'policy.yaml:3: nodes.certificateAuthorities[0]: holds no certificate: expected PEM text with a block -----BEGIN CERTIFICATE-----',
        'policy.yaml:4: nodes.certificateAuthorities[1]: certificate 1 of 1 cannot be decoded: copy the PEM file again as it is',
      ],
    },
    {
      text: 'limits:\n  review: 3\n  registry: 5x\n  secret: 1ms\n  maxImages: 0\n  maxHosts: 1.5\n  requestsPerMinute: "9"\n',
      mistakes: [
        'policy.yaml:2: limits.review: expected a duration, for example 3500ms or 2s, found the number 3',
        'policy.yaml:3: limits.registry: "5x" is no duration: expected for example 3500ms, 2s or 1m30s',
        'policy.yaml:4: limits.secret: must be between 50ms and 29s',
        'policy.yaml:5: limits.maxImages: must be at least 1',
        'policy.yaml:6: limits.maxHosts: expected a whole number, found the number 1.5',
        'policy.yaml:7: limits.requestsPerMinute: expected a number, found the text "9"',
      ],
    },
    {
      text: 'limits: {review: 2s, registry: 3s}\n',
      mistakes: ['policy.yaml:1: limits.registry: is longer than the whole review may take (limits.review is 2s)'],
    },
    {
      text: 'network:\n  allow: [reg.example]\n  blockedRanges: [10.0.0.0, 1.2.3.4/40]\n  realms: [{registry: "https://reg.example/v2", realm: "a:99999"}]\n',
      mistakes: [
        'policy.yaml:2: network.allow[0]: "reg.example" is not HOST:PORT: expected for example reg.example:5000, without a scheme or a path',
        'policy.yaml:3: network.blockedRanges[0]: "10.0.0.0" is no address range: expected for example 10.96.0.0/12 or fd00::/8',
        'policy.yaml:3: network.blockedRanges[1]: "1.2.3.4/40" is no address range: expected for example 10.96.0.0/12 or fd00::/8',
        'policy.yaml:4: network.realms[0].registry: "https://reg.example/v2" is not HOST or HOST:PORT: expected for example reg.example:5000, without a scheme or a path',
        'policy.yaml:4: network.realms[0].realm: "a:99999" has a port that does not exist',
      ],
    },
    {
      text: 'rules:\n  - match: {causes: [tls-expird], namespaces: []}\n    set: {}\n  - set: {action: deny}\n  - set:\n      action: {unproven: deny}\n',
      mistakes: [
        'policy.yaml:2: rules[0].match.namespaces: is empty and would match nothing: leave it out to match everything',
        'policy.yaml:2: rules[0].match.causes[0]: "tls-expird" is not known here, did you mean "tls-expired"?',
        'policy.yaml:3: rules[0].set: sets nothing: give mode, action, controllerPods, exempt or maxPullSeconds',
        'policy.yaml:4: rules[1].set.action: would refuse whatever could not be found out: name match.causes, or write {proven: deny}',
        'policy.yaml:6: rules[2].set.action: would refuse whatever could not be found out: name match.causes, or write {proven: deny}',
      ],
    },
    {
      text: 'rules:\n  - match: {causes: [damaged, pullable]}\n    set: {exempt: true, action: deny}\n  - nope\n  - match: {image: [x]}\n',
      mistakes: [
        'policy.yaml:3: rules[0].set.exempt: has no effect with match.causes: it is decided before the check, when no cause is known',
        'policy.yaml:3: rules[0].set.action: cannot deny "pullable": it would refuse every image that the nodes can pull',
        'policy.yaml:4: rules[1]: expected a map of settings, found the text "nope"',
        'policy.yaml:5: rules[2].set: is missing: expected a map of settings',
        'policy.yaml:5: rules[2].match.image: unknown key, did you mean "images"?',
      ],
    },
    {
      text: 'mode: warn\nkind: PullPolicy\nmode: observe\nlimits: 3\n',
      mistakes: [
        'policy.yaml:3: the key "mode" is there twice: keep one',
        'policy.yaml:4: limits: expected a map of settings, found the number 3',
      ],
    },
    {
      text: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: p}\ndata: {policy.yaml: "mode: warn"}\n',
      mistakes: [
        'policy.yaml:2: kind: is the ConfigMap around a policy: give the text below its key policy.yaml alone',
      ],
    },
    { text: '- mode: warn\n', mistakes: ['policy.yaml: expected a map of settings, found a list'] },
    {
      text: 'mode: [',
      mistakes: [
        'policy.yaml:1: is no sound YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
      ],
    },
    {
      text: 'mode: *other\n',
      mistakes: [
        'policy.yaml: cannot be read as YAML: "Unresolved alias (the anchor must be set before the alias): other"',
      ],
    },
    { text: 'mode: !custom warn\n', mistakes: ['policy.yaml:1: is no sound YAML: Unresolved tag: !custom'] },
    {
      text: `nodes:\n  containerd:\n    certsD:\n      reg.example/client.key: |\n        ${KEY}\n        MIIE\n`,
      mistakes: [`policy.yaml:4: nodes.containerd.certsD["reg.example/client.key"]: ${KEY_REMEDY}`],
    },
    {
      text: `nodes:\n  certificateAuthorities:\n    - "${KEY.replace(' ', ' RSA ')}\\nMIIE"\n`,
      mistakes: [`policy.yaml:3: nodes.certificateAuthorities[0]: ${KEY_REMEDY}`],
    },
    { text: `mode: warn\n# ${KEY}\n`, mistakes: [`policy.yaml:2: ${KEY_REMEDY}`] },
    { text: `mode: "${KEY}secretsecret"\n`, mistakes: [`policy.yaml:1: mode: ${KEY_REMEDY}`] },
  ];

  for (const { text, mistakes } of CASES) {
    it(`is refused with every mistake named: ${JSON.stringify(text.slice(0, 60))}`, () => {
      assert.deepEqual(mistakesOf(text), mistakes);
    });
  }

  it('is refused when its aliases would multiply', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'
        .split('')
        .map((name, at) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefg'[at]}`).join(',')}]`),
    ];

    assert.deepEqual(mistakesOf(bomb.join('\n')), [
      'policy.yaml: cannot be read as YAML: "Excessive alias count indicates a resource exhaustion attack"',
    ]);
  });

  it('is refused where a second document follows', () => {
    assert.deepEqual(mistakesOf('mode: warn\n---\nmode: enforce\n'), [
      'policy.yaml:2: begins a second document: a policy is one, so take out the line --- or what follows it',
    ]);
  });

  it('is refused when it is nested too deep, larger than a ConfigMap or contains itself', () => {
    assert.match(mistakesOf('['.repeat(20_000))[0] ?? '', /nested too deep/u);
    assert.deepEqual(mistakesOf('#'.repeat(1024 * 1024 + 1)), ['policy.yaml: has more than 1048576 characters']);
    assert.deepEqual(mistakesOf('exempt: &self\n  namespaces: *self\n'), [
      'policy.yaml:2: exempt.namespaces: expected a list, found a map',
    ]);
  });

  it('has at most fifty mistakes listed, and the number of the others', () => {
    const lines = mistakesOf(Array.from({ length: 60 }, (_, at) => `unknown-${at}: 1`).join('\n'));

    assert.equal(lines.length, 51);
    assert.equal(lines.at(-1), 'policy.yaml: and 10 more mistakes');
  });
});

describe('readPolicy on any text', () => {
  const PIECES = [
    'mode',
    'rules',
    'nodes',
    ':',
    ' ',
    '\n',
    '  ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '&a',
    '*a',
    '"',
    '|',
    'deny',
    '~',
    '!!x',
    '\t',
    '#',
    '?',
    '<<',
    '__proto__',
    '\u0000',
    '\u{1f600}',
  ];
  const text = fc.oneof(
    anyText(200),
    fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((pieces) => pieces.join('')),
    fc.json({ maxDepth: 4 }),
    fc
      .dictionary(
        fc.constantFrom('mode', 'actions', 'exempt', 'nodes', 'limits', 'network', 'rules', 'placeholders'),
        fc.jsonValue({ maxDepth: 4 }),
      )
      .map((document) => JSON.stringify(document)),
  );

  it('never throws, and says one printable ASCII line for each mistake', () => {
    fc.assert(
      fc.property(text, (written) => {
        const policy = readPolicy(written, NAME);

        if (policy.ok) return;
        assert.ok(policy.error.length > 0);
        for (const line of formatMistakes(NAME, policy.error).split('\n'))
          assert.match(line, /^policy\.yaml(?::\d+)?: [ -~]+$/u);
        assert.equal(formatMistakes(NAME, policy.error).split('\n').length, policy.error.length);
      }),
      { numRuns: 200 },
    );
  });
});
