import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { inNamespace, isWorkloadKind, readWorkload } from '../../webhook/admission/images.ts';
import { container, deployment, pod, podOf } from './builders.ts';

const D64 = 'a'.repeat(64);

const owned = (controller: unknown): boolean | undefined =>
  readWorkload(pod({}, { ownerReferences: [{ kind: 'ReplicaSet', controller }] }))?.hasControllingOwner;

const job = (spec: object, template: object = {}): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  spec: { ...spec, template: { spec: template } },
});

describe('readWorkload', () => {
  const template = { template: { spec: { containers: [container('web', 'app:1')] } } };
  const KINDS: readonly (readonly [kind: string, apiVersion: string, body: object, path: string])[] = [
    ['Pod', 'v1', { spec: template.template.spec }, 'spec'],
    ['ReplicationController', 'v1', { spec: template }, 'spec.template.spec'],
    ['PodTemplate', 'v1', template, 'template.spec'],
    ['Deployment', 'apps/v1', { spec: template }, 'spec.template.spec'],
    ['ReplicaSet', 'apps/v1', { spec: template }, 'spec.template.spec'],
    ['StatefulSet', 'apps/v1', { spec: template }, 'spec.template.spec'],
    ['DaemonSet', 'apps/v1', { spec: template }, 'spec.template.spec'],
    ['Job', 'batch/v1', { spec: template }, 'spec.template.spec'],
    ['CronJob', 'batch/v1', { spec: { jobTemplate: { spec: template } } }, 'spec.jobTemplate.spec.template.spec'],
  ];
  for (const [kind, apiVersion, body, path] of KINDS) {
    it(`finds the images of a ${kind} at ${path}`, () => {
      const workload = readWorkload({ apiVersion, kind, metadata: { name: 'web', namespace: 'team' }, ...body });

      assert.deepEqual(workload?.uses, [
        { path: `${path}.containers[0].image`, where: 'container "web"', image: 'app:1', pullPolicy: 'IfNotPresent' },
      ]);
      assert.equal(workload.isTemplate, kind !== 'Pod');
      assert.equal(workload.pod.isTemplate, kind !== 'Pod');
      assert.deepEqual([workload.kind, workload.namespace, workload.name], [kind, 'team', 'web']);
    });
  }

  it('knows no other kind, nor a kind of the same name in another group', () => {
    assert.equal(readWorkload({ apiVersion: 'v1', kind: 'Service', spec: {} }), undefined);
    assert.equal(readWorkload({ ...deployment({}), apiVersion: 'example.com/v1' }), undefined);
    assert.equal(readWorkload({ kind: 'constructor' }), undefined);
    assert.equal(isWorkloadKind('apps', 'Deployment'), true);
    assert.equal(isWorkloadKind('example.com', 'Deployment'), false);
    assert.equal(isWorkloadKind('', 'toString'), false);
  });

  it('names every place where an image can stand', () => {
    const workload = readWorkload(
      pod({
        volumes: [
          { name: 'tmp', emptyDir: {} },
          { name: 'model', image: { reference: 'model:2', pullPolicy: 'Always' } },
        ],
        ephemeralContainers: [container('debug', 'busybox:1')],
        initContainers: [container('sidecar', 'proxy:1', { restartPolicy: 'Always' })],
        containers: [container('web', 'app:1'), { image: 'nameless:1' }],
      }),
    );

    assert.deepEqual(
      workload?.uses.map(({ path, where, image }) => [path, where, image]),
      [
        ['spec.containers[0].image', 'container "web"', 'app:1'],
        ['spec.containers[1].image', 'container', 'nameless:1'],
        ['spec.initContainers[0].image', 'init container "sidecar"', 'proxy:1'],
        ['spec.ephemeralContainers[0].image', 'ephemeral container "debug"', 'busybox:1'],
        ['spec.volumes[1].image.reference', 'image volume "model"', 'model:2'],
      ],
    );
  });

  it('tells image volumes that no container mounts', () => {
    const volumes = ['main', 'init', 'debug', 'none'].map((name) => ({ name, image: { reference: `${name}:1` } }));
    const mounting = (name: string): object => container(name, 'app:1', { volumeMounts: [{ name }] });

    const workload = readWorkload(
      pod({
        volumes,
        containers: [mounting('main')],
        initContainers: [mounting('init')],
        ephemeralContainers: [mounting('debug')],
      }),
    );

    assert.deepEqual(
      workload?.uses.filter(({ isUnmounted }) => isUnmounted).map(({ image }) => image),
      ['none:1'],
    );
  });

  const POLICIES: readonly (readonly [image: string, written: string | undefined, policy: string])[] = [
    ['app', undefined, 'Always'],
    ['app:latest', undefined, 'Always'],
    ['app:1', undefined, 'IfNotPresent'],
    [`app@sha256:${D64}`, undefined, 'IfNotPresent'],
    [`app:latest@sha256:${D64}`, undefined, 'Always'],
    [`app:1@sha256:${D64}`, undefined, 'IfNotPresent'],
    ['App:latest', undefined, 'IfNotPresent'],
    ['app', '', 'Always'],
    ['app', 'Never', 'Never'],
    ['app', 'IfNotPresent', 'IfNotPresent'],
    ['app:1', 'Always', 'Always'],
    ['app:1', 'Sometimes', 'IfNotPresent'],
  ];
  for (const [image, written, policy] of POLICIES) {
    it(`takes ${image} with imagePullPolicy ${written ?? 'unset'} for ${policy}`, () => {
      const workload = readWorkload(pod({ containers: [container('c', image, { imagePullPolicy: written })] }));

      assert.equal(workload?.uses[0]?.pullPolicy, policy);
    });
  }

  it('skips empty images and counts what is no container', () => {
    const containers = [null, 3, {}, { image: 42 }, { image: '' }, { image: '  ' }, container('web', 'app:1')];

    const workload = readWorkload(pod({ containers, initContainers: 'x', volumes: [null, { image: 7 }] }));

    assert.deepEqual(
      workload?.uses.map(({ path }) => path),
      ['spec.containers[6].image'],
    );
    assert.equal(workload.unreadable, 5);
  });

  it('reads whose credentials a Pod has, each secret once, an empty name too', () => {
    const secrets = [{ name: 'a' }, {}, { name: '' }, null, { name: 'other/ns' }, { name: 'a' }];

    const named = readWorkload(pod({ serviceAccountName: 'builder', imagePullSecrets: secrets }));

    assert.equal(named?.pod.serviceAccount, 'builder');
    assert.deepEqual(named.pod.imagePullSecrets, ['a', '', 'other/ns']);
    assert.equal(readWorkload(pod({}))?.pod.serviceAccount, 'default');
    assert.equal(readWorkload(pod({ serviceAccount: 'old' }))?.pod.serviceAccount, 'old');
  });

  it('knows a controlling owner from any other', () => {
    assert.equal(owned(true), true);
    assert.equal(owned(false), false);
    assert.equal(owned('true'), false);
    assert.equal(readWorkload(pod({}))?.hasControllingOwner, false);
  });

  it('takes generateName where there is no name yet, and moves to another namespace', () => {
    const workload = readWorkload(pod({}, { name: undefined, generateName: 'web-', namespace: undefined }));

    assert.equal(workload?.name, 'web-');
    assert.equal(workload.namespace, '');
    const moved = inNamespace(workload, 'prod');
    assert.deepEqual([moved.namespace, moved.pod.namespace], ['prod', 'prod']);
  });

  const DEADLINES: readonly (readonly [what: string, object: object, deadline: unknown])[] = [
    ['a Deployment', deployment({}), { name: 'progressDeadlineSeconds', seconds: 600 }],
    [
      'a Deployment that says so',
      deployment({}, { progressDeadlineSeconds: 30 }),
      { name: 'progressDeadlineSeconds', seconds: 30 },
    ],
    ['a Deployment without limit', deployment({}, { progressDeadlineSeconds: 2_147_483_647 }), undefined],
    ['a Pod', podOf('app'), undefined],
    [
      'a Pod that says so',
      pod({ activeDeadlineSeconds: 90 }),
      { name: 'activeDeadlineSeconds', seconds: 90, of: 'Pod' },
    ],
    ['a Pod with nonsense', pod({ activeDeadlineSeconds: '90' }), undefined],
    ['a Job', job({ activeDeadlineSeconds: 120 }), { name: 'activeDeadlineSeconds', seconds: 120, of: 'Job' }],
    [
      'a Job whose Pods have less',
      job({ activeDeadlineSeconds: 120 }, { activeDeadlineSeconds: 60 }),
      { name: 'activeDeadlineSeconds', seconds: 60, of: 'Pod' },
    ],
  ];
  for (const [what, object, deadline] of DEADLINES) {
    it(`knows the deadline of ${what}`, () => {
      assert.deepEqual(readWorkload(object)?.pod.deadline, deadline);
    });
  }

  it('reads any JSON without throwing or leaving a trace', () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    fc.assert(
      fc.property(fc.constantFrom('Pod', 'Deployment', 'CronJob'), fc.jsonValue(), (kind, spec) => {
        const workload = readWorkload({ kind, metadata: spec, spec });

        assert.equal(workload?.kind, kind);
      }),
      { numRuns: 500 },
    );
    assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), before);
  });
});
