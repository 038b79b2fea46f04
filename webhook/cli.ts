import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { CheckFlags } from './check/command.ts';
import { mergeSettings, readConfig, SERVE_FLAGS, type ServeSettings } from './config.ts';
import { version } from './version.ts';

/** The command line: only reads flags, and ends the process with the code that the command returns. */
const program = new Command('pullguard')
  .description('Finds out whether Kubernetes nodes can pull an image, before they try.')
  .version(version())
  .exitOverride()
  .configureHelp({ sortSubcommands: false })
  .showSuggestionAfterError();

const collect = (value: string, list: readonly string[] = []): string[] => [...list, value];

function seconds(text: string): number {
  const match = /^(?<number>\d+(?:\.\d+)?)(?<unit>ms|s|m)$/u.exec(text);
  const number = Number(match?.groups?.['number']);
  const unit = match?.groups?.['unit'];
  if (unit === undefined || number <= 0) throw new InvalidArgumentError('expected a duration such as 30s, 500ms or 2m');
  return number * (unit === 'ms' ? 1 : unit === 's' ? 1_000 : 60_000);
}

program
  .command('check')
  .summary('judge images and manifests, as in CI')
  .description('Judges every image of the given manifests and of the command line as the nodes would meet it.')
  .argument('[image...]', 'images to judge besides those of the manifests')
  .option('-f, --filename <file>', 'manifests: a file, a folder, or - for standard input; repeatable', collect)
  .optionsGroup('What the nodes have:')
  .option('--runtime <runtime>', 'containerd[@VERSION][/transfer|/local], docker[@VERSION] or crio[@VERSION] (default: containerd@2.1/transfer)')
  .option('--certs-d <dir>', "containerd's registry settings, a folder like /etc/containerd/certs.d")
  .option('--docker-daemon <file>', "dockerd's settings, a file like /etc/docker/daemon.json")
  .option('--docker-certs-d <dir>', "dockerd's certificates, a folder like /etc/docker/certs.d")
  .option('--registries-conf <file>', "CRI-O's registry settings, a file like /etc/containers/registries.conf")
  .option('--platform <platform>', 'os/arch[/variant] of the nodes; repeatable (default: linux/amd64)', collect)
  .addOption(new Option('--nodes <extent>', 'whether these files are all that the nodes have: complete or partial (default: complete)'))
  .option('--credential-providers <patterns...>', 'hosts for which nodes hold credentials of their own: possible, none, or patterns (default: none)')
  .option('--policy <file>', 'a policy file, as in the ConfigMap')
  .optionsGroup('Credentials:')
  .option('--docker-config <file>', 'a config.json with logins for the images of the command line')
  .option('--kubeconfig <file>', 'read Secrets, ServiceAccounts and the policy from this cluster')
  .option('--context <name>', 'a context of the kubeconfig')
  .option('-n, --namespace <name>', 'namespace of objects that name none (default: default)')
  .option('--service-account <name>', 'ServiceAccount of the images of the command line', 'default')
  .optionsGroup('How to check, and what to print:')
  .addOption(new Option('--fail-on <action>', 'exit with 1 on this or worse').choices(['deny', 'warn']).default('deny'))
  .addOption(new Option('--timeout <duration>', 'for each image').argParser(seconds).default(30_000, '30s'))
  .option('--add-host <name:ip>', 'an address for a name, as docker run has it; repeatable', collect)
  .addOption(new Option('--verify <depth>', 'headers: the parts are there; content: read all layers too').choices(['headers', 'content']).default('headers'))
  .option('--explain', 'print the whole course of each check')
  .addOption(new Option('-o, --output <format>', 'how to print').choices(['table', 'json', 'sarif', 'junit']).default('table'))
  .addHelpText(
    'after',
    `
Examples:
  pullguard check nginx:1.27 ghcr.io/acme/api:2.1
  pullguard check -f deploy/ --certs-d /etc/containerd/certs.d
  kustomize build . | pullguard check -f - --output sarif > pullguard.sarif
  pullguard check -f pod.yaml --kubeconfig ~/.kube/config --explain

Exit codes: 0 nothing fails, 1 an image fails, 2 a flag or a file could not be read.`,
  )
  .action(async (images: readonly string[], flags: CheckFlags) => {
    const { checkCommand } = await import('./check/command.ts');
    process.exitCode = await checkCommand(images, flags, {
      stdout: process.stdout,
      stderr: process.stderr,
      stdin: process.stdin,
      environment: process.env,
    });
  });

program
  .command('serve')
  .summary('run the admission webhook')
  .description(
    `Answers AdmissionReviews over HTTPS until SIGTERM. Each flag is also an environment variable: ${SERVE_FLAGS.map(([, variable]) => variable)
      .slice(0, 3)
      .join(', ')} and so on.`,
  )
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
  .option('--add-host <name:ip>', 'an address for a name, as docker run has it; repeatable', collect)
  .option('--log-level <level>', 'debug, info, warn or error (default: info)')
  .option('--linger <milliseconds>', 'how long it still accepts after SIGTERM (default: 5000)')
  .addHelpText(
    'after',
    `
Examples:
  pullguard serve --policy-configmap pullguard/pullguard-policy
  pullguard serve --no-kube --policy policy.yaml --tls-cert tls.crt --tls-key tls.key --listen 127.0.0.1:8443`,
  )
  .action(async (flags: Record<string, unknown>) => {
    const config = readConfig(mergeSettings(serveSettings(flags), process.env));
    if (!config.ok) {
      process.stderr.write(config.error.map((line) => `pullguard: ${line}\n`).join(''));
      process.exitCode = 2;
      return;
    }
    // each command loads only what it needs: the API client alone takes a second
    const { serve } = await import('./main.ts');
    process.exitCode = await serve(config.value);
  });

function serveSettings(flags: Record<string, unknown>): ServeSettings {
  const settings = Object.entries(flags).flatMap(([name, value]): readonly (readonly [string, string])[] => {
    if (name === 'kube') return value === false ? [['noKube', 'true']] : [];
    if (Array.isArray(value)) return [[name, value.join(',')]];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  return Object.fromEntries(settings);
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) {
    process.stderr.write(`pullguard: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  process.exitCode = error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
}
