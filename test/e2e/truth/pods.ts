import type { Condition, TruthSecret } from './condition.ts';

/** The namespace of everything that is applied. */
export const NAMESPACE = 'pullguard-truth';

/** Each container is named after its condition: its state tells how the image fared. */
type Parts = { readonly condition: Condition; readonly besideImage: string };
type Named = { readonly name: string; readonly secret: TruthSecret };

/** A condition as a Pod, with its Secrets and ServiceAccount before it. */
export function objectsOf({ condition, besideImage }: Parts): readonly object[] {
  const { id, missingSecrets = [], accountSecrets } = condition;
  const own = namedSecrets(id, condition.secrets);
  const ofAccount = namedSecrets(`${id}-account`, accountSecrets);
  const names = [...own.map(({ name }) => name), ...missingSecrets];
  const spec = {
    ...(names.length === 0 ? {} : { imagePullSecrets: names.map((name) => ({ name })) }),
    ...(accountSecrets === undefined ? {} : { serviceAccountName: id }),
    ...containersOf({ condition, besideImage }),
  };
  const secrets = [...own, ...ofAccount].map(secretObject);
  return [...secrets, ...(accountSecrets === undefined ? [] : [accountObject(id, ofAccount)]), podObject(id, spec)];
}

/** Several conditions in one Pod, as a sandbox for each takes longer than most pulls. */
export function sharedPod(conditions: readonly Condition[]): object {
  const containers = conditions.map((condition) => containerOf(condition));
  return podObject(`shared-${conditions[0]?.id ?? ''}`.slice(0, 63), { containers });
}

/** Nothing but its image is its own. */
export function mayShare({
  secrets,
  missingSecrets,
  accountSecrets,
  pullPolicy,
  place,
  isPreloaded,
}: Condition): boolean {
  return [secrets, missingSecrets, accountSecrets, pullPolicy, place, isPreloaded].every((one) => one === undefined);
}

function podObject(name: string, spec: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      restartPolicy: 'Never',
      // a network of its own takes longer than most pulls
      hostNetwork: true,
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      ...spec,
    },
  };
}

const containerOf = ({ id, image, pullPolicy = 'Always' }: Condition) => ({
  name: id,
  image,
  imagePullPolicy: pullPolicy,
});

/** The image at its place in a Pod's spec. */
function containersOf({ condition, besideImage }: Parts): object {
  const one = containerOf(condition);
  const beside = { name: 'beside', image: besideImage, imagePullPolicy: 'IfNotPresent' };
  const volumes = [{ name: 'v', image: { reference: one.image, pullPolicy: one.imagePullPolicy } }];
  switch (condition.place) {
    case 'init':
      return { initContainers: [one], containers: [beside] };
    case 'sidecar':
      return { initContainers: [{ ...one, restartPolicy: 'Always' }], containers: [beside] };
    case 'second':
      return { containers: [beside, one] };
    case 'volume':
      return { containers: [{ ...beside, name: one.name, volumeMounts: [{ name: 'v', mountPath: '/v' }] }], volumes };
    case 'volume-unmounted':
      return { containers: [{ ...beside, name: one.name }], volumes };
    case undefined:
    default:
      return { containers: [one] };
  }
}

function namedSecrets(prefix: string, secrets: readonly TruthSecret[] = []): readonly Named[] {
  return secrets.map((secret, at) => ({ secret, name: `${prefix}-${at}` }));
}

function secretObject({ name, secret: { type = 'kubernetes.io/dockerconfigjson', text } }: Named): object {
  const key = type === 'kubernetes.io/dockercfg' ? '.dockercfg' : '.dockerconfigjson';
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: NAMESPACE },
    type,
    stringData: { [key]: text },
  };
}

function accountObject(name: string, secrets: readonly Named[]): object {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace: NAMESPACE },
    imagePullSecrets: secrets.map((one) => ({ name: one.name })),
  };
}
