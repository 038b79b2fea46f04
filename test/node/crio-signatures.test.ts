import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndpointPlan } from '../../webhook/node/endpoint.ts';
import { createPlanner } from '../../webhook/node/plan.ts';
import { EMPTY_SETUP, type NodeSetup } from '../../webhook/node/settings.ts';
import { planFor, referenceTo, refusalFor, summariesFor } from './ask.ts';

const CRIO = 'crio@1.34';
const DIGEST = `sha256:${'ab'.repeat(32)}`;
const FILE = '/etc/containers/policy.json';
const ACCEPT = [{ type: 'insecureAcceptAnything' }];
const REJECT = [{ type: 'reject' }];
const SIGNED = [{ type: 'signedBy', keyType: 'GPGKeys', keyPath: '/etc/pki/key.gpg' }];
const SIGSTORE = [{ type: 'sigstoreSigned', keyPath: '/etc/pki/cosign.pub' }];

function withText(text: string, registries?: string): NodeSetup {
  const registriesConf = registries === undefined ? [] : [{ name: 'registries.conf', text: registries }];
  return { ...EMPTY_SETUP, crio: { registriesConf, certsD: [], policyJson: { name: FILE, text } } };
}

const withPolicy = (document: unknown, registries?: string): NodeSetup =>
  withText(JSON.stringify(document, undefined, 2), registries);

describe('a signature policy that rejects', () => {
  it('refuses every image in the words of the runtime', () => {
    const plan = refusalFor('reg.example:5000/team/app:1', CRIO, withPolicy({ default: REJECT }));

    assert.equal(
      plan.reason,
      'SignatureValidationFailed: Source image rejected: Running image docker://reg.example:5000/team/app:1 is rejected by policy.',
    );
    assert.equal(plan.file, FILE);
  });

  const names: readonly (readonly [image: string, shown: string])[] = [
    ['docker.io/library/nginx:1.25', 'nginx:1.25'],
    ['docker.io/me/app', 'me/app:latest'],
    [`reg.example/app:1@${DIGEST}`, `reg.example/app@${DIGEST}`],
  ];
  for (const [image, shown] of names) {
    it(`names ${image} as ${shown}`, () => {
      assert.ok(refusalFor(image, CRIO, withPolicy({ default: REJECT })).reason.includes(`docker://${shown} is`));
    });
  }

  const scopes: readonly (readonly [scope: string, image: string, isRejected: boolean])[] = [
    ['reg.example/team/app:1', 'reg.example/team/app:1', true],
    ['reg.example/team/app:1', 'reg.example/team/app:2', false],
    [`reg.example/team/app@${DIGEST}`, `reg.example/team/app:1@${DIGEST}`, true],
    ['reg.example/team/app:1', `reg.example/team/app:1@${DIGEST}`, false],
    ['reg.example/team/app', 'reg.example/team/app:2', true],
    ['reg.example/team', 'reg.example/team/deep/app', true],
    ['reg.example/team', 'reg.example/teams/app', false],
    ['reg.example', 'reg.example/team/app', true],
    ['reg.example', 'reg.example:5000/team/app', false],
    ['reg.example:5000', 'reg.example:5000/team/app', true],
    ['docker.io', 'docker.io/library/nginx', true],
    ['docker.io/nginx', 'docker.io/library/nginx', false],
    ['docker.io/library/nginx', 'nginx', true],
    ['*.example', 'reg.example:5000/app', true],
    ['*.example', 'deep.reg.example/app', true],
    ['*.reg.example', 'reg.example/app', false],
    ['', 'reg.example/app', true],
  ];
  for (const [scope, image, isRejected] of scopes) {
    it(`${isRejected ? 'refuses' : 'lets pass'} ${image} by the scope ${JSON.stringify(scope)}`, () => {
      const setup = withPolicy({ default: ACCEPT, transports: { docker: { [scope]: REJECT } } });

      assert.equal(planFor(image, CRIO, setup).kind, isRejected ? 'refused' : 'endpoints');
    });
  }

  it('gives way to the longest scope, and to no other transport', () => {
    const setup = withPolicy({
      default: REJECT,
      transports: {
        'docker-daemon': { '': ACCEPT },
        docker: { 'reg.example': REJECT, 'reg.example/team': ACCEPT, '*.example': ACCEPT },
      },
    });

    assert.equal(planFor('reg.example/team/app', CRIO, setup).kind, 'endpoints');
    assert.equal(planFor('reg.example/other', CRIO, setup).kind, 'refused');
    assert.equal(planFor('other.example/app', CRIO, setup).kind, 'endpoints');
    assert.equal(planFor('elsewhere.test/app', CRIO, setup).kind, 'refused');
  });

  it('refuses by one requirement of many', () => {
    assert.equal(
      planFor('reg.example/app', CRIO, withPolicy({ default: [...ACCEPT, ...SIGNED, ...REJECT] })).kind,
      'refused',
    );
  });

  it("asks for the image's own name, not for where it comes from", () => {
    const registries = '[[registry]]\nprefix = "reg.example"\nlocation = "moved.example"\n';
    const moved = withPolicy({ default: ACCEPT, transports: { docker: { 'moved.example': REJECT } } }, registries);
    const own = withPolicy({ default: ACCEPT, transports: { docker: { 'reg.example': REJECT } } }, registries);

    assert.deepEqual(summariesFor('reg.example/app', CRIO, moved), ['https://moved.example/v2']);
    assert.equal(planFor('reg.example/app', CRIO, own).kind, 'refused');
  });

  it('passes over the candidates of a short name that it rejects', () => {
    const registries = 'unqualified-search-registries = ["a.example", "b.example"]\n';
    const setup = withPolicy({ default: ACCEPT, transports: { docker: { 'a.example': REJECT } } }, registries);

    assert.deepEqual(summariesFor('app', 'crio@1.33', setup), ['https://b.example/v2']);
  });

  it("is the namespace's own where it has one", () => {
    const own = (default_: unknown): { name: string; text: string } => ({
      name: '/etc/crio/policies/team.json',
      text: JSON.stringify({ default: default_ }),
    });
    const plan = (default_: unknown, namespace?: string): EndpointPlan => {
      const { crio } = withPolicy({ default: REJECT });
      const setup = { ...EMPTY_SETUP, crio: { ...crio, namespacePolicies: new Map([['team', own(default_)]]) } };
      return createPlanner(setup).plan(referenceTo('reg.example/app'), { family: 'crio', version: [1, 34] }, namespace);
    };
    const fileOf = (one: EndpointPlan): string | undefined => (one.kind === 'refused' ? one.file : one.kind);

    assert.equal(fileOf(plan(ACCEPT, 'team')), 'endpoints');
    assert.equal(fileOf(plan(ACCEPT, 'other')), FILE);
    assert.equal(fileOf(plan(ACCEPT)), FILE);
    assert.equal(fileOf(plan(REJECT, 'team')), '/etc/crio/policies/team.json');
    // a mistake in it spoils that namespace alone
    assert.equal(fileOf(plan([], 'team')), '/etc/crio/policies/team.json');
    assert.equal(fileOf(plan([], 'other')), FILE);
  });

  it('is for CRI-O alone', () => {
    const setup = withPolicy({ default: REJECT });

    assert.equal(planFor('reg.example/app', 'containerd@2.1/transfer', setup).kind, 'endpoints');
    assert.equal(planFor('reg.example/app', 'docker@28', setup).kind, 'endpoints');
  });
});

describe('a signature policy that wants signatures', () => {
  for (const [type, requirements] of [
    ['signedBy', SIGNED],
    ['sigstoreSigned', [...ACCEPT, ...SIGSTORE]],
  ] as const) {
    it(`lets an image pass with a note for ${type}`, () => {
      const plan = planFor('reg.example/app', CRIO, withPolicy({ default: requirements }));

      assert.equal(plan.kind, 'endpoints');
      assert.deepEqual(
        plan.problems.map(({ file, line }) => [file, line]),
        [[FILE, undefined]],
      );
      assert.match(plan.problems[0]?.reason ?? '', new RegExp(`signed here \\(${type}\\).*not verified`, 'u'));
    });
  }

  it('says nothing of an image that needs none', () => {
    const setup = withPolicy({ default: SIGNED, transports: { docker: { 'reg.example': ACCEPT } } });

    assert.deepEqual(planFor('reg.example/app', CRIO, setup).problems, []);
  });

  it('is no mistake in the file', () => {
    assert.deepEqual(createPlanner(withPolicy({ default: SIGNED })).problems, []);
  });
});

describe('a mistake in policy.json', () => {
  const mistakes: readonly (readonly [text: string, line: number | undefined, reason: RegExp])[] = [
    ['{', 1, /^expected a key in double quotes or "\}"/u],
    ['[]', 1, /to be a JSON object/u],
    ['{}', undefined, /default to be a list of at least one requirement/u],
    ['{\n"default": []}', 2, /default to be a list of at least one/u],
    ['{"default": [{"type": "reject"}],\n"transport": {}}', 2, /not "transport"/u],
    ['{"default": [{"type": "reject"}],\n"transports": null}', 2, /transports to be a JSON object/u],
    ['{"default": [{"type": "reject"}],\n"transports": {\n"docker": []}}', 3, /transport "docker" to be/u],
    ['{"default": [{"type": "rejects"}]}', 1, /type is one of insecureAcceptAnything, reject, signedBy/u],
    ['{"default": [{"type": "reject", "note": "no"}]}', 1, /type is one of/u],
    ['{"default": [{"Type": "reject"}]}', 1, /type is one of/u],
    ['{"default": ["reject"]}', 1, /to be an object whose type/u],
    [
      '{"default": [{"type": "reject"}],\n"transports": {"docker": {\n"reg.example":\n[]}}}',
      3,
      /scope "reg\.example" to be a list/u,
    ],
  ];
  for (const [text, line, reason] of mistakes) {
    it(`on line ${line ?? 'none'} of ${JSON.stringify(text)} is told`, () => {
      const { problems } = createPlanner(withText(text));

      assert.deepEqual(
        problems.map((problem) => [problem.file, problem.line]),
        [[FILE, line]],
      );
      assert.match(problems[0]?.reason ?? '', reason);
      assert.match(problems[0]?.reason ?? '', /CRI-O refuses every pull with it$/u);
    });
  }

  it('refuses every pull', () => {
    assert.equal(refusalFor('reg.example/app', CRIO, withText('{')).file, FILE);
    assert.equal(planFor('reg.example/app', 'containerd@2.1/transfer', withText('{')).kind, 'endpoints');
  });
});
