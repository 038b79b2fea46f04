import type { Command } from 'commander';
import type { Streams } from '../check/streams.ts';
import type { CheckFlags } from '../check/flags.ts';
import { appended } from './repeatable.ts';

const EXAMPLES = `
Examples:
  Could a node pull these, without a login?
    pullguard check nginx:1.27 ghcr.io/acme/api:2.1

  The manifests of a folder, with the Secrets and ServiceAccounts in it, on nodes set up like this one:
    pullguard check -f deploy/ --certs-d /etc/containerd/certs.d

  What a chart or an overlay renders, as a report for code scanning:
    helm template . | pullguard check -f - --output sarif > pullguard.sarif
    kustomize build . | pullguard check -f - --output junit > pullguard.xml

  With the Secrets, ServiceAccounts and the policy of a cluster, and every request that was made:
    pullguard check -f pod.yaml --kubeconfig ~/.kube/config --explain

  A private image with the login of a config.json:
    pullguard check registry.example:5000/app:1 --docker-config ~/.docker/config.json

Exit codes: 0 nothing fails, 1 an image fails, 2 a flag or a file could not be read.`;

/** Adds `pullguard check`; `end` is told its exit code. */
export function addCheckCommand(program: Command, streams: Streams, end: (exitCode: number) => void): Command {
  return program
    .command('check')
    .summary('judge images and manifests, as in CI')
    .description('Judges every image of the given manifests and of the command line as the nodes would meet it.')
    .argument('[image...]', 'images to judge; what ends in .yaml, .yml or .json, or is -, is taken as -f takes it')
    .option(
      '-f, --filename <file>',
      'manifests: a file, a folder with all beneath, or - for standard input; repeatable',
      appended,
    )
    .optionsGroup('What the nodes have:')
    .option(
      '--runtime <runtime>',
      'containerd[@VERSION][/transfer|/local], docker[@VERSION][/graph|/containerd] or crio[@VERSION] (default: containerd@2.1/transfer)',
    )
    .option(
      '--certs-d <dir>',
      "containerd's registry settings, a folder like /etc/containerd/certs.d; A:B where config_path is such a list",
    )
    .option('--docker-daemon <file>', "dockerd's settings, a file like /etc/docker/daemon.json")
    .option('--docker-certs-d <dir>', "dockerd's or CRI-O's certificates, a folder like /etc/docker/certs.d")
    .option('--registries-conf <file>', "CRI-O's registry settings, a file like /etc/containers/registries.conf")
    .option('--registries-conf-d <dir>', 'its drop-ins, a folder like /etc/containers/registries.conf.d')
    .option('--signature-policy <file>', 'which images CRI-O rejects, a file like /etc/containers/policy.json')
    .option(
      '--platform <platform>',
      'os/arch[/variant] of the nodes, or windows/amd64:10.0.20348; repeatable (default: linux/amd64)',
      appended,
    )
    .option('--nodes <extent>', 'complete: these files are all that the nodes have; or partial (default: complete)')
    .option(
      '--credential-providers <hosts>',
      'where nodes hold logins of their own: none, possible, or patterns such as *.dkr.ecr.*.amazonaws.com; repeatable (default: none)',
      appended,
    )
    .option(
      '--policy <file>',
      'a policy: what stands below policy.yaml in the ConfigMap; what it says of the nodes takes the place of the defaults',
    )
    .optionsGroup('Credentials:')
    .option('--docker-config <file>', 'a config.json with logins for the images of the command line')
    .option('--kubeconfig <file>', 'read Secrets, ServiceAccounts and the policy from this cluster')
    .option('--context <name>', 'a context of the kubeconfig')
    .option('-n, --namespace <name>', 'namespace of objects that name none, and of the images of the command line')
    .option('--service-account <name>', 'ServiceAccount of the images of the command line (default: default)')
    .optionsGroup('How to check, and what to print:')
    .option('--fail-on <action>', 'exit with 1 on this or worse: deny or warn (default: deny)')
    .option('--timeout <duration>', 'for each image (default: 30s, with --verify content 10m)')
    .option('--add-host <name:ip>', 'an address for a name, as docker run has it; repeatable', appended)
    .option(
      '--verify <depth>',
      'headers: every part is there; content: read and unpack every layer too, keeping none (default: headers)',
    )
    .option('--similar-tags', 'list the tags of a repository that lacks the one asked for, and name those like it')
    .option('--explain', 'print the course of each check too; on standard error unless the output is a table')
    .option('-o, --output <format>', 'table, json, sarif or junit (default: table)')
    .addHelpText('after', EXAMPLES)
    .action(async (images: readonly string[], flags: CheckFlags) => {
      // each command loads only what it needs
      const { checkCommand } = await import('../check/command.ts');
      end(await checkCommand(images, flags, streams));
    });
}
