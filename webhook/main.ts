import { setTimeout as delay } from 'node:timers/promises';
import { loadFromFiles } from '../certs/file-certificate.ts';
import { createServingCertificate } from '../certs/owned-certificate.ts';
import type { CertificateEvent, ServingCertificate } from '../certs/serving-certificate.ts';
import { apiEndpoints, clusterAddresses } from './cluster-addresses.ts';
import { openCluster, type Cluster } from './cluster.ts';
import type { Streams } from './check/streams.ts';
import type { Config } from './config.ts';
import { presenceOn } from './engine/known-nodes.ts';
import { createLiveEngine } from './engine/live-engine.ts';
import { REFUSAL_STATUSES } from './http/app.ts';
import { manifestSecretSource } from './manifests/secret-source.ts';
import { followPolicy } from './policy-in-force.ts';
import { readPolicyFile } from './policy-source.ts';
import { DEFAULT_POLICY } from './policy/load.ts';
import { createDnsQuery } from './registry/dns-query.ts';
import { createResolver } from './registry/resolve.ts';
import { createLog, type Log } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { formatAddress, startWebhook } from './webhook.ts';

/** A fresh replica judges by the cluster's policy, not by the defaults, unless the API server takes longer than this. */
const FIRST_POLICY_MS = 5_000;

/**
 * `pullguard serve`: wires everything, listens, and ends with 0 after draining once it is interrupted; 2 where the policy
 * file has mistakes, which are printed. Rejects with one line for the user where it cannot start.
 */
export async function serve(config: Config, streams: Omit<Streams, 'stdin' | 'environment'>): Promise<number> {
  const { stdout, stderr } = streams;
  const policy = config.policy.from === 'file' ? readPolicyFile(config.policy.file) : undefined;
  if (policy?.ok === false) {
    stderr.write(policy.error.map((line) => `pullguard: ${line}\n`).join(''));
    return 2;
  }
  const lines = (await streams.openLog?.()) ?? {
    write: (line) => void stderr.write(line),
    close: () => Promise.resolve(),
  };
  const log = createLog(lines, config.logLevel);
  const signal = streams.interruption?.() ?? new AbortController().signal;
  // one stray failure must not end the reviews of all others
  const onStray = (err: unknown): void => log.error('unhandled rejection', { err });
  process.on('unhandledRejection', onStray);
  /** What was opened, to be closed in reverse. */
  const opened: (() => Promise<void>)[] = [];
  try {
    await run(config, {
      log,
      signal,
      onReady: (line) => void stdout.write(line),
      onOpened: (close) => opened.push(close),
    });
    return 0;
  } catch (error) {
    // told to end before it was ready
    if (signal.aborted) return 0;
    throw error;
  } finally {
    // each builds on those before it
    // oxlint-disable-next-line no-await-in-loop
    for (const close of opened.toReversed()) await close();
    process.off('unhandledRejection', onStray);
    await lines.close();
  }
}

type Life = {
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onReady: (line: string) => void;
  readonly onOpened: (close: () => Promise<void>) => void;
};

async function run(config: Config, { log, signal, onReady, onOpened }: Life): Promise<void> {
  const metrics = createMetrics({ now: Date.now, refusalStatuses: REFUSAL_STATUSES });
  const resolve = createResolver(config.hosts, undefined, createDnsQuery());
  const kube =
    config.kube === undefined
      ? undefined
      : openCluster(config.kube, {
          environment: process.env,
          secretMs: () => engine.policy().limits.secretMs,
          onNodesUnread: (reason) => log.warn('nodes unread', { reason }),
        });
  if (kube !== undefined) onOpened(kube.close);
  const endpoints = await apiEndpoints(kube?.api.server, process.env, (name) => resolve(name, signal));
  const engine = createLiveEngine(
    {
      secrets: kube?.secrets ?? manifestSecretSource({ secrets: [], serviceAccounts: [] }),
      resolve,
      clusterAddresses: () => clusterAddresses(kube?.nodes, endpoints),
      nodes: kube?.nodes,
    },
    DEFAULT_POLICY,
    {},
  );
  onOpened(engine.close);
  const policies = followPolicy(config, { engine, kube, log, metrics });
  onOpened(policies.close);
  const certificate = openCertificate(config, kube, log);
  onOpened(() => certificate.close());
  const [first] = await Promise.all([
    certificate.start(signal),
    Promise.race([policies.first, delay(FIRST_POLICY_MS, undefined, { signal, ref: false })]),
  ]);
  metrics.certificateExpires(first.expiresAtMs);
  const webhook = await startWebhook({
    engine,
    presence: kube === undefined ? () => 'unknown' : presenceOn(kube.nodes, () => engine.policy().nodes.kubelet),
    ownNamespace: kube?.namespace ?? '',
    certificate: { certificate: first.cert, key: first.key },
    listen: config.listen,
    adminListen: config.adminListen,
    readiness: () => (signal.aborted ? { isReady: false, reason: 'it is ending' } : { isReady: true }),
    log,
    metrics,
  });
  certificate.onChange((pair) => {
    const renewed = webhook.renew({ certificate: pair.cert, key: pair.key });
    if (renewed.ok) metrics.certificateExpires(pair.expiresAtMs);
    else log.error('certificate refused', { reason: renewed.error });
  });
  const own = formatAddress({ host: config.listen.host, port: webhook.address.port });
  onReady(
    `pullguard: ready on https://${own}/validate, probes and metrics on port ${webhook.adminAddress?.port ?? ''}\n`,
  );
  await untilAborted(signal);
  log.info('ending', { lingerMs: config.lingerMs });
  await webhook.drain(config.lingerMs);
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
