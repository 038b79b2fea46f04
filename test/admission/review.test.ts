import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { decodeReview } from '../../webhook/admission/review.ts';
import { podOf, reviewOf } from './builders.ts';

describe('decodeReview', () => {
  const NO_REVIEWS: readonly (readonly [why: string, body: unknown, reason: RegExp])[] = [
    ['nothing', undefined, /JSON object/u],
    ['null', null, /JSON object/u],
    ['a list', [reviewOf(podOf('app'))], /JSON object/u],
    ['a text', 'AdmissionReview', /JSON object/u],
    ['another kind', { ...reviewOf(podOf('app')), kind: 'Pod' }, /kind/u],
    ['v1beta1', { ...reviewOf(podOf('app')), apiVersion: 'admission.k8s.io/v1beta1' }, /version/u],
    ['v2', { ...reviewOf(podOf('app')), apiVersion: 'admission.k8s.io/v2' }, /version/u],
    ['no request', { ...reviewOf(null), request: null }, /no request/u],
    ['a request that is a list', { ...reviewOf(null), request: [] }, /no request/u],
    ['no uid', reviewOf(podOf('app'), { uid: undefined }), /uid/u],
    ['an empty uid', reviewOf(podOf('app'), { uid: '' }), /uid/u],
    ['a uid of a megabyte', reviewOf(podOf('app'), { uid: 'u'.repeat(1024 * 1024) }), /uid/u],
    ['a uid that is a number', reviewOf(podOf('app'), { uid: 7 }), /uid/u],
  ];
  for (const [why, body, reason] of NO_REVIEWS) {
    it(`finds no review in ${why}`, () => {
      const decoded = decodeReview(body);

      assert.equal(decoded.ok, false);
      assert.match(decoded.ok ? '' : decoded.error, reason);
    });
  }

  it('reads what matters of a request', () => {
    const decoded = decodeReview(reviewOf(podOf('app'), { dryRun: true, subResource: 'ephemeralcontainers' }));

    assert.ok(decoded.ok);
    const { object, oldObject, ...rest } = decoded.value;
    assert.deepEqual(object, podOf('app'));
    assert.equal(oldObject, null);
    assert.deepEqual(rest, {
      uid: 'uid-1',
      operation: 'CREATE',
      group: '',
      kind: 'Pod',
      subResource: 'ephemeralcontainers',
      namespace: 'team',
      name: 'web',
      isDryRun: true,
    });
  });

  it('takes fields of the wrong type for absent once the uid is known', () => {
    const odd = { kind: 'Pod', operation: 3, namespace: ['team'], name: {}, dryRun: 'yes', subResource: 0 };

    const decoded = decodeReview(reviewOf(null, odd));

    assert.ok(decoded.ok);
    const { uid, operation, kind, namespace, isDryRun } = decoded.value;
    assert.deepEqual(
      { uid, operation, kind, namespace, isDryRun },
      { uid: 'uid-1', operation: '', kind: '', namespace: '', isDryRun: false },
    );
  });

  it('does not take what every object inherits for a field', () => {
    const body: unknown = JSON.parse('{"__proto__":{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}}');

    assert.equal(decodeReview(body).ok, false);
    assert.equal(Object.hasOwn(Object.prototype, 'kind'), false);
  });

  it('answers any JSON without throwing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (request) => {
        const decoded = decodeReview({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });

        assert.equal(typeof decoded.ok, 'boolean');
      }),
      { numRuns: 500 },
    );
  });
});
