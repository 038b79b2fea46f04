import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { predictNever, weighPresence, type Standing } from '../../webhook/admission/presence.ts';
import type { Doubt } from '../../webhook/outcome/certainty.ts';
import { prediction, PULLABLE, TAG_MISSING } from './builders.ts';
import { SAMPLES } from '../outcome/samples.ts';

const standing = (changes: Partial<Standing> = {}): Standing => ({
  image: 'app:1',
  pullPolicy: 'IfNotPresent',
  isNew: true,
  hasControllingOwner: false,
  ...changes,
});

describe('weighPresence', () => {
  it('lets absence stand where no node can hold the image', () => {
    assert.equal(
      weighPresence(TAG_MISSING, standing(), () => 'absent'),
      TAG_MISSING,
    );
  });

  const DOUBTFUL: readonly (readonly [
    why: string,
    changes: Partial<Standing>,
    presence: 'present' | 'absent' | 'unknown',
    doubt: Doubt,
  ])[] = [
    ['the old object had it', { isNew: false }, 'absent', 'image-may-be-present'],
    ['the Pod has a controlling owner', { hasControllingOwner: true }, 'absent', 'image-may-be-present'],
    ['a node lists it', {}, 'present', 'image-is-present'],
    ['the nodes are not known', {}, 'unknown', 'image-may-be-present'],
  ];
  for (const [why, changes, presence, doubt] of DOUBTFUL) {
    it(`doubts absence where ${why}`, () => {
      const weighed = weighPresence(TAG_MISSING, standing(changes), () => presence);

      assert.equal(weighed.isConclusive, false);
      assert.deepEqual(weighed.doubts, [doubt]);
    });
  }

  it('adds its doubt once, behind those that are there', () => {
    const doubted = prediction(SAMPLES['tag-not-found'], { isConclusive: false, doubts: ['node-credentials'] });
    const once = weighPresence(doubted, standing(), () => 'present');

    assert.deepEqual(weighPresence(once, standing(), () => 'present').doubts, ['node-credentials', 'image-is-present']);
  });

  it('has nothing to say with Always, nor of what rests on the request alone', () => {
    const invalid = prediction(SAMPLES['invalid-reference']);

    assert.equal(
      weighPresence(TAG_MISSING, standing({ pullPolicy: 'Always', isNew: false }), () => 'present'),
      TAG_MISSING,
    );
    assert.equal(
      weighPresence(invalid, standing({ isNew: false }), () => 'present'),
      invalid,
    );
    assert.equal(
      weighPresence(PULLABLE, standing({ isNew: false }), () => 'present'),
      PULLABLE,
    );
  });

  it('doubts that a malformed pull secret is read at all where a node holds the image', () => {
    const malformed = prediction(SAMPLES['pull-secret-malformed']);

    assert.equal(weighPresence(malformed, standing(), () => 'present').isConclusive, false);
    assert.equal(
      weighPresence(malformed, standing(), () => 'absent'),
      malformed,
    );
  });
});

describe('predictNever', () => {
  it('has nothing to say where a node holds the image', () => {
    assert.equal(
      predictNever('app:1', () => 'present'),
      undefined,
    );
  });

  it('is sure only where every node is known to lack it', () => {
    assert.equal(predictNever('app:1', () => 'absent')?.isConclusive, true);
    const unknown = predictNever('app:1', () => 'unknown');
    assert.equal(unknown?.isConclusive, false);
    assert.deepEqual(unknown.doubts, ['image-may-be-present']);
  });
});
