import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, describe, it } from 'node:test';
import { INSTALLED_NAMES } from '../../certs/installed-names.ts';
import { servingNames } from '../../certs/material.ts';
import { isWorkloadKind } from '../../webhook/admission/images.ts';
import { DEFAULT_POLICY, formatMistakes, readPolicy } from '../../webhook/policy/load.ts';
import { at, readManifests, type Manifest } from './manifests.ts';
import { readShippedFlags } from './shipped-flags.ts';

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
};
type WebhookRule = {
  readonly apiGroups: readonly [string];
  readonly apiVersions: readonly string[];
  readonly operations: readonly string[];
  readonly resources: readonly string[];
  readonly scope: string;
};

const NAMESPACE = 'pullguard';
const KINDS: Readonly<Record<string, string>> = {
  pods: 'Pod',
  'pods/ephemeralcontainers': 'Pod',
  replicationcontrollers: 'ReplicationController',
  deployments: 'Deployment',
  replicasets: 'ReplicaSet',
  statefulsets: 'StatefulSet',
  daemonsets: 'DaemonSet',
  jobs: 'Job',
  cronjobs: 'CronJob',
};

let manifests: readonly Manifest[];
const find = (kind: string, name: string): Manifest => {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name);
  assert.ok(found !== undefined, `no ${kind} ${name}`);
  return found;
};
const container = (): unknown => at(find('Deployment', 'pullguard'), 'spec', 'template', 'spec', 'containers', 0);
const webhook = (): unknown =>
  at(find('ValidatingWebhookConfiguration', INSTALLED_NAMES.webhookConfiguration), 'webhooks', 0);
const rulesOf = (kind: string, name: string): readonly Rule[] => at(find(kind, name), 'rules') as readonly Rule[];
const spec = (): Record<string, unknown> =>
  at(find('Deployment', 'pullguard'), 'spec', 'template', 'spec') as Record<string, unknown>;
const policyText = (): string => String(at(find('ConfigMap', INSTALLED_NAMES.policyConfigMap), 'data', 'policy.yaml'));
before(async () => {
  manifests = await readManifests();
});

describe('the way from the API server to the container', () => {
  it('leads over the Service to the port of the webhook', () => {
    const { service } = at(webhook(), 'clientConfig') as { readonly service: unknown };
    const port = at(find('Service', INSTALLED_NAMES.service), 'spec', 'ports', 0) as {
      readonly port: number;
      readonly targetPort: string;
    };
    const ports = at(container(), 'ports') as readonly { readonly name: string; readonly containerPort: number }[];

    assert.deepEqual(service, {
      name: INSTALLED_NAMES.service,
      namespace: NAMESPACE,
      port: port.port,
      path: '/validate',
    });
    assert.equal(ports.find(({ name }) => name === port.targetPort)?.containerPort, 8443);
  });
  it('ends at Pods that the Service, the Deployment and the budget all mean', () => {
    const labels = at(find('Deployment', 'pullguard'), 'spec', 'template', 'metadata', 'labels');
    const selectors = [
      at(find('Service', 'pullguard'), 'spec', 'selector'),
      at(find('Deployment', 'pullguard'), 'spec', 'selector', 'matchLabels'),
      at(find('PodDisruptionBudget', 'pullguard'), 'spec', 'selector', 'matchLabels'),
    ];

    for (const selector of selectors) assert.deepEqual(selector, labels);
  });
  it('is asked for by a name that the certificate has', () => {
    const service = at(webhook(), 'clientConfig', 'service') as { readonly name: string; readonly namespace: string };

    assert.ok(servingNames(INSTALLED_NAMES.service, NAMESPACE).includes(`${service.name}.${service.namespace}.svc`));
  });
  it('is probed where health is told', async () => {
    const admin = await readFile(new URL('../../webhook/http/admin.ts', import.meta.url), 'utf8');
    const ports = at(container(), 'ports') as readonly { readonly name: string; readonly containerPort: number }[];

    assert.deepEqual(at(container(), 'readinessProbe', 'httpGet'), { path: '/readyz', port: 'admin' });
    assert.deepEqual(at(container(), 'livenessProbe', 'httpGet'), { path: '/healthz', port: 'admin' });
    assert.equal(ports.find(({ name }) => name === 'admin')?.containerPort, 8080);
    for (const path of ['/readyz', '/healthz', '/metrics']) assert.ok(admin.includes(`'${path}'`), path);
  });
  it('is told to listen on these ports', () => {
    const environment = at(container(), 'env') as readonly { readonly name: string; readonly value: string }[];
    const value = (name: string): string | undefined => environment.find((one) => one.name === name)?.value;

    assert.equal(value('PULLGUARD_LISTEN'), '0.0.0.0:8443');
    assert.equal(value('PULLGUARD_ADMIN_LISTEN'), '0.0.0.0:8080');
    assert.equal(value('PULLGUARD_POLICY_CONFIGMAP'), `${NAMESPACE}/${INSTALLED_NAMES.policyConfigMap}`);
  });
});

describe('the webhook configuration', () => {
  it('can never take the cluster down', () => {
    const { failurePolicy, timeoutSeconds, sideEffects, matchPolicy, admissionReviewVersions } = webhook() as Record<
      string,
      unknown
    >;

    assert.deepEqual(
      { failurePolicy, timeoutSeconds, sideEffects, matchPolicy, admissionReviewVersions },
      {
        failurePolicy: 'Ignore',
        timeoutSeconds: 5,
        sideEffects: 'None',
        matchPolicy: 'Equivalent',
        admissionReviewVersions: ['v1'],
      },
    );
  });
  it('leaves out its own namespace and kube-system, by a label that users cannot set', () => {
    assert.deepEqual(at(webhook(), 'namespaceSelector', 'matchExpressions'), [
      { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [NAMESPACE, 'kube-system'] },
    ]);
    assert.ok(!('objectSelector' in (webhook() as object)));
  });
  it('waits a second longer than a review takes', () => {
    const seconds = Number(at(webhook(), 'timeoutSeconds'));

    assert.ok(DEFAULT_POLICY.limits.reviewMs <= (seconds - 1) * 1000);
  });
  it('asks about every kind that admission understands, and no other', () => {
    const rules = at(webhook(), 'rules') as readonly WebhookRule[];
    const resources = rules.flatMap((rule) =>
      rule.resources.map((resource) => ({ resource, group: rule.apiGroups[0] })),
    );

    assert.deepEqual(resources.map(({ resource }) => resource).sort(), Object.keys(KINDS).sort());
    for (const { resource, group } of resources) assert.ok(isWorkloadKind(group, KINDS[resource] ?? ''), resource);
    for (const { operations, apiVersions, scope } of rules) {
      assert.deepEqual([operations, apiVersions, scope], [['CREATE', 'UPDATE'], ['v1'], 'Namespaced']);
    }
  });
  it('has conditions with names of their own, for creations and for each thing that counts', () => {
    const conditions = at(webhook(), 'matchConditions') as readonly {
      readonly name: string;
      readonly expression: string;
    }[];
    const text = conditions.map(({ expression }) => expression).join('\n');

    assert.ok(conditions.length <= 64);
    assert.equal(new Set(conditions.map(({ name }) => name)).size, conditions.length);
    for (const word of [
      "request.operation == 'CREATE'",
      'containers',
      'initContainers',
      'ephemeralContainers',
      'imagePullPolicy',
      'imagePullSecrets',
      'serviceAccountName',
      'nodeSelector',
      'nodeAffinity',
      'volumes',
      'jobTemplate',
    ]) {
      assert.ok(text.includes(word), word);
    }
    assert.ok(!text.includes('deletionTimestamp'), 'users can bring that about');
  });
});

describe('the rights', () => {
  it('are these and no others', () => {
    assert.deepEqual(rulesOf('ClusterRole', 'pullguard'), [
      { apiGroups: [''], resources: ['secrets', 'serviceaccounts'], verbs: ['get'] },
      { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
    ]);
    assert.deepEqual(rulesOf('ClusterRole', 'pullguard-webhook-configuration'), [
      {
        apiGroups: ['admissionregistration.k8s.io'],
        resources: ['validatingwebhookconfigurations'],
        resourceNames: [INSTALLED_NAMES.webhookConfiguration],
        verbs: ['get', 'update', 'patch'],
      },
    ]);
    assert.deepEqual(rulesOf('Role', 'pullguard'), [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['secrets'], resourceNames: [INSTALLED_NAMES.secret], verbs: ['get', 'update'] },
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
    ]);
    assert.equal(manifests.filter(({ kind }) => kind.endsWith('Role')).length, 3);
  });
  it('are bound to the one ServiceAccount that the Deployment uses', () => {
    const bindings = manifests.filter(({ kind }) => kind.endsWith('RoleBinding'));
    const account = at(find('Deployment', 'pullguard'), 'spec', 'template', 'spec', 'serviceAccountName');

    for (const binding of bindings) {
      const { kind, name } = at(binding, 'roleRef') as { readonly kind: string; readonly name: string };
      assert.ok(find(kind, name));
      assert.deepEqual(binding['subjects'], [{ kind: 'ServiceAccount', name: account, namespace: NAMESPACE }]);
    }
    assert.equal(bindings.length, 3);
    assert.equal(find('ServiceAccount', 'pullguard')['automountServiceAccountToken'], false);
  });
});

describe('the Pods', () => {
  it('meet the restricted Pod security standard', () => {
    assert.equal(find('Namespace', NAMESPACE).metadata.labels?.['pod-security.kubernetes.io/enforce'], 'restricted');
    assert.deepEqual(spec()['securityContext'], {
      runAsNonRoot: true,
      runAsUser: 65_532,
      runAsGroup: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    assert.deepEqual(at(container(), 'securityContext'), {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      privileged: false,
      capabilities: { drop: ['ALL'] },
    });
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC', 'volumes']) assert.ok(!(field in spec()), field);
  });
  it('leave one after the other, and finish what they began', () => {
    const { maxUnavailable, maxSurge } = at(
      find('Deployment', 'pullguard'),
      'spec',
      'strategy',
      'rollingUpdate',
    ) as Record<string, number>;
    const pause = Number(at(container(), 'lifecycle', 'preStop', 'sleep', 'seconds'));

    assert.deepEqual([maxUnavailable, maxSurge], [0, 1]);
    assert.ok(Number(at(find('Deployment', 'pullguard'), 'spec', 'replicas')) >= 2);
    assert.equal(at(find('PodDisruptionBudget', 'pullguard'), 'spec', 'minAvailable'), 1);
    assert.ok(pause >= 5 && Number(spec()['terminationGracePeriodSeconds']) >= pause + 30);
  });
  it('resolve names as the nodes do', () => {
    assert.equal(spec()['dnsPolicy'], 'Default');
  });
  it('collect their garbage before the memory that they may have is used up', async () => {
    const limit = /^(?<mebibytes>\d+)Mi$/u.exec(String(at(container(), 'resources', 'limits', 'memory')));
    const flags = (await readShippedFlags()).join(' ');
    const sizeOf = (space: string): number => Number(new RegExp(`--max-${space}-size=(\\d+)`, 'u').exec(flags)?.[1]);
    // V8 has three semi-spaces at most; buffers, TLS and what Node is take some 60 MiB in test/bench
    const used = sizeOf('old-space') + 3 * sizeOf('semi-space') + 60;

    assert.ok(used <= Number(limit?.groups?.['mebibytes']), `${used} MiB`);
  });
  it('make no code of texts', async () => {
    const flags = (await readShippedFlags()).join(' ').split(/\s+/u);

    assert.deepEqual(
      ['--disallow-code-generation-from-strings', '--disable-proto=delete'].filter((one) => !flags.includes(one)),
      [],
    );
  });
  it('run the version of this package', async () => {
    const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
    const { version } = JSON.parse(text) as { readonly version: string };

    assert.equal(at(container(), 'image'), `ghcr.io/pullguard/pullguard:${version}`);
    assert.deepEqual(at(container(), 'args'), ['serve']);
  });
});

describe('the policy that is shipped', () => {
  it('says what holds without a policy', () => {
    const policy = readPolicy(policyText(), 'policy.yaml');

    assert.ok(policy.ok, policy.ok ? '' : formatMistakes('policy.yaml', policy.error));
    assert.deepEqual(policy.value, DEFAULT_POLICY);
  });
  it('is still sound with every setting switched on', () => {
    const policy = readPolicy(policyText().replaceAll(/^(?<indent> *)# /gmu, '$<indent>'), 'policy.yaml');

    assert.ok(policy.ok, policy.ok ? '' : formatMistakes('policy.yaml', policy.error));
    assert.equal(policy.value.rules.length, 2);
    assert.ok(policy.value.nodes.containerd.certsD['registry.example:5000/hosts.toml'] !== undefined);
  });
  it('explains every setting', () => {
    const lines = policyText().split('\n');
    const unexplained = lines.filter((line, index) => {
      const isSetting = /^ {0,2}(?:# )?[a-zA-Z]+:/u.test(line) && !/^(?:apiVersion|kind|limits):/u.test(line);
      // one explanation may serve neighbours, such as namespaces and images
      const above = lines.slice(0, index).toReversed().slice(0, 4);
      return isSetting && !above.some((one) => one.trimStart().startsWith('## '));
    });

    assert.deepEqual(unexplained, []);
  });
});
