import { once } from 'node:events';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';

export const NAMESPACE = 'pullguard';
export const IMAGE = 'ghcr.io/pullguard/pullguard:0.1.0';
export const MANIFEST = fileURLToPath(new URL('../../deploy/install.yaml', import.meta.url));
export const REPLICAS = 2;

export type Replica = { readonly name: string; readonly address: string };
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** Pullguard as deploy/install.yaml puts it into a cluster. */
export interface Installation {
  /** Waits until the replicas are ready and no older one is left. */
  untilReady(): Promise<readonly Replica[]>;
  /** Waits until no Pod is left. */
  untilGone(): Promise<void>;
  log(replica: Replica): Promise<readonly LogLine[]>;
  /** A metric without labels; `undefined` where the replica has no such series. */
  metric(replica: Replica, name: string): Promise<number | undefined>;
  /** Writes the policy and waits until every replica logged what came of it: one new line each, with this message. */
  writePolicy(policy: object, message: string): Promise<readonly LogLine[]>;
  /** PEM text. */
  caBundle(): Promise<string>;
  /** PEM texts of the Secret. */
  certificateSecret(): Promise<{ readonly authority: string; readonly certificate: string }>;
  /** What a replica shows to somebody who trusts `authority` alone and asks for the Service; rejects without trust. */
  shownCertificate(replica: Replica, authority: string): Promise<string>;
}

type Pod = {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
};

export function describeInstallation(cluster: Cluster): Installation {
  const inNamespace = ['--namespace', NAMESPACE];
  const pods = async (): Promise<readonly Pod[]> => {
    const text = await cluster.ask([...inNamespace, 'get', 'pods', '--output', 'json']);
    return (JSON.parse(text) as { readonly items: readonly Pod[] }).items;
  };
  const untilReady = (): Promise<readonly Replica[]> =>
    eventually(`${REPLICAS} replicas are ready`, async () => {
      const all = await pods();
      if (all.length !== REPLICAS || !all.every(isReady)) return undefined;
      return all.map(({ metadata, status }) => ({ name: metadata.name, address: status.podIP ?? '' }));
    });
  const log = async ({ name }: Replica): Promise<readonly LogLine[]> =>
    (await cluster.ask([...inNamespace, 'logs', name]))
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
  return {
    untilReady,
    untilGone: async () => {
      await eventually('no Pod is left', async () => ((await pods()).length === 0 ? true : undefined));
    },
    log,
    metric: async ({ name }, metric) => {
      const path = `/api/v1/namespaces/${NAMESPACE}/pods/${name}:8080/proxy/metrics`;
      const lines = (await cluster.ask(['get', '--raw', path])).split('\n');
      const value = lines.find((line) => line.startsWith(`${metric} `))?.slice(metric.length + 1);
      return value === undefined ? undefined : Number(value);
    },
    writePolicy: async (policy, message) => {
      const replicas = await untilReady();
      const linesOf = async (replica: Replica): Promise<readonly LogLine[]> =>
        (await log(replica)).filter(({ msg }) => msg === message);
      const counts = await Promise.all(replicas.map(async (replica) => (await linesOf(replica)).length));
      const patch = JSON.stringify({ data: { 'policy.yaml': stringify(policy) } });
      await cluster.ask([...inNamespace, 'patch', 'configmap', 'pullguard-policy', '--patch', patch]);
      return await eventually(`every replica logs "${message}"`, async () => {
        const lines = await Promise.all(replicas.map(async (replica, at) => (await linesOf(replica))[counts[at] ?? 0]));
        return lines.every((line) => line !== undefined) ? lines : undefined;
      });
    },
    caBundle: async () => {
      const path = 'jsonpath={.webhooks[0].clientConfig.caBundle}';
      return decode(await cluster.ask(['get', 'validatingwebhookconfiguration', 'pullguard', '--output', path]));
    },
    certificateSecret: async () => {
      const text = await cluster.ask([...inNamespace, 'get', 'secret', 'pullguard-tls', '--output', 'json']);
      const { data } = JSON.parse(text) as { readonly data: Readonly<Record<string, string>> };
      return { authority: decode(data['ca.crt']), certificate: decode(data['tls.crt']) };
    },
    shownCertificate: async ({ address }, authority) => {
      const socket = connect({ host: address, port: 8443, servername: `pullguard.${NAMESPACE}.svc`, ca: authority });
      await once(socket, 'secureConnect');
      const certificate = socket.getPeerX509Certificate()?.toString() ?? '';
      socket.destroy();
      return certificate.trim();
    },
  };
}

function isReady({ metadata, status: { conditions = [] } }: Pod): boolean {
  const isLeaving = metadata.deletionTimestamp !== undefined;
  return !isLeaving && conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

const decode = (base64 = ''): string => Buffer.from(base64, 'base64').toString('utf8');
