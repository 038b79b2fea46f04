import type { Command } from 'commander';
import type { Streams } from '../check/streams.ts';
import { readConfig, readSettings, SERVE_FLAGS, type ServeFlags } from '../config.ts';
import { appended } from './repeatable.ts';

const EXAMPLES = `
Each option is also an environment variable: --admin-listen is PULLGUARD_ADMIN_LISTEN. The option wins.

Examples:
  In a cluster, with its own certificate and the policy of a ConfigMap:
    pullguard serve --policy-configmap pullguard/pullguard-policy

  On this machine, without a cluster:
    pullguard serve --no-kube --policy policy.yaml --tls-cert tls.crt --tls-key tls.key --listen 127.0.0.1:8443

It prints one line when it is ready, and ends with 0 on SIGTERM once its last answer is out.`;

/** Adds `pullguard serve`; `end` is told its exit code. */
export function addServeCommand(program: Command, streams: Streams, end: (exitCode: number) => void): Command {
  return program
    .command('serve')
    .summary('run the admission webhook')
    .description('Answers AdmissionReviews over HTTPS until SIGTERM.')
    .option('--listen <host:port>', 'where the API server calls (default: 0.0.0.0:8443)')
    .option('--admin-listen <host:port>', 'probes and metrics, plain HTTP (default: 0.0.0.0:8080)')
    .option('--tls-cert <file>', "serving certificate, PEM (default: Pullguard's own, kept in the cluster)")
    .option('--tls-key <file>', 'its key, PEM')
    .option('--policy <file>', 'the policy, followed while it runs')
    .option('--policy-configmap <namespace/name>', 'the policy in a ConfigMap, key policy.yaml, followed while it runs')
    .option('--kubeconfig <file>', "the cluster (default: the Pod's own)")
    .option('--no-kube', 'no cluster at all: no secrets, the policy from a file; for trying it and for benchmarks')
    .option('--namespace <name>', "Pullguard's own namespace (default: the Pod's)")
    .option('--service <name>', 'the Service in front of it (default: pullguard)')
    .option('--tls-secret <name>', 'the Secret that keeps its certificate (default: pullguard-tls)')
    .option('--webhook-configuration <name>', 'whose caBundle it keeps (default: pullguard)')
    .option('--add-host <name:ip>', 'an address for a name, as docker run has it; repeatable', appended)
    .option('--log-level <level>', 'debug, info, warn or error (default: info)')
    .option('--linger <duration>', 'how long it still accepts after SIGTERM (default: 5s)')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: Readonly<Record<string, unknown>>) => {
      const config = readConfig(readSettings(textsOf(flags), streams.environment));
      if (!config.ok) {
        streams.stderr.write(config.error.map((line) => `pullguard: ${line}\n`).join(''));
        end(2);
        return;
      }
      // the API client alone takes a second to load
      const { serve } = await import('../main.ts');
      end(await serve(config.value, streams));
    });
}

/** What commander read, as texts: `--no-kube` is its `kube: false`, and a list is joined as the variable has it. */
function textsOf(flags: Readonly<Record<string, unknown>>): ServeFlags {
  const entries = SERVE_FLAGS.flatMap(({ name }): readonly (readonly [string, string])[] => {
    const value = name === 'noKube' ? flags['kube'] === false : flags[name];
    if (value === true) return [[name, 'true']];
    if (Array.isArray(value)) return [[name, value.join(',')]];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  return Object.fromEntries(entries);
}
