import type { Command } from 'commander';
import type { ScanFlags } from '../check/flags.ts';
import type { Streams } from '../check/streams.ts';
import { addNodeOptions } from './node-options.ts';
import { appended } from './repeatable.ts';
import { addRunOptions } from './run-options.ts';

const EXAMPLES = `
Examples:
  What of all that this cluster runs could its nodes not pull again?
    pullguard scan

  Two namespaces of another cluster, on nodes whose files are these alone:
    pullguard scan --context staging -n shop -n payments --certs-d nodes/certs.d --nodes complete

  The whole cluster, layer by layer, as a report; what is fine stands in it too:
    pullguard scan --verify content --output json > scan.json

  What a policy would say, before it is applied, and why:
    pullguard scan --policy policy.yaml --explain

It only reads: lists of workloads, Pods and Nodes, and by name the policy, ServiceAccounts and the pull secrets that
they and Pods name. What may not be listed is said and left out.

Exit codes: 0 nothing fails, 1 an image fails, 2 a flag or file, or a list of the cluster, could not be read.`;

/** Adds `pullguard scan`; `end` is told its exit code. */
export function addScanCommand(program: Command, streams: Streams, end: (exitCode: number) => void): Command {
  const command = program
    .command('scan')
    .summary('judge every image that a live cluster runs or would run')
    .description(
      'Judges every image of the workloads and Pods of a cluster as its nodes would meet it now. The table lists what fails or warns, and counts the rest.',
    )
    .optionsGroup('What to scan:')
    .option('--kubeconfig <file>', 'the cluster (default: $KUBECONFIG, or ~/.kube/config)')
    .option('--context <name>', 'a context of the kubeconfig (default: its current one)')
    .option('-n, --namespace <name>', 'a namespace; repeatable (default: all of them)', appended)
    .option('-A, --all-namespaces', 'all namespaces');
  addNodeOptions(command, {
    runtime: 'what the Nodes report',
    platform: 'those of the Nodes',
    nodes: 'partial',
    credentialProviders: 'possible',
  });
  return addRunOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (flags: ScanFlags) => {
      const { scanCommand } = await import('../check/scan.ts');
      end(await scanCommand(flags, streams));
    });
}
