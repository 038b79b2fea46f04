import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { checkCommand } from './check/command.ts';
import { version } from './version.ts';

/** The command line: only reads flags, and ends the process with the code that the command returns. */
const program = new Command('pullguard')
  .description('Finds out whether Kubernetes nodes can pull an image, before they try.')
  .version(version())
  .exitOverride()
  .configureHelp({ sortSubcommands: false })
  .showSuggestionAfterError();

const collect = (value: string, list: readonly string[]): string[] => [...list, value];

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
  .option('-f, --filename <file>', 'manifests: a file, a folder, or - for standard input; repeatable', collect, [])
  .optionsGroup('What the nodes have:')
  .option('--runtime <runtime>', 'containerd[@VERSION][/transfer|/local], docker[@VERSION] or crio[@VERSION] (default: containerd@2.1/transfer)')
  .option('--certs-d <dir>', "containerd's registry settings, a folder like /etc/containerd/certs.d")
  .option('--docker-daemon <file>', "dockerd's settings, a file like /etc/docker/daemon.json")
  .option('--docker-certs-d <dir>', "dockerd's certificates, a folder like /etc/docker/certs.d")
  .option('--registries-conf <file>', "CRI-O's registry settings, a file like /etc/containers/registries.conf")
  .option('--platform <platform>', 'os/arch[/variant] of the nodes; repeatable (default: linux/amd64)', collect, [])
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
  .option('--add-host <name:ip>', 'an address for a name, as docker run has it; repeatable', collect, [])
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
  .action(async (images: readonly string[], flags: Record<string, unknown>) => {
    process.exitCode = await checkCommand(images, flags, {
      stdout: process.stdout,
      stderr: process.stderr,
      stdin: process.stdin,
      environment: process.env,
    });
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) {
    process.stderr.write(`pullguard: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  process.exitCode = error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
}
