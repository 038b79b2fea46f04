import { readFileSync } from 'node:fs';
import { imageNames } from './policy/match.ts';
import { loadFromFiles } from '../certs/file-certificate.ts';
import { createServingCertificate } from '../certs/owned-certificate.ts';
import type { CertificateEvent, ServingCertificate } from '../certs/serving-certificate.ts';
import type { ImagePresence } from './admission/ports.ts';
import { readAddHosts } from './check/options.ts';
import type { Config } from './config.ts';
import { createLiveEngine, type ClusterAddresses, type LiveEngine } from './engine/live-engine.ts';
import { REFUSAL_STATUSES } from './http/app.ts';
import { createKubeApi, type KubeApi } from './kube/api.ts';
import { watchNodes, type NodeWatch } from './kube/nodes.ts';
import { createSecretReader, type SecretReader } from './kube/secrets.ts';
import { createServiceAccountReader } from './kube/service-accounts.ts';
import { manifestSecretSource } from './manifests/secret-source.ts';
import { followPolicyConfigMap, followPolicyFile, type PolicyChange, type PolicySource } from './policy-source.ts';
import { DEFAULT_POLICY } from './policy/load.ts';
import { createResolver } from './registry/resolve.ts';
import { createLog, type Log } from './telemetry/log.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';
import { startWebhook } from './webhook.ts';

const IN_CLUSTER_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** `pullguard serve`: wires everything, listens, and ends with 0 on SIGTERM or SIGINT after draining. */
export async function serve(config: Config): Promise<number> {
  const log = createLog(process.stderr, config.logLevel);
  const metrics = createMetrics({ now: Date.now, refusalStatuses: REFUSAL_STATUSES });
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const hosts = readAddHosts(config.hosts);
  if (!hosts.ok) throw new Error(hosts.error.join('; '));

  const kube = config.kube === undefined ? undefined : openCluster(config.kube, log);
  const engine = createLiveEngine(
    {
      secrets: kube?.secrets ?? manifestSecretSource({ secrets: [], serviceAccounts: [] }),
      resolve: createResolver(hosts.value),
      clusterAddresses: () => clusterAddresses(kube),
      nodePlatforms: () => {
        const platforms = kube?.nodes.platforms() ?? [];
        return platforms.length === 0 ? undefined : { platforms, isFixed: false };
      },
    },
    DEFAULT_POLICY,
    {},
  );
  const policies = followPolicy(config, { engine, kube, log, metrics });
  const certificate = openCertificate(config, kube, log);
  const first = await certificate.start(stopping.signal);
  metrics.certificateExpires(first.expiresAtMs);
  const webhook = await startWebhook({
    engine,
    presence: kube === undefined ? () => 'unknown' : presenceOn(kube.nodes),
    ownNamespace: kube?.namespace ?? '',
    certificate: { certificate: first.cert, key: first.key },
    listen: config.listen,
    adminListen: config.adminListen,
    readiness: () =>
      stopping.signal.aborted ? { isReady: false, reason: 'it is ending' } : { isReady: true },
    log,
    metrics,
  });
  certificate.onChange((pair) => {
    const renewed = webhook.renew({ certificate: pair.cert, key: pair.key });
    if (renewed.ok) metrics.certificateExpires(pair.expiresAtMs);
    else log.error('certificate refused', { reason: renewed.error });
  });
  const port = (address: { readonly port: number } | undefined): string => String(address?.port ?? '');
  process.stdout.write(
    `pullguard: ready on https://${config.listen.host}:${port(webhook.address)}/validate, probes and metrics on port ${port(webhook.adminAddress)}\n`,
  );
  await untilAborted(stopping.signal);
  log.info('ending', { lingerMs: config.lingerMs });
  await webhook.drain(config.lingerMs);
  await Promise.all([policies.close(), certificate.close(), engine.close(), kube?.close()]);
  return 0;
}

type Cluster = {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly nodes: NodeWatch;
  readonly secretReader: SecretReader;
  readonly secrets: Parameters<typeof createLiveEngine>[0]['secrets'];
  readonly close: () => Promise<void>;
};

function openCluster(
  kube: { readonly kubeconfig: string | undefined; readonly namespace: string | undefined },
  log: Log,
): Cluster {
  const inCluster = process.env['KUBERNETES_SERVICE_HOST'] !== undefined && kube.kubeconfig === undefined;
  const api = createKubeApi(
    inCluster
      ? { from: 'in-cluster' }
      : kube.kubeconfig === undefined
        ? { from: 'default' }
        : { from: 'file', file: kube.kubeconfig },
  );
  const secretReader = createSecretReader(api);
  const accounts = createServiceAccountReader(api);
  const nodes = watchNodes({ api, onFailure: (reason) => log.warn('nodes unread', { reason }) });
  return {
    api,
    namespace: kube.namespace ?? ownNamespace(api),
    nodes,
    secretReader,
    secrets: { secret: secretReader.read, serviceAccount: accounts.read },
    close: async () => {
      await nodes.close();
      await api.close();
    },
  };
}

function ownNamespace(api: KubeApi): string {
  try {
    return readFileSync(IN_CLUSTER_NAMESPACE, 'utf8').trim();
  } catch {
    return api.namespace ?? 'pullguard';
  }
}

function presenceOn(nodes: NodeWatch): ImagePresence {
  return (image) => nodes.presence(imageNames(image));
}

/** What the guard of outgoing connections refuses besides the built-in ranges (design, rule 7). */
function clusterAddresses(kube: Cluster | undefined): ClusterAddresses {
  if (kube === undefined) return { ranges: [], endpoints: [] };
  const server = new URL(kube.api.server);
  const host = server.hostname.replace(/^\[|\]$/gu, '');
  return {
    ranges: kube.nodes.addresses().podCidrs,
    endpoints: [`${host}:${server.port === '' ? '443' : server.port}`],
  };
}

type PolicyDeps = { readonly engine: LiveEngine; readonly kube: Cluster | undefined; readonly log: Log; readonly metrics: Metrics };

function followPolicy(config: Config, { engine, kube, log, metrics }: PolicyDeps): PolicySource {
  const onChange = (change: PolicyChange): void => {
    if (change.kind === 'failed') {
      log.warn('policy not read', { reason: change.reason });
      return;
    }
    if (change.kind === 'refused') {
      metrics.policyRefused(change.mistakes.length);
      log.error('policy refused, the last good one stays in force', { policy: change.name, mistakes: change.mistakes });
      return;
    }
    const problems = engine.use(change.policy, change.files);
    metrics.policyAccepted(Date.now());
    log.info('policy in force', { policy: change.name, mode: change.policy.mode });
    for (const { file, line, reason } of problems) log.warn('node settings problem', { file, line, reason });
  };
  if (config.policy.from === 'file') return followPolicyFile(config.policy.file, onChange);
  if (config.policy.from === 'defaults' || kube === undefined) return { close: async () => undefined };
  const { namespace, name } = config.policy;
  return followPolicyConfigMap({ api: kube.api, secrets: kube.secretReader, namespace, name }, onChange);
}

function openCertificate(config: Config, kube: Cluster | undefined, log: Log): ServingCertificate {
  const onEvent = (event: CertificateEvent): void => {
    if (event.kind === 'rotated') log.info('certificate', { reason: event.reason });
    else log.warn('certificate', { reason: event.reason });
  };
  if (config.tlsFiles !== undefined) return loadFromFiles(config.tlsFiles.cert, config.tlsFiles.key, { onEvent });
  if (kube === undefined) throw new Error('without a cluster, --tls-cert and --tls-key are needed');
  return createServingCertificate({
    api: kube.api,
    namespace: kube.namespace,
    service: config.service,
    secret: config.tlsSecret,
    webhookConfiguration: config.webhookConfiguration,
    onEvent,
  });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
