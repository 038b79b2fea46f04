import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { ACTIONS, type Action } from '../../webhook/outcome/action.ts';
import type { Finding } from '../../webhook/outcome/finding.ts';
import { OUTCOME_KINDS, type OutcomeKind, type PullOutcome } from '../../webhook/outcome/outcome.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import { decideImage, exemption, maxPullSecondsFor, type Subject } from '../../webhook/policy/decide.ts';
import { DEFAULT_POLICY, formatMistakes, readPolicy } from '../../webhook/policy/load.ts';
import { MODES, type Policy } from '../../webhook/policy/policy.ts';

const SUBJECT: Subject = {
  namespace: 'team-a',
  kind: 'Deployment',
  image: 'ghcr.io/team/app:1',
  hasControllingOwner: false,
};

function policyOf(document: unknown): Policy {
  const policy = readPolicy(JSON.stringify(document), 'policy');
  assert.ok(policy.ok, policy.ok ? '' : formatMistakes('policy', policy.error));
  return policy.value;
}

/** A reading of globs that knows one star at the end. */
function covers(globs: readonly string[] | undefined, text: string): boolean {
  if (globs === undefined) return true;
  return globs.some((glob) => (glob.endsWith('*') ? text.startsWith(glob.slice(0, -1)) : glob === text));
}

/** Only the kind of an outcome matters to a policy. */
function predicted(kind: OutcomeKind, isConclusive: boolean, findings: readonly Finding[] = []): Prediction {
  const outcome = { kind } as PullOutcome;
  return { outcome, isConclusive, doubts: [], findings, requests: 1, millis: 1, course: [] };
}

describe('decideImage', () => {
  it('refuses what is proven and warns about what is not, by default', () => {
    assert.equal(decideImage(DEFAULT_POLICY, SUBJECT, predicted('tag-not-found', true)).action, 'deny');
    assert.equal(decideImage(DEFAULT_POLICY, SUBJECT, predicted('tag-not-found', false)).action, 'warn');
    assert.equal(decideImage(DEFAULT_POLICY, SUBJECT, predicted('pullable', true)).action, 'allow');
  });

  const MODE_CASES = [
    { mode: 'observe', action: 'allow' },
    { mode: 'warn', action: 'warn' },
    { mode: 'enforce', action: 'deny' },
  ] as const;
  for (const { mode, action } of MODE_CASES) {
    it(`says ${action} in mode ${mode} where enforce would deny`, () => {
      const verdict = decideImage(policyOf({ mode }), SUBJECT, predicted('damaged', true));

      assert.deepEqual(verdict, { action, mode, intended: 'deny', findings: [], isDowngradedForController: false });
    });
  }

  it('warns about a Pod that a controller made, and says that it did', () => {
    const subject = { ...SUBJECT, kind: 'Pod', hasControllingOwner: true };
    const verdict = decideImage(DEFAULT_POLICY, subject, predicted('damaged', true));

    assert.deepEqual([verdict.action, verdict.intended, verdict.isDowngradedForController], ['warn', 'warn', true]);
    assert.equal(decideImage(DEFAULT_POLICY, subject, predicted('pullable', true)).isDowngradedForController, false);
    assert.equal(
      decideImage(policyOf({ controllerPods: 'enforce' }), subject, predicted('damaged', true)).action,
      'deny',
    );
  });

  it('gives each finding its own action, and leaves the outcome its own', () => {
    const finding: Finding = { kind: 'mutable-tag', tag: 'latest' };
    const policy = policyOf({ mode: 'warn', findings: { 'mutable-tag': 'deny' } });
    const verdict = decideImage(policy, SUBJECT, predicted('pullable', true, [finding]));

    assert.equal(verdict.action, 'allow');
    assert.deepEqual(verdict.findings, [{ finding, action: 'warn', intended: 'deny' }]);
  });

  it('lets the first rule that matches and sets a field decide that field alone', () => {
    const policy = policyOf({
      rules: [
        { match: { namespaces: ['other'] }, set: { mode: 'observe' } },
        { match: { images: ['ghcr.io/team'] }, set: { action: { unproven: 'allow' } } },
        { match: { namespaces: ['team-*'], causes: ['damaged'] }, set: { action: 'warn', mode: 'warn' } },
        { match: { kinds: ['Deploy*'] }, set: { mode: 'observe', controllerPods: 'enforce' } },
      ],
    });

    assert.deepEqual(
      [true, false].map((proven) => decideImage(policy, SUBJECT, predicted('damaged', proven)).intended),
      ['warn', 'allow'],
    );
    assert.equal(decideImage(policy, SUBJECT, predicted('damaged', true)).mode, 'warn');
    assert.equal(decideImage(policy, SUBJECT, predicted('tls-other', true)).mode, 'observe');
    assert.equal(
      decideImage(policy, { ...SUBJECT, hasControllingOwner: true }, predicted('tls-other', true)).intended,
      'deny',
    );
  });

  it('says nothing of what is pullable unless a rule names it', () => {
    const unnamed = policyOf({ rules: [{ set: { action: 'warn' } }] });
    const named = policyOf({ rules: [{ match: { causes: ['pullable'] }, set: { action: 'warn' } }] });

    assert.equal(decideImage(unnamed, SUBJECT, predicted('pullable', true)).action, 'allow');
    assert.equal(decideImage(unnamed, SUBJECT, predicted('tag-not-found', true)).action, 'warn');
    assert.equal(decideImage(named, SUBJECT, predicted('pullable', true)).action, 'warn');
  });

  it('refuses what is not proven where a word alone says so of its kind', () => {
    const policy = policyOf({ actions: { unreachable: 'deny' } });

    assert.equal(decideImage(policy, SUBJECT, predicted('unreachable', false)).action, 'deny');
    assert.equal(decideImage(policy, SUBJECT, predicted('rate-limited', false)).action, 'warn');
  });
});

describe('exemption', () => {
  const policy = policyOf({
    exempt: { namespaces: ['kube-*'], images: ['registry.k8s.io'] },
    rules: [
      { match: { namespaces: ['kube-public'], images: ['ghcr.io'] }, set: { exempt: false } },
      { match: { images: ['ghcr.io/team/*'], kinds: ['Job'] }, set: { exempt: true } },
      { match: { kinds: ['CronJob'] }, set: { exempt: true } },
    ],
  });
  const CASES: readonly { readonly subject: Partial<Subject>; readonly expected: string | undefined }[] = [
    { subject: {}, expected: undefined },
    { subject: { namespace: 'kube-system' }, expected: 'namespace' },
    { subject: { image: 'registry.k8s.io/pause:3.10' }, expected: 'image' },
    { subject: { image: 'registry.k8s.io.evil.test/pause:3.10' }, expected: undefined },
    { subject: { image: 'auto' }, expected: 'placeholder' },
    { subject: { image: 'docker.io/library/auto' }, expected: undefined },
    { subject: { namespace: 'kube-public' }, expected: undefined },
    { subject: { namespace: 'kube-public', image: 'nginx' }, expected: 'namespace' },
    { subject: { kind: 'Job' }, expected: 'image' },
    { subject: { kind: 'CronJob', image: 'nginx' }, expected: 'namespace' },
  ];
  for (const { subject, expected } of CASES) {
    it(`is ${expected} for ${JSON.stringify(subject)}`, () => {
      assert.equal(exemption(policy, { ...SUBJECT, ...subject }), expected);
    });
  }

  it('keeps a placeholder out whatever a rule includes again', () => {
    const all = policyOf({ rules: [{ set: { exempt: false } }], exempt: { images: ['*'] } });

    assert.equal(exemption(all, { ...SUBJECT, image: 'auto' }), 'placeholder');
    assert.equal(exemption(all, SUBJECT), undefined);
  });

  it('never comes from a rule that names causes', () => {
    const rule = {
      name: undefined,
      match: { namespaces: undefined, images: undefined, kinds: undefined, causes: OUTCOME_KINDS },
    };
    const set = {
      mode: undefined,
      action: undefined,
      controllerPods: undefined,
      exempt: true,
      maxPullSeconds: undefined,
    };

    assert.equal(exemption({ ...DEFAULT_POLICY, rules: [{ ...rule, set }] }, SUBJECT), undefined);
  });
});

describe('maxPullSecondsFor', () => {
  it('takes the first rule that sets it, else the limit for all', () => {
    const policy = policyOf({
      limits: { maxPullSeconds: 300 },
      rules: [
        { match: { images: ['ghcr.io/team/*'] }, set: { maxPullSeconds: 900 } },
        { set: { maxPullSeconds: 600 } },
      ],
    });

    assert.equal(maxPullSecondsFor(policy, SUBJECT), 900);
    assert.equal(maxPullSecondsFor(policy, { ...SUBJECT, image: 'nginx' }), 600);
    assert.equal(maxPullSecondsFor(policyOf({ limits: { maxPullSeconds: 300 } }), SUBJECT), 300);
    assert.equal(maxPullSecondsFor(DEFAULT_POLICY, SUBJECT), undefined);
  });
});

describe('any policy', () => {
  type Choice = Action | { readonly proven?: Action; readonly unproven?: Action };
  type Written = {
    readonly mode: Policy['mode'];
    readonly actions: Readonly<Record<string, Choice>>;
    readonly controllerPods: 'warn' | 'enforce';
    readonly rules: readonly {
      readonly match: {
        readonly namespaces?: readonly string[];
        readonly kinds?: readonly string[];
        readonly causes?: readonly OutcomeKind[];
      };
      readonly set: {
        readonly mode?: Policy['mode'];
        readonly action?: Choice;
        readonly controllerPods?: 'warn' | 'enforce';
      };
    }[];
  };

  const KINDS = OUTCOME_KINDS.filter((kind) => kind !== 'pullable');
  const action = fc.constantFrom(...ACTIONS);
  const choice: fc.Arbitrary<Choice> = fc.oneof(
    action,
    fc.record({ proven: action, unproven: action }, { requiredKeys: ['proven'] }),
    fc.record({ unproven: action }),
  );
  const mode = fc.constantFrom(...MODES);
  const controllerPods = fc.constantFrom('warn' as const, 'enforce' as const);
  const match = fc.record(
    {
      namespaces: fc.subarray(['team-a', 'team-*', 'other'], { minLength: 1 }),
      kinds: fc.subarray(['Pod', 'Deployment', 'Stateful*'], { minLength: 1 }),
      causes: fc.subarray([...KINDS], { minLength: 1 }),
    },
    { requiredKeys: [] },
  );
  const set = fc.record({ mode, action: choice, controllerPods }, { requiredKeys: [] });
  const rule = fc
    .record({ match, set })
    .filter(
      (one) =>
        Object.keys(one.set).length > 0 &&
        (one.match.causes !== undefined || halfOf(one.set.action, 'unproven') !== 'deny'),
    );
  const document: fc.Arbitrary<Written> = fc.record({
    mode,
    actions: fc.dictionary(fc.constantFrom(...KINDS), choice, { maxKeys: 5 }),
    controllerPods,
    rules: fc.array(rule, { maxLength: 5 }),
  });
  const subject = fc.record({
    namespace: fc.constantFrom('team-a', 'team-b', 'other', 'kube-system'),
    kind: fc.constantFrom('Pod', 'Deployment', 'StatefulSet'),
    image: fc.constantFrom('nginx', 'ghcr.io/team/app:1'),
    hasControllingOwner: fc.boolean(),
  });
  const kind = fc.constantFrom(...OUTCOME_KINDS);

  function halfOf(written: Choice | undefined, half: 'proven' | 'unproven'): Action | undefined {
    return typeof written === 'string' ? written : written?.[half];
  }

  it('never denies an unproven outcome that it does not name', () => {
    fc.assert(
      fc.property(document, subject, kind, (written, who, cause) => {
        const verdict = decideImage(policyOf(written), who, predicted(cause, false));
        const isNamed =
          halfOf(written.actions[cause], 'unproven') === 'deny' ||
          written.rules.some(
            (one) => one.match.causes?.includes(cause) === true && halfOf(one.set.action, 'unproven') === 'deny',
          );

        if (verdict.intended === 'deny') assert.ok(isNamed);
      }),
      { numRuns: 100 },
    );
  });

  it('is decided field by field by the first rule that matches, as a plain reading of it says', () => {
    fc.assert(
      fc.property(document, subject, kind, fc.boolean(), (written, who, cause, isProven) => {
        const half = isProven ? 'proven' : 'unproven';
        let expectedMode: Policy['mode'] | undefined;
        let expectedAction: Action | undefined;
        let expectedPods: string | undefined;
        for (const one of written.rules) {
          if (!covers(one.match.namespaces, who.namespace) || !covers(one.match.kinds, who.kind)) continue;
          if (one.match.causes !== undefined && !one.match.causes.includes(cause)) continue;
          expectedMode ??= one.set.mode;
          expectedPods ??= one.set.controllerPods;
          if (cause !== 'pullable' || one.match.causes !== undefined) expectedAction ??= halfOf(one.set.action, half);
        }
        expectedAction ??= halfOf(written.actions[cause], half) ?? DEFAULT_POLICY.actions[cause][half];
        const isWarned =
          expectedAction === 'deny' && who.hasControllingOwner && (expectedPods ?? written.controllerPods) === 'warn';

        const verdict = decideImage(policyOf(written), who, predicted(cause, isProven));

        assert.equal(verdict.mode, expectedMode ?? written.mode);
        assert.equal(verdict.intended, isWarned ? 'warn' : expectedAction);
        assert.equal(verdict.isDowngradedForController, isWarned);
      }),
      { numRuns: 100 },
    );
  });

  it('denies nothing outside enforce, says nothing in observe, and intends the same in every mode', () => {
    fc.assert(
      fc.property(document, subject, kind, fc.boolean(), (written, who, cause, isProven) => {
        const verdict = decideImage(policyOf(written), who, predicted(cause, isProven));
        const rules = written.rules.map((one) => ({ ...one, set: { ...one.set, mode: 'enforce' } }));
        const enforced = decideImage(policyOf({ ...written, mode: 'enforce', rules }), who, predicted(cause, isProven));

        assert.equal(enforced.action, verdict.intended);
        if (verdict.mode === 'observe') assert.equal(verdict.action, 'allow');
        if (verdict.mode === 'warn') assert.notEqual(verdict.action, 'deny');
        if (verdict.mode === 'enforce') assert.equal(verdict.action, verdict.intended);
      }),
      { numRuns: 100 },
    );
  });
});
