import type { Command } from 'commander';
import type { Streams } from '../check/streams.ts';
import type { CheckFlags } from '../check/flags.ts';
import { addNodeOptions } from './node-options.ts';
import { appended } from './repeatable.ts';
import { addRunOptions } from './run-options.ts';

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
  const command = program
    .command('check')
    .summary('judge images and manifests, as in CI')
    .description('Judges every image of the given manifests and of the command line as the nodes would meet it.')
    .argument('[image...]', 'images to judge; what ends in .yaml, .yml or .json, or is -, is taken as -f takes it')
    .option(
      '-f, --filename <file>',
      'manifests: a file, a folder with all beneath, or - for standard input; repeatable',
      appended,
    );
  addNodeOptions(command, {
    runtime: 'containerd@2.1/transfer, or what the Nodes of a cluster report',
    platform: 'linux/amd64, or those of the Nodes',
    nodes: 'complete',
    credentialProviders: 'none',
  });
  command
    .optionsGroup('Credentials:')
    .option('--docker-config <file>', 'a config.json with logins for the images of the command line')
    .option('--kubeconfig <file>', 'read Secrets, ServiceAccounts, Nodes and the policy from this cluster')
    .option('--context <name>', 'a context of the kubeconfig')
    .option('-n, --namespace <name>', 'namespace of objects that name none, and of the images of the command line')
    .option('--service-account <name>', 'ServiceAccount of the images of the command line (default: default)');
  return addRunOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (images: readonly string[], flags: CheckFlags) => {
      // each command loads only what it needs
      const { checkCommand } = await import('../check/command.ts');
      end(await checkCommand(images, flags, streams));
    });
}
