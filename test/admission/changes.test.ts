import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changesOf, type Changes } from '../../webhook/admission/changes.ts';
import { decodeReview } from '../../webhook/admission/review.ts';
import { container, deployment, pod, podOf, reviewOf, updateOf } from './builders.ts';

function changes(body: unknown): Changes | undefined {
  const decoded = decodeReview(body);
  assert.ok(decoded.ok);
  return changesOf(decoded.value);
}

const images = (body: unknown): readonly string[] | undefined => changes(body)?.workload.uses.map(({ image }) => image);

const meta = (metadata: object): object => ({
  ...podOf('a:1'),
  metadata: { name: 'web', namespace: 'team', ...metadata },
});

describe('changesOf', () => {
  const two = podOf('a:1', 'b:1');
  const spec = { containers: [container('a', 'a:1')], serviceAccountName: 'x', imagePullSecrets: [{ name: 's' }] };
  const selector = { nodeSelector: { 'kubernetes.io/arch': 'arm64' } };

  const UNTOUCHED: readonly (readonly [why: string, body: unknown])[] = [
    ['an update of nothing', updateOf(two, two)],
    ['an update of labels', updateOf(meta({}) as typeof two, meta({ labels: { a: 'b' } }) as typeof two)],
    ['the removal of a finalizer', updateOf(meta({ finalizers: ['x'] }) as typeof two, meta({}) as typeof two)],
    ['containers in another order', updateOf(two, podOf('b:1', 'a:1'))],
    ['a container less', updateOf(two, podOf('a:1'))],
    [
      'what is being deleted',
      updateOf(two, { ...podOf('z:1'), metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    ],
    ['replicas', updateOf(deployment(spec, { replicas: 1 }), deployment(spec, { replicas: 9 }))],
    ['DELETE', reviewOf(null, { operation: 'DELETE', oldObject: two })],
    ['CONNECT', reviewOf(two, { operation: 'CONNECT' })],
    ['an operation that nobody knows', reviewOf(two, { operation: 'create' })],
    ['status', updateOf(two, podOf('z:1'), { subResource: 'status' })],
    ['resize', updateOf(two, podOf('z:1'), { subResource: 'resize' })],
    [
      'scale',
      reviewOf({ kind: 'Scale', spec: {} }, { kind: { group: 'autoscaling', kind: 'Scale' }, subResource: 'scale' }),
    ],
    ['another kind', reviewOf({ kind: 'ConfigMap' }, { kind: { group: '', kind: 'ConfigMap' } })],
    [
      'the same kind of another group',
      reviewOf(deployment(spec), { kind: { group: 'example.com', kind: 'Deployment' } }),
    ],
    ['no object', reviewOf(null)],
    ['an object that is a list', reviewOf(null, { object: [two] })],
    ['an object that is a text', reviewOf(null, { object: 'pod' })],
    ['a Pod without images', reviewOf(pod({ containers: [] }))],
    ['no namespace', reviewOf(two, { namespace: '' })],
    ['a namespace that is a path', reviewOf(two, { namespace: '../kube-system' })],
  ];
  for (const [why, body] of UNTOUCHED) {
    it(`leaves ${why} alone`, () => {
      assert.equal(changes(body), undefined);
    });
  }

  const CHECKED: readonly (readonly [what: string, body: unknown, images: readonly string[]])[] = [
    ['every image of a new object', reviewOf(two), ['a:1', 'b:1']],
    ['the image that is new', updateOf(two, podOf('a:1', 'c:1')), ['c:1']],
    [
      'the image whose policy is new',
      updateOf(
        deployment({ containers: [container('a', 'a:1')] }),
        deployment({ containers: [container('a', 'a:1', { imagePullPolicy: 'Always' })] }),
      ),
      ['a:1'],
    ],
    [
      'all images when the pull secrets change',
      updateOf(pod(spec), pod({ ...spec, imagePullSecrets: [{ name: 't' }] })),
      ['a:1'],
    ],
    [
      'all images when the ServiceAccount changes',
      updateOf(pod(spec), pod({ ...spec, serviceAccountName: 'y' })),
      ['a:1'],
    ],
    ['all images when the platforms change', updateOf(deployment(spec), deployment({ ...spec, ...selector })), ['a:1']],
    [
      'everything where the old object is unreadable',
      updateOf({ kind: 'Pod' }, two, { oldObject: 'x' }),
      ['a:1', 'b:1'],
    ],
  ];
  for (const [what, body, expected] of CHECKED) {
    it(`checks ${what}`, () => {
      assert.deepEqual(images(body), expected);
    });
  }

  it('knows which images the request introduces', () => {
    const updated = changes(
      updateOf(
        pod(spec),
        pod({ ...spec, serviceAccountName: 'y', containers: [container('a', 'a:1'), container('b', 'b:1')] }),
      ),
    );

    assert.equal(updated?.isNew('a:1'), false);
    assert.equal(updated.isNew('b:1'), true);
    assert.equal(changes(reviewOf(two))?.isNew('a:1'), true);
  });

  it('checks only the ephemeral containers that are appended, as a person asked for them', () => {
    const owned = { ownerReferences: [{ controller: true }] };
    const before = pod(
      { containers: [container('a', 'a:1')], ephemeralContainers: [container('d1', 'busybox:1')] },
      owned,
    );
    const after = pod(
      {
        containers: [container('a', 'a:1')],
        ephemeralContainers: [container('d1', 'busybox:1'), container('d2', 'busybox:1')],
      },
      owned,
    );

    const found = changes(updateOf(before, after, { subResource: 'ephemeralcontainers' }));

    assert.deepEqual(
      found?.workload.uses.map(({ path }) => path),
      ['spec.ephemeralContainers[1].image'],
    );
    assert.equal(found.workload.hasControllingOwner, false);
    assert.equal(found.isNew('busybox:1'), false);
  });

  it('believes the review, not the object, about the namespace', () => {
    const found = changes(reviewOf(pod(spec, { namespace: 'kube-system' })));

    assert.equal(found?.workload.namespace, 'team');
    assert.equal(found.workload.pod.namespace, 'team');
  });
});
