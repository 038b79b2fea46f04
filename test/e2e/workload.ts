/** The namespace of everything that these tests apply. */
export const WORKLOADS = 'pullguard-e2e';

export type Workload = {
  readonly name: string;
  readonly image: string;
  readonly pullSecret?: string;
  readonly pullPolicy?: 'Always' | 'IfNotPresent';
  readonly progressDeadlineSeconds?: number;
};

/** A Deployment of one container, as people write it. */
export function deploymentOf({ name, image, pullSecret, pullPolicy, progressDeadlineSeconds }: Workload): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: WORKLOADS },
    spec: {
      ...(progressDeadlineSeconds === undefined ? {} : { progressDeadlineSeconds }),
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 1,
          ...(pullSecret === undefined ? {} : { imagePullSecrets: [{ name: pullSecret }] }),
          containers: [{ name: 'app', image, ...(pullPolicy === undefined ? {} : { imagePullPolicy: pullPolicy }) }],
        },
      },
    },
  };
}

export function podOf({ name, image }: Workload): object {
  const metadata = { name, namespace: WORKLOADS };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'app', image }] } };
}
