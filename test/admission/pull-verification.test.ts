import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { predictNever, weighPresence } from '../../webhook/admission/presence.ts';
import { mayPullAgain } from '../../webhook/admission/pull-verification.ts';
import { describe as describeOutcome, describeDoubts } from '../../webhook/outcome/message.ts';
import type { PullVerification } from '../../webhook/policy/policy.ts';
import { TAG_MISSING } from './builders.ts';

type Case = readonly [
  declared: PullVerification | undefined,
  versions: readonly string[],
  mayPull: boolean,
  why: string,
];

describe('whether a kubelet may ask again for an image that its node holds', () => {
  const cases: readonly Case[] = [
    [undefined, ['v1.34.2'], false, 'the gate is off by default'],
    [undefined, ['v1.35.0'], true, 'the gate is on by default'],
    [undefined, ['v1.36.1+k3s1'], true, 'and stays on'],
    [undefined, ['v1.35.0-eks-1'], true, 'whatever a vendor adds'],
    [undefined, ['v1.34.2', 'v1.35.0'], false, 'one node that holds it does not ask'],
    [undefined, [''], true, 'a version that is not reported may be any'],
    ['NeverVerify', ['v1.36.0'], false, 'it is switched off'],
    ['NeverVerifyPreloadedImages', ['v1.33.4'], true, 'whoever declares it has switched the gate on'],
    ['AlwaysVerify', ['v1.36.0'], true, 'every image is asked for'],
    ['AlwaysVerify', ['v1.32.0'], false, 'there is no such gate yet'],
    ['NeverVerifyAllowlistedImages', ['v1.36.0'], true, 'the image is not listed'],
  ];
  for (const [declared, versions, mayPull, why] of cases) {
    it(`is ${mayPull} with ${declared ?? 'nothing declared'} on ${versions.join(' and ') || 'none'}: ${why}`, () => {
      const kubelets = {
        imagePullCredentialsVerificationPolicy: declared,
        preloadedImagesVerificationAllowlist: ['reg.example/other'],
      };

      assert.equal(mayPullAgain('reg.example:5000/team/app:1', kubelets, versions), mayPull);
    });
  }

  const listed: readonly (readonly [pattern: string, image: string, isListed: boolean])[] = [
    ['reg.example:5000/team/app', 'reg.example:5000/team/app:1', true],
    ['reg.example:5000/team/app', 'reg.example:5000/team/app', true],
    ['reg.example:5000/team/app', `reg.example:5000/team/app:1@sha256:${'a'.repeat(64)}`, true],
    ['reg.example:5000/team/app', 'reg.example:5000/team/app2:1', false],
    ['reg.example:5000/team/*', 'reg.example:5000/team/app:1', true],
    ['reg.example:5000/team/*', 'reg.example:5000/team/deep/app:1', true],
    ['reg.example:5000/team/*', 'reg.example:5000/teams/app:1', false],
    ['docker.io/library/nginx', 'nginx:1', false],
  ];
  for (const [pattern, image, isListed] of listed) {
    it(`takes ${image} for ${isListed ? 'one of' : 'none of'} ${pattern}`, () => {
      const kubelets = {
        imagePullCredentialsVerificationPolicy: 'NeverVerifyAllowlistedImages',
        preloadedImagesVerificationAllowlist: [pattern],
      } as const;

      assert.equal(mayPullAgain(image, kubelets, ['v1.36.0']), !isListed);
    });
  }
});

describe('an image that nodes hold and guard', () => {
  const standing = { image: 'app:1', pullPolicy: 'IfNotPresent', isNew: true, hasControllingOwner: false } as const;

  it('proves nothing with IfNotPresent, and the doubt says who knows', () => {
    const weighed = weighPresence(TAG_MISSING, standing, () => 'guarded');

    assert.equal(weighed.isConclusive, false);
    assert.deepEqual(weighed.doubts, ['pull-records-unknown']);
    assert.match(describeDoubts(weighed.doubts), /only their kubelet knows .* \(policy nodes\.kubelet\)/u);
  });

  it('may be refused with Never, which is no proof either', () => {
    const prediction = predictNever('app:1', () => 'guarded');

    assert.ok(prediction !== undefined);
    assert.deepEqual([prediction.isConclusive, prediction.doubts], [false, ['pull-records-unknown']]);
    const { cause, remedy } = describeOutcome(prediction.outcome, { family: 'containerd', image: 'app:1' });
    assert.match(cause, /the kubelet may keep this Pod from the image that the nodes hold/u);
    assert.match(remedy, /pull secret that the image was pulled with/u);
  });
});
