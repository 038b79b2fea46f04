import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Doubt } from '../../webhook/outcome/certainty.ts';
import { FINDING_KINDS, type Finding, type FindingKind } from '../../webhook/outcome/finding.ts';
import { describe as wordsFor, describeDoubts, describeFinding, verdictLine } from '../../webhook/outcome/message.ts';
import { OUTCOME_KINDS, type Evidence, type PullOutcome } from '../../webhook/outcome/outcome.ts';
import type { RuntimeFamily } from '../../webhook/outcome/runtime.ts';
import { evidence, SAMPLES } from './samples.ts';

const IMAGE = 'reg.example:5000/team/app:1';
const FAMILIES: readonly RuntimeFamily[] = ['containerd', 'docker', 'crio'];
const PRINTABLE_LINE = /^[\x20-\x7e]+$/u;

function line(
  outcome: PullOutcome,
  changes: { family?: RuntimeFamily; image?: string; doubts?: readonly Doubt[] } = {},
): string {
  const { family = 'containerd', image = IMAGE, doubts = [] } = changes;
  return verdictLine({ where: 'container "web"', image, outcome, doubts, wording: { family, image } });
}

describe('the line about an outcome', () => {
  for (const kind of OUTCOME_KINDS) {
    it(`is one printable line with image, cause and remedy for ${kind}`, () => {
      for (const family of FAMILIES) {
        const outcome = SAMPLES[kind];
        const words = wordsFor(outcome, { family, image: IMAGE });
        const text = line(outcome, { family });

        assert.match(text, PRINTABLE_LINE);
        assert.ok(text.startsWith(`container "web", image ${IMAGE}: ${words.cause}`), text);
        assert.ok(text.includes(words.evidence) && text.includes(words.remedy), text);
        assert.equal(words.remedy === '', kind === 'pullable', `a remedy is missing: ${text}`);
        assert.doesNotMatch(text, /undefined|NaN|\[object|\.\. |\s\s/u);
      }
    });

    it(`fits into a warning, cause whole, for ${kind}`, () => {
      const outcome = SAMPLES[kind];
      const wording = { family: 'containerd', image: IMAGE } as const;
      const text = verdictLine(
        {
          where: 'container "web"',
          path: 'spec.containers[0].image',
          image: IMAGE,
          outcome,
          doubts: ['node-settings'],
          wording,
        },
        { maxLength: 240 },
      );

      assert.ok(text.length <= 240, `${text.length}: ${text}`);
      assert.ok(text.includes(wordsFor(outcome, wording).cause), text);
    });
  }

  it('names the field when it is given', () => {
    const text = verdictLine({
      where: 'container "web"',
      path: 'spec.containers[1].image',
      image: IMAGE,
      outcome: SAMPLES['tag-not-found'],
      doubts: [],
      wording: { family: 'containerd', image: IMAGE },
    });

    assert.equal(
      text,
      'container "web" (spec.containers[1].image), image reg.example:5000/team/app:1: tag "1" does not exist in the registry ' +
        '(HEAD https://reg.example:5000/v2/team/app/manifests/1 answered 404 MANIFEST_UNKNOWN as pull secret "ci"). ' +
        'Push the tag, or name one that exists (it has 1.0, 1.1)',
    );
  });
});

type Row = readonly [outcome: PullOutcome, family: RuntimeFamily, image: string, ...expected: string[]];

const denied = (
  reason: 'no-credentials' | 'rejected' | 'insufficient-scope' | 'login-unasked',
  isAnonymous: boolean,
  by: 'registry' | 'token-service' | 'redirect-target' = 'registry',
): PullOutcome => ({
  kind: 'access-denied',
  reason,
  by,
  evidence: evidence({
    status: 401,
    code: 'UNAUTHORIZED',
    askedAs: isAnonymous ? { by: 'anonymous' } : { by: 'pull-secret', secret: 'ci', key: '*.example' },
  }),
});
const http = (declaredBy: string | undefined): PullOutcome => ({
  kind: 'http-not-declared',
  evidence: evidence({ endpoint: 'https://reg.example:5000', status: undefined, code: undefined, declaredBy }),
});

const elsewhere = (status: number | undefined): Partial<Evidence> => ({
  endpoint: 'https://store.example',
  status,
  code: undefined,
  askedAs: { by: 'anonymous' },
  sentBy: 'https://reg.example:5000',
});
const refusedElsewhere = (status: number): PullOutcome => ({
  kind: 'access-denied',
  reason: 'no-credentials',
  by: 'redirect-target',
  evidence: evidence(elsewhere(status)),
});

/** What each reader must find, per runtime. */
const ROWS: Readonly<Record<string, Row>> = {
  'where containerd allows HTTP': [
    http(undefined),
    'containerd',
    IMAGE,
    'speaks plain HTTP',
    'was answered in plain HTTP',
    'Set server = "http://reg.example:5000" and below it [host] in /etc/containerd/certs.d/reg.example:5000/hosts.toml',
    'policy nodes.containerd.certsD',
  ],
  'that dockerd was not asked for a login': [
    denied('login-unasked', true),
    'docker',
    IMAGE,
    'reg.example:5000 refuses without asking for the login that the Pod has (',
    'Let the registry ask for it at /v2/ too: dockerd logs in where that does',
  ],
  'that containerd was not asked for a login': [
    denied('login-unasked', true),
    'containerd',
    IMAGE,
    'Let the registry ask for it by Basic or Bearer (WWW-Authenticate)',
  ],
  'that a store refuses, whatever the login for the registry': [
    refusedElsewhere(403),
    'containerd',
    IMAGE,
    'store.example, where the registry redirects to, refuses to hand it out (',
    'answered 403 without credentials, sent there by https://reg.example:5000). Ask whoever runs the registry',
  ],
  'that a store wants a login of its own': [
    refusedElsewhere(401),
    'docker',
    IMAGE,
    'store.example, where the registry redirects to, wants a login (',
    'Ask whoever runs the registry',
  ],
  'that the registry sends nodes over HTTP where TLS is spoken': [
    {
      kind: 'https-expected-http',
      evidence: evidence({
        ...elsewhere(undefined),
        endpoint: 'http://store.example',
        declaredBy: '/nodes/hosts.toml',
      }),
    },
    'containerd',
    IMAGE,
    'store.example speaks HTTPS, but the registry sends nodes to it over plain HTTP (',
    'Let the registry send nodes to https://store.example',
  ],
  'that the registry sends nodes over HTTPS where none is spoken': [
    { kind: 'http-not-declared', evidence: evidence(elsewhere(undefined)) },
    'containerd',
    IMAGE,
    'store.example speaks plain HTTP, but the registry sends nodes to it over HTTPS (',
    'Let the registry send nodes to http://store.example, or give that host TLS',
  ],
  'which hosts.toml names the endpoint': [
    http('/etc/containerd/certs.d/docker.io/hosts.toml'),
    'containerd',
    'nginx',
    'Write "http://reg.example:5000" for reg.example:5000 in /etc/containerd/certs.d/docker.io/hosts.toml',
  ],
  'that a certificate in the folder is no settings file': [
    http('/etc/containerd/certs.d/reg.example:5000/ca.crt'),
    'containerd',
    IMAGE,
    'in /etc/containerd/certs.d/reg.example:5000/hosts.toml on the nodes',
  ],
  'which daemon.json allows HTTP': [
    { kind: 'https-expected-http', evidence: evidence({ declaredBy: '/nodes/daemon.json' }) },
    'docker',
    IMAGE,
    'Take "reg.example:5000" out of insecure-registries in /nodes/daemon.json',
  ],
  'which policy field allows HTTP': [
    { kind: 'https-expected-http', evidence: evidence({ declaredBy: 'nodes.insecureRegistries' }) },
    'crio',
    IMAGE,
    'out of nodes.insecureRegistries in the policy',
  ],
  'which settings file may spoil TLS': [
    {
      kind: 'tls-other',
      reason: 'unable to read CA cert "/x/ca.crt"',
      evidence: evidence({ status: undefined, declaredBy: '/etc/containerd/certs.d/reg/hosts.toml' }),
    },
    'containerd',
    IMAGE,
    'unable to read CA cert',
    'Check /etc/containerd/certs.d/reg/hosts.toml on the nodes',
  ],
  'that a file of the nodes stops the pull before anything is asked': [
    {
      kind: 'tls-other',
      reason: 'read "/etc/containerd/certs.d/reg/hosts.toml": is a directory',
      evidence: evidence({ status: undefined, declaredBy: '/etc/containerd/certs.d/reg/hosts.toml' }),
    },
    'containerd',
    IMAGE,
    'is a directory (the nodes read /etc/containerd/certs.d/reg/hosts.toml before they ask)',
    'Put /etc/containerd/certs.d/reg/hosts.toml right on the nodes',
    'policy nodes.containerd.certsD',
  ],
  'which file of CRI-O rejects an image, and the flag for it': [
    {
      kind: 'access-denied',
      reason: 'policy-rejects',
      by: 'node-settings',
      subject: '',
      evidence: evidence({ status: undefined, declaredBy: '/etc/containers/policy.json:1' }),
    },
    'crio',
    IMAGE,
    'let /etc/containers/policy.json:1 on the nodes',
    'check --signature-policy',
  ],
  'which drop-in of CRI-O blocks a registry, and the flag for it': [
    {
      kind: 'access-denied',
      reason: 'registry-blocked',
      by: 'node-settings',
      subject: 'reg.example',
      evidence: evidence({ status: undefined, declaredBy: '/etc/containers/registries.conf.d/50-team.conf:2' }),
    },
    'crio',
    IMAGE,
    'take blocked = true out of /etc/containers/registries.conf.d/50-team.conf:2',
    'check --registries-conf-d',
  ],
  'no command with a name that is none': [
    { kind: 'pull-secret-malformed', secret: 'x; reboot', reason: 'no JSON' },
    'containerd',
    IMAGE,
    'kubectl create secret docker-registry NAME ',
  ],
  'where docker allows HTTP': [
    http(undefined),
    'docker',
    IMAGE,
    'Add "reg.example:5000" to insecure-registries in /etc/docker/daemon.json',
  ],
  'where CRI-O allows HTTP': [
    http(undefined),
    'crio',
    IMAGE,
    'Set insecure = true for location = "reg.example:5000" in /etc/containers/registries.conf',
  ],
  'where containerd takes a CA': [
    SAMPLES['tls-unknown-authority'],
    'containerd',
    IMAGE,
    '/etc/containerd/certs.d/reg.example:5000/ca.crt',
    'issued by "CN=Example CA"',
  ],
  'where docker takes a CA': [
    SAMPLES['tls-unknown-authority'],
    'docker',
    IMAGE,
    '/etc/docker/certs.d/reg.example:5000/ca.crt',
  ],
  'where CRI-O takes a CA': [
    SAMPLES['tls-unknown-authority'],
    'crio',
    IMAGE,
    '/etc/containers/certs.d/reg.example:5000/ca.crt',
  ],
  'where docker takes a client certificate': [
    SAMPLES['tls-client-certificate-required'],
    'docker',
    IMAGE,
    '/etc/docker/certs.d/reg.example:5000/client.cert',
  ],
  'that HTTPS is spoken': [
    SAMPLES['https-expected-http'],
    'containerd',
    IMAGE,
    'speaks HTTPS',
    'Write "https://reg.example:5000"',
  ],
  'when the certificate was valid': [SAMPLES['tls-expired'], 'crio', IMAGE, 'valid only from 2024-01-01 to 2025-01-01'],
  'which names the certificate has': [
    SAMPLES['tls-wrong-name'],
    'docker',
    IMAGE,
    'only for reg.example, reg.internal',
    'with reg.example as subject alternative name',
  ],
  'how to make the missing pull secret': [
    denied('no-credentials', true),
    'containerd',
    IMAGE,
    'answered 401 UNAUTHORIZED without credentials',
    'kubectl create secret docker-registry NAME --docker-server=reg.example:5000',
    'imagePullSecrets',
  ],
  'the server name of Docker Hub': [
    denied('no-credentials', true),
    'containerd',
    'me/private',
    '--docker-server=https://index.docker.io/v1/',
  ],
  'which secret and key was refused by whom': [
    denied('rejected', false, 'token-service'),
    'containerd',
    IMAGE,
    'the token service reg.example:5000 rejected the login of pull secret "ci" (entry "*.example")',
  ],
  'that the account lacks rights': [
    denied('insufficient-scope', false),
    'containerd',
    IMAGE,
    'the account of pull secret "ci" (entry "*.example") may not pull',
    'Grant that account pull on team/app',
  ],
  'that a hidden repository may not exist': [
    denied('insufficient-scope', true),
    'containerd',
    IMAGE,
    'private or does not exist',
    'Correct the name',
  ],
  'the platforms that exist': [SAMPLES['platform-mismatch'], 'containerd', IMAGE, 'linux/arm64, only for linux/amd64'],
  'the numbers of a slow pull': [
    SAMPLES['pull-too-slow'],
    'containerd',
    IMAGE,
    '4.1 GiB at 20 MB/s is about 3.7 min, the Pod or Job ends after 2 min',
  ],
  'the blob that is damaged': [
    SAMPLES.damaged,
    'containerd',
    IMAGE,
    'the layer sha256:0123456789ab is absent from the registry',
    'Push the image again',
  ],
};

describe('the line tells', () => {
  for (const [what, [outcome, family, image, ...expected]] of Object.entries(ROWS)) {
    it(what, () => {
      const text = line(outcome, { family, image });

      for (const part of expected) assert.ok(text.includes(part), `${part}\nis not in\n${text}`);
    });
  }
});

describe('doubts', () => {
  const FIELDS: Readonly<Record<Doubt, string>> = {
    'node-credentials': 'policy nodes.credentialProviders',
    'node-settings': 'policy nodes.settings',
    'node-platforms': 'policy nodes.platforms',
    'node-runtime': 'policy nodes.runtime',
    'image-may-be-present': 'imagePullPolicy: Always',
    'image-is-present': 'imagePullPolicy: Always',
    'pull-records-unknown': 'policy nodes.kubelet',
    'insecure-range': 'host:port',
    'settings-unusable': 'daemon.json',
    'short-name-mode': 'policy nodes.crio.shortNameMode',
    'secret-may-follow': 'apply it first',
    'volume-not-mounted': 'volumeMounts',
    'not-every-endpoint': 'policy nodes.containerd',
    'not-a-registry-answer': 'proxy',
    'answers-disagree': 'different answers',
    'redirect-login': 'redirects to',
    'secret-unread': '"get" on Secrets',
  };

  for (const [doubt, settledBy] of Object.entries(FIELDS) as [Doubt, string][]) {
    it(`say what would settle ${doubt}`, () => {
      const clause = describeDoubts([doubt]);

      assert.match(clause, /^not certain, because [\x20-\x7e]+$/u);
      assert.ok(clause.includes(settledBy), clause);
    });
  }

  it('are joined, each once, and are silent where there are none', () => {
    assert.equal(describeDoubts([]), '');
    assert.equal(
      describeDoubts(['answers-disagree', 'not-a-registry-answer', 'answers-disagree']),
      'not certain, because the same question got different answers, and the answer is not one that a registry gives: a proxy may have sent it',
    );
  });

  it('stand in the line between evidence and remedy', () => {
    const text = line(denied('no-credentials', true), { doubts: ['node-credentials'] });

    assert.match(
      text,
      /without credentials\)\. Not certain, because nodes may hold .*credentialProviders\)\. Create a pull secret/u,
    );
  });
});

const FINDINGS: { readonly [K in FindingKind]: readonly [Extract<Finding, { kind: K }>, RegExp] } = {
  'pull-secret-missing': [{ kind: 'pull-secret-missing', secret: 'ci' }, /^Pull secret "ci" does not exist/u],
  'pull-secret-unreadable': [{ kind: 'pull-secret-unreadable', secret: 'ci', reason: 'forbidden' }, /RBAC/u],
  'pull-secret-wrong-type': [
    { kind: 'pull-secret-wrong-type', secret: 'ci', type: 'Opaque' },
    /"Opaque", which the kubelet ignores/u,
  ],
  'pull-secret-empty': [
    { kind: 'pull-secret-empty', secret: 'ci', key: '.dockerconfigjson' },
    /no data under "\.dockerconfigjson"/u,
  ],
  'pull-secret-token-only': [
    { kind: 'pull-secret-token-only', secret: 'ci', entry: 'r.azurecr.io', field: 'identitytoken' },
    /only identitytoken for "r\.azurecr\.io"/u,
  ],
  'pull-secret-odd-login': [
    { kind: 'pull-secret-odd-login', secret: 'ci', entry: 'reg.io', reason: 'no-login' },
    /^Pull secret "ci" has an entry "reg\.io" without a user name and a password/u,
  ],
  'service-account-missing': [
    { kind: 'service-account-missing', serviceAccount: 'bot' },
    /^ServiceAccount "bot" does not exist/u,
  ],
  'key-nearly-matches': [
    {
      kind: 'key-nearly-matches',
      secret: 'ci',
      entry: 'https://reg.io/v2',
      image: 'reg.io/a',
      reason: 'of its path /v2',
    },
    /"https:\/\/reg\.io\/v2" that does not match reg\.io\/a because of its path \/v2/u,
  ],
  'certificate-expires-soon': [
    { kind: 'certificate-expires-soon', host: 'reg:5000', validTo: '2027-01-01', days: 1 },
    /certificate of reg:5000 expires in 1 day \(2027-01-01\)/u,
  ],
  'endpoints-disagree': [
    {
      kind: 'endpoints-disagree',
      answers: [
        { endpoint: 'mirror:5000', role: 'mirror', content: 'tag "1"', has: true, answer: 'has it' },
        { endpoint: 'reg:5000', role: 'upstream', content: 'tag "1"', has: false, answer: 'answered 404' },
        { endpoint: 'mirror:5000', role: 'mirror', content: 'layer x', has: false, answer: 'answered 404' },
      ],
    },
    /^The endpoints .*: tag "1": mirror mirror:5000 has it, upstream reg:5000 answered 404; layer x: mirror .*; make them/u,
  ],
  'mutable-tag': [{ kind: 'mutable-tag', tag: 'latest' }, /pin the image by digest/u],
  'node-settings-problem': [
    { kind: 'node-settings-problem', file: 'reg:5000/hosts.toml', reason: 'line 3: no value' },
    /^Node settings reg:5000\/hosts\.toml: line 3: no value$/u,
  ],
};

describe('the sentence about a finding', () => {
  for (const kind of FINDING_KINDS) {
    it(`names the place and the remedy for ${kind}`, () => {
      const [finding, expected] = FINDINGS[kind];
      const text = describeFinding(finding);

      assert.match(text, expected);
      assert.match(text, PRINTABLE_LINE);
    });
  }

  it('says where else a missing pull secret is, and that a name is all that counts', () => {
    const missing = (secret: string, elsewhere: readonly string[] = []): string =>
      describeFinding({ kind: 'pull-secret-missing', secret, elsewhere });

    assert.equal(
      missing('ci', ['ops', 'team']),
      'Pull secret "ci" does not exist in this namespace, only in ops, team: the kubelet pulls without it; create it beside the Pod too',
    );
    assert.equal(
      missing('ops/ci'),
      'Pull secret "ops/ci" does not exist in this namespace: imagePullSecrets takes names alone, of Secrets in the namespace of the Pod',
    );
  });
});
