import { randomUUID } from 'node:crypto';

/** A Kubernetes object of the manifest, as it is written there. */
export type Written = Readonly<Record<string, unknown>>;

/** What kubectl calls an object: `deployment.apps/web`. */
export type ObjectName = {
  readonly kind: string;
  readonly group: string;
  readonly version: string;
  readonly name: string;
};

export function nameOf(object: Written): ObjectName {
  const [group = '', version] = textOf(object['apiVersion']).split('/');
  const metadata = object['metadata'];
  const name = isRecord(metadata) ? textOf(metadata['name']) : '';
  const kind = textOf(object['kind']);
  return version === undefined ? { kind, group: '', version: group, name } : { kind, group, version, name };
}

/** The question that an API server asks when such an object is created (admission.k8s.io/v1, AdmissionReview). */
export function reviewOf(object: Written, namespace: string): object {
  const { kind, group, version, name } = nameOf(object);
  const groupVersionKind = { group, version, kind };
  const groupVersionResource = { group, version, resource: `${kind.toLowerCase()}s` };
  const metadata = isRecord(object['metadata']) ? object['metadata'] : {};
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: randomUUID(),
      kind: groupVersionKind,
      resource: groupVersionResource,
      requestKind: groupVersionKind,
      requestResource: groupVersionResource,
      name,
      namespace,
      operation: 'CREATE',
      userInfo: { username: 'demo', groups: ['system:authenticated'] },
      object: { ...object, metadata: { ...metadata, namespace } },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-client-side-apply' },
    },
  };
}

/** What the API server takes from the answer. */
export type Admission = {
  readonly isAllowed: boolean;
  /** Why not; empty where it is allowed. */
  readonly message: string;
  readonly warnings: readonly string[];
};

/** Reads the answer to `review`. Throws where it is none: the webhook is at fault then. */
export function readAdmission(body: string, review: object): Admission {
  const document: unknown = JSON.parse(body);
  const response = isRecord(document) ? document['response'] : undefined;
  if (!isRecord(response) || response['uid'] !== uidOf(review) || typeof response['allowed'] !== 'boolean') {
    throw new Error('the webhook did not answer the review');
  }
  const { allowed, status, warnings } = response;
  return {
    isAllowed: allowed,
    message: isRecord(status) ? textOf(status['message']) : '',
    warnings: Array.isArray(warnings) ? warnings.map(textOf) : [],
  };
}

function uidOf(review: object): unknown {
  const request = isRecord(review) ? review['request'] : undefined;
  return isRecord(request) ? request['uid'] : undefined;
}

const isRecord = (value: unknown): value is Written =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
