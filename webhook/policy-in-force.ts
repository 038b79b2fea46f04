import type { Cluster } from './cluster.ts';
import type { Config } from './config.ts';
import type { LiveEngine } from './engine/live-engine.ts';
import { followPolicyConfigMap, followPolicyFile, type PolicyChange, type PolicySource } from './policy-source.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

export type PolicyDeps = {
  readonly engine: LiveEngine;
  readonly kube: Cluster | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
};

/** Follows the policy that the configuration names: puts each good one into force, and says what became of each. */
export function followPolicy(config: Pick<Config, 'policy'>, { engine, kube, log, metrics }: PolicyDeps): PolicySource {
  let inForce = 'the defaults';
  const onChange = (change: PolicyChange): void => {
    switch (change.kind) {
      case 'failed':
      case 'absent':
        log.warn('policy not read', { reason: change.reason, inForce });
        return;
      case 'refused':
        metrics.policyRefused(change.mistakes.length);
        log.error('policy refused', { policy: change.name, mistakes: change.mistakes, inForce });
        return;
      case 'accepted': {
        const problems = engine.use(change.policy, change.files);
        inForce = 'the last good one';
        metrics.policyAccepted(Date.now());
        log.info('policy in force', { policy: change.name, mode: change.policy.mode });
        for (const reason of change.missing) log.warn('node settings unread', { reason });
        for (const { file, line, reason } of problems) log.warn('node settings problem', { file, line, reason });
      }
    }
  };
  const files =
    kube === undefined ? undefined : { api: kube.api, secrets: kube.secretReader, namespace: kube.namespace };
  if (config.policy.from === 'file') return followPolicyFile(config.policy.file, { files, onChange });
  if (config.policy.from === 'defaults' || files === undefined) {
    return { first: Promise.resolve(), close: async () => undefined };
  }
  return followPolicyConfigMap(config.policy, { files, onChange });
}
