import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, request, type RequestOptions, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { createAuthority, issue } from '../../certs/authority.ts';

/**
 * Wants KUBECONFIG of a cluster whose API server reaches this machine at 127.0.0.1. The webhook configuration of
 * deploy/install.yaml is tried there with a webhook that writes down who comes; failurePolicy is Fail, so that a
 * condition that ends in an error fails the request instead of passing for "no".
 */

type Json = Readonly<Record<string, unknown>>;
type Change = {
  readonly name: string;
  readonly patch: readonly Json[];
  readonly reaches: boolean;
  readonly subresource?: string;
};

const ID = `kube-helper-match-${process.pid}`;
const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';

if ((process.env['KUBECONFIG'] ?? '') === '') {
  process.stderr.write('the match conditions are tried in a cluster, and nothing names one: set KUBECONFIG\n');
  process.exit(1);
}

const config = new KubeConfig();
const reviewed: string[] = [];
let server: Server;

before(async () => {
  config.loadFromDefault();
  const validity = { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 3_600_000) };
  const authority = await createAuthority({ commonName: ID, validity });
  const leaf = await issue(authority, { addresses: ['127.0.0.1'], validity });
  server = createServer({ cert: leaf.certificate, key: leaf.key }, (incoming, response) => {
    let body = '';
    incoming.setEncoding('utf8');
    incoming.on('data', (chunk: string) => (body += chunk));
    incoming.on('end', () => {
      const review = JSON.parse(body) as { readonly request: { readonly uid: string; readonly object: Named } };
      reviewed.push(review.request.object.metadata.name);
      const answer = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ...answer, response: { uid: review.request.uid, allowed: true } }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await send('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ID } });
  await send('POST', CONFIGURATIONS, await configuration(authority.certificate));
  await untilReached();
});

after(async () => {
  await send('DELETE', `${CONFIGURATIONS}/${ID}`);
  await send('DELETE', `/api/v1/namespaces/${ID}`);
  server.close();
  server.closeAllConnections();
});

const CONTAINER = { name: 'app', image: 'registry.invalid/app:1', imagePullPolicy: 'IfNotPresent' };
const POD_SPEC = {
  schedulingGates: [{ name: 'example.org/never' }],
  nodeSelector: { 'example.org/nowhere': 'true' },
  initContainers: [{ name: 'init', image: 'registry.invalid/init:1' }],
  containers: [CONTAINER],
  volumes: [{ name: 'scratch', emptyDir: {} }],
  imagePullSecrets: [{ name: 'one' }],
};
const LABELS = { app: 'match' };
const TEMPLATE = { metadata: { labels: LABELS }, spec: POD_SPEC };
const JOB_TEMPLATE = { metadata: { labels: LABELS }, spec: { ...POD_SPEC, restartPolicy: 'Never' } };
const SELECTOR = { matchLabels: LABELS };
const AFFINITY = {
  requiredDuringSchedulingIgnoredDuringExecution: {
    nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['arm64'] }] }],
  },
};

const metadataChanges: readonly Change[] = [
  { name: 'a label', patch: [{ op: 'add', path: '/metadata/labels', value: { a: 'b' } }], reaches: false },
  { name: 'an annotation', patch: [{ op: 'add', path: '/metadata/annotations', value: { a: 'b' } }], reaches: false },
  { name: 'a finalizer', patch: [{ op: 'add', path: '/metadata/finalizers', value: ['a.example/b'] }], reaches: false },
];

/** Of a Pod that waits at its gates. */
const POD_MAY_CHANGE = new Set([
  "a container's image",
  "an init container's image",
  'the node selector',
  'the node affinity',
]);

/** Every change of a template that the API server allows, below `at`. */
const templateChanges = (at: string): readonly Change[] => {
  const set = (name: string, path: string, value: unknown, reaches: boolean): Change => ({
    name,
    patch: [{ op: 'add', path: `${at}${path}`, value }],
    reaches,
  });
  return [
    set("a container's image", '/spec/containers/0/image', 'registry.invalid/app:2', true),
    set("an init container's image", '/spec/initContainers/0/image', 'registry.invalid/init:2', true),
    set('another container', '/spec/containers/-', { name: 'side', image: 'registry.invalid/side:1' }, true),
    set('another init container', '/spec/initContainers/-', { name: 'more', image: 'registry.invalid/side:1' }, true),
    set('the pull policy', '/spec/containers/0/imagePullPolicy', 'Always', true),
    set('an image volume', '/spec/volumes/-', { name: 'm', image: { reference: 'registry.invalid/model:1' } }, true),
    set('another pull secret', '/spec/imagePullSecrets/-', { name: 'two' }, true),
    set('another name of the pull secret', '/spec/imagePullSecrets/0', { name: 'two' }, true),
    set('no pull secrets any more', '/spec/imagePullSecrets', [], true),
    set('the ServiceAccount', '/spec/serviceAccountName', 'builder', true),
    set('the node selector', '/spec/nodeSelector/kubernetes.io~1arch', 'arm64', true),
    set('the node affinity', '/spec/affinity', { nodeAffinity: AFFINITY }, true),
    set('the operating system', '/spec/os', { name: 'linux' }, true),
    set('an annotation of the template', '/metadata/annotations', { restartedAt: 'now' }, false),
    set('an environment variable', '/spec/containers/0/env', [{ name: 'A', value: 'b' }], false),
    set('the arguments', '/spec/containers/0/args', ['--verbose'], false),
    set('another volume', '/spec/volumes/-', { name: 'more', emptyDir: {} }, false),
    set('tolerations', '/spec/tolerations', [{ operator: 'Exists' }], false),
  ];
};
const scale: readonly Change[] = [
  {
    name: 'the scale',
    patch: [{ op: 'replace', path: '/spec/replicas', value: 1 }],
    reaches: false,
    subresource: 'scale',
  },
  { name: 'the replicas', patch: [{ op: 'replace', path: '/spec/replicas', value: 1 }], reaches: false },
];
const status = (field: string, value: unknown): Change => ({
  name: 'the status',
  patch: [{ op: 'add', path: `/status/${field}`, value }],
  reaches: false,
  subresource: 'status',
});

const kinds: readonly {
  readonly kind: string;
  readonly path: string;
  readonly spec: Json;
  readonly changes: readonly Change[];
}[] = [
  {
    kind: 'Deployment',
    path: '/apis/apps/v1/namespaces/NS/deployments',
    spec: { replicas: 0, selector: SELECTOR, template: TEMPLATE },
    changes: [...metadataChanges, ...templateChanges('/spec/template'), ...scale, status('observedGeneration', 1)],
  },
  {
    kind: 'ReplicaSet',
    path: '/apis/apps/v1/namespaces/NS/replicasets',
    spec: { replicas: 0, selector: SELECTOR, template: TEMPLATE },
    changes: [...metadataChanges, ...templateChanges('/spec/template'), ...scale, status('observedGeneration', 1)],
  },
  {
    kind: 'StatefulSet',
    path: '/apis/apps/v1/namespaces/NS/statefulsets',
    spec: { replicas: 0, serviceName: 'match', selector: SELECTOR, template: TEMPLATE },
    changes: [...metadataChanges, ...templateChanges('/spec/template'), ...scale, status('observedGeneration', 1)],
  },
  {
    kind: 'DaemonSet',
    path: '/apis/apps/v1/namespaces/NS/daemonsets',
    spec: { selector: SELECTOR, template: TEMPLATE },
    changes: [...metadataChanges, ...templateChanges('/spec/template')],
  },
  {
    kind: 'ReplicationController',
    path: '/api/v1/namespaces/NS/replicationcontrollers',
    spec: { replicas: 0, selector: LABELS, template: TEMPLATE },
    changes: [...metadataChanges, ...templateChanges('/spec/template'), ...scale, status('observedGeneration', 1)],
  },
  {
    kind: 'CronJob',
    path: '/apis/batch/v1/namespaces/NS/cronjobs',
    spec: { suspend: true, schedule: '0 0 1 1 *', jobTemplate: { spec: { template: JOB_TEMPLATE } } },
    changes: [
      ...metadataChanges,
      ...templateChanges('/spec/jobTemplate/spec/template'),
      { name: 'the schedule', patch: [{ op: 'replace', path: '/spec/schedule', value: '1 1 1 1 *' }], reaches: false },
      status('lastScheduleTime', '2026-01-01T00:00:00Z'),
    ],
  },
  {
    kind: 'Job',
    path: '/apis/batch/v1/namespaces/NS/jobs',
    spec: { suspend: true, template: JOB_TEMPLATE },
    // of a Job only what a suspended one may change
    changes: [
      ...metadataChanges,
      ...templateChanges('/spec/template').filter(
        ({ name }) => name === 'the node selector' || name === 'the node affinity',
      ),
      { name: 'the parallelism', patch: [{ op: 'add', path: '/spec/parallelism', value: 2 }], reaches: false },
      { name: 'its release', patch: [{ op: 'add', path: '/spec/suspend', value: false }], reaches: false },
    ],
  },
  {
    kind: 'Pod',
    path: '/api/v1/namespaces/NS/pods',
    spec: POD_SPEC,
    changes: [
      ...metadataChanges,
      ...templateChanges('').filter(({ name }) => POD_MAY_CHANGE.has(name)),
      { name: 'its deadline', patch: [{ op: 'add', path: '/spec/activeDeadlineSeconds', value: 60 }], reaches: false },
      { name: 'its gates', patch: [{ op: 'remove', path: '/spec/schedulingGates' }], reaches: false },
      {
        name: 'an ephemeral container',
        patch: [
          {
            op: 'add',
            path: '/spec/ephemeralContainers',
            value: [{ name: 'debug', image: 'registry.invalid/debug:1' }],
          },
        ],
        reaches: true,
        subresource: 'ephemeralcontainers',
      },
      status('message', 'waiting'),
    ],
  },
];

for (const { kind, path, spec, changes } of kinds) {
  describe(`the match conditions for a ${kind}`, () => {
    const collection = path.replace('NS', ID);
    const name = kind.toLowerCase();
    const [, group, version] = /^\/apis?\/(?:([a-z]+)\/)?(v1)/u.exec(path) ?? [];
    const apiVersion = group === undefined ? version : `${group}/${version}`;

    it('lets its creation through to the webhook', async () => {
      await send('POST', collection, { apiVersion, kind, metadata: { name }, spec });

      assert.ok(takeReviewed(name));
    });
    for (const { name: what, patch, reaches, subresource } of changes) {
      it(`${reaches ? 'lets' : 'keeps'} a change of ${what} ${reaches ? 'through to' : 'from'} the webhook`, async () => {
        const place = [collection, name, ...(subresource === undefined ? [] : [subresource])].join('/');

        await send('PATCH', `${place}?dryRun=All`, patch, JSON_PATCH);

        assert.equal(takeReviewed(name), reaches);
      });
    }
  });
}

describe('the match conditions for what is on its way out', () => {
  it('keep the end of a Pod from the webhook: deletion and the removal of its finalizer', async () => {
    const pods = `/api/v1/namespaces/${ID}/pods`;
    const metadata = { name: 'leaving', finalizers: ['a.example/b'] };
    await send('POST', pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec: POD_SPEC });
    takeReviewed('leaving');

    await send('DELETE', `${pods}/leaving`);
    await send('PATCH', `${pods}/leaving`, { metadata: { finalizers: null } }, MERGE);

    assert.equal(takeReviewed('leaving'), false);
  });
  it('keep what a Node reports of its own Pods from the webhook', async () => {
    const pods = `/api/v1/namespaces/${ID}/pods?dryRun=All`;
    const node = JSON.parse(await send('GET', '/api/v1/nodes/node')) as { readonly metadata: { readonly uid: string } };
    const owner = { apiVersion: 'v1', kind: 'Node', name: 'node', uid: node.metadata.uid, controller: true };
    const annotations = { 'kubernetes.io/config.mirror': 'x' };
    const metadata = { name: 'mirror', annotations, ownerReferences: [owner] };
    const body = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: 'node', containers: [CONTAINER] } };

    await send('POST', pods, body, 'application/json', {
      'Impersonate-User': 'system:node:node',
      'Impersonate-Group': 'system:nodes',
    });
    const isNodeReviewed = takeReviewed('mirror');
    await send('POST', pods, body);

    assert.deepEqual([isNodeReviewed, takeReviewed('mirror')], [false, true]);
  });
});

type Named = { readonly metadata: { readonly name: string } };

/** The shipped webhook, for this namespace alone and with the recording server behind it. */
async function configuration(ca: string): Promise<Json> {
  const text = await readFile(new URL('../../deploy/install.yaml', import.meta.url), 'utf8');
  const documents = parseAllDocuments(text).map((document) => document.toJS() as Json);
  const shipped = documents.find(({ kind }) => kind === 'ValidatingWebhookConfiguration');
  assert.ok(shipped !== undefined);
  const { port } = server.address() as AddressInfo;
  const webhooks = (shipped['webhooks'] as readonly Json[]).map((webhook) => ({
    ...webhook,
    clientConfig: { url: `https://127.0.0.1:${port}/validate`, caBundle: Buffer.from(ca).toString('base64') },
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': ID } },
    failurePolicy: 'Fail',
  }));
  return { ...shipped, metadata: { name: ID }, webhooks };
}

/** An API server learns of a new configuration within a second or two. */
async function untilReached(): Promise<void> {
  const metadata = { name: 'probe' };
  for (let attempt = 0; attempt < 150 && !takeReviewed('probe'); attempt += 1) {
    await sleep(200);
    const body = { apiVersion: 'v1', kind: 'Pod', metadata, spec: POD_SPEC };
    await send('POST', `/api/v1/namespaces/${ID}/pods?dryRun=All`, body);
  }
  // later ones may still be under way to the list
  await sleep(200);
  takeReviewed('probe');
}

function takeReviewed(name: string): boolean {
  const others = reviewed.filter((one) => one !== name);
  return reviewed.splice(0, reviewed.length, ...others).length > others.length;
}

async function send(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  type = 'application/json',
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const own = Object.fromEntries(Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value)]));
  const target = new URL(path, config.getCurrentCluster()?.server);
  const outgoing = request(target, {
    ...options,
    method,
    headers: { 'content-type': type, ...own, ...headers },
  });
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream & { readonly statusCode: number }];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  assert.ok(response.statusCode < 300, `${method} ${path}: ${response.statusCode} ${text}`);
  return text;
}
