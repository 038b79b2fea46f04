/** Stands where a uid will stand, of the same length: 36 characters. */
export const UID_PLACEHOLDER = '00000000-0000-4000-8000-000000000000';

/**
 * An AdmissionReview as the API server sends it for `kubectl apply` of a Deployment with two containers: the object of
 * about 4 KiB in JSON without spaces, defaults filled in, with its last applied configuration and its managed fields.
 */
export function reviewOf(images: readonly [string, string]): string {
  const kind = { group: 'apps', version: 'v1', kind: 'Deployment' };
  const resource = { group: 'apps', version: 'v1', resource: 'deployments' };
  return JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: UID_PLACEHOLDER,
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name: 'checkout',
      namespace: 'shop',
      operation: 'CREATE',
      userInfo: { username: 'jane@shop.example', groups: ['developers', 'system:authenticated'] },
      object: deployment(images),
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-client-side-apply' },
    },
  });
}

const LABELS = { app: 'checkout', 'app.kubernetes.io/name': 'checkout', 'app.kubernetes.io/part-of': 'shop' };

function deployment(images: readonly [string, string]): object {
  const template = { metadata: { labels: LABELS }, spec: podSpec(images) };
  const spec = { replicas: 3, selector: { matchLabels: { app: 'checkout' } }, template };
  const applied = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'checkout' }, spec: written(images) };
  return {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    metadata: {
      name: 'checkout',
      namespace: 'shop',
      uid: 'b1f7c1f2-6f0e-4d0b-9b53-0c1e4a1f6f11',
      generation: 1,
      creationTimestamp: '2025-03-04T10:15:00Z',
      labels: LABELS,
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(applied)}\n` },
      managedFields: [managedFields()],
    },
    spec: {
      ...spec,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    },
    status: {},
  };
}

/** What the person wrote, which is less than what the API server makes of it. */
function written([web, proxy]: readonly [string, string]): object {
  const containers = [
    { name: 'web', image: web, ports: [{ containerPort: 8080 }], resources: RESOURCES },
    { name: 'proxy', image: proxy },
  ];
  return { replicas: 3, template: { metadata: { labels: LABELS }, spec: { containers } } };
}

const RESOURCES = { limits: { cpu: '500m', memory: '512Mi' }, requests: { cpu: '100m', memory: '128Mi' } };

function podSpec([web, proxy]: readonly [string, string]): object {
  const probe = {
    httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  };
  const defaults = {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
  };
  const env = [
    'CURRENCY',
    'DATABASE_HOST',
    'DATABASE_NAME',
    'FEATURE_FLAGS',
    'LOG_LEVEL',
    'MAIL_FROM',
    'PAYMENT_URL',
    'QUEUE_URL',
    'SHIPPING_URL',
    'TRACING_URL',
  ].map((name) => ({
    name,
    valueFrom: { configMapKeyRef: { name: 'checkout', key: name.toLowerCase() } },
  }));
  return {
    volumes: [{ name: 'configuration', configMap: { name: 'checkout', defaultMode: 420 } }],
    containers: [
      {
        name: 'web',
        image: web,
        ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
        env,
        resources: RESOURCES,
        volumeMounts: [{ name: 'configuration', readOnly: true, mountPath: '/etc/checkout' }],
        livenessProbe: probe,
        readinessProbe: probe,
        ...defaults,
      },
      { name: 'proxy', image: proxy, resources: {}, ...defaults },
    ],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
  };
}

function managedFields(): object {
  const container = { '.': {}, 'f:image': {}, 'f:imagePullPolicy': {}, 'f:name': {}, 'f:resources': {} };
  const containers = {
    'k:{"name":"proxy"}': container,
    'k:{"name":"web"}': { ...container, 'f:env': {}, 'f:ports': {} },
  };
  const fields = {
    'f:metadata': { 'f:annotations': { '.': {}, 'f:kubectl.kubernetes.io/last-applied-configuration': {} } },
    'f:spec': { 'f:replicas': {}, 'f:selector': {}, 'f:template': { 'f:spec': { 'f:containers': containers } } },
  };
  return {
    manager: 'kubectl-client-side-apply',
    operation: 'Update',
    apiVersion: 'apps/v1',
    time: '2025-03-04T10:15:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
  };
}
