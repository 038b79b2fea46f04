import type { Command } from 'commander';
import { appended } from './repeatable.ts';

/** What a command takes nodes for where neither flag nor policy says, in the words of its help. */
export type UsualNodes = {
  readonly runtime: string;
  readonly platform: string;
  readonly nodes: string;
  readonly credentialProviders: string;
};

/** Adds what says how the nodes are set up. */
export function addNodeOptions(command: Command, usual: UsualNodes): Command {
  return command
    .optionsGroup('What the nodes have:')
    .option(
      '--runtime <runtime>',
      `containerd[@VERSION][/transfer|/local], docker[@VERSION][/graph|/containerd] or crio[@VERSION] (default: ${usual.runtime})`,
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
      `os/arch[/variant] of the nodes, or windows/amd64:10.0.20348; repeatable (default: ${usual.platform})`,
      appended,
    )
    .option(
      '--nodes <extent>',
      `complete: these files are all that the nodes have; or partial (default: ${usual.nodes})`,
    )
    .option(
      '--credential-providers <hosts>',
      `where nodes hold logins of their own: none, possible, or patterns such as *.dkr.ecr.*.amazonaws.com; repeatable (default: ${usual.credentialProviders})`,
      appended,
    )
    .option(
      '--policy <file>',
      'a policy: what stands below policy.yaml in the ConfigMap; what it says of the nodes takes the place of the defaults',
    );
}
