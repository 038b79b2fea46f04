import type { SecretSource } from '../engine/pod-credentials.ts';
import { readManifests, settleManifests, type Manifests, type ReadManifests } from '../manifests/manifests.ts';
import { manifestSecretSource } from '../manifests/secret-source.ts';
import type { SettingsProblem } from '../node/endpoint.ts';
import { createPlanner } from '../node/plan.ts';
import { toPrintable } from '../outcome/printable.ts';
import { formatBytes } from '../outcome/quantity.ts';
import { createContentCheck } from '../pull/content.ts';
import { createProgress } from '../report/progress.ts';
import type { CheckResult } from '../report/result.ts';
import { chooseSetup } from './check-setup.ts';
import { runCheck } from './check.ts';
import { DOCKER_CONFIG_ACCOUNT, readDockerConfig, withDockerConfig, type DockerConfig } from './docker-config.ts';
import { isFileArgument, readManifestFiles } from './files.ts';
import { readCheckOptions, type CheckFlags, type CheckOptions } from './flags.ts';
import { filesNamedBy, type GivenPolicy } from './given-policy.ts';
import type { LiveCluster } from './live.ts';
import { readNodeFlags, type NodeChoices } from './node-flags.ts';
import { formatReport } from './report.ts';
import type { Streams } from './streams.ts';

/** `pullguard check`: reads what the flags name, judges, prints, and returns the exit code of design part 6. */
export async function checkCommand(args: readonly string[], flags: CheckFlags, streams: Streams): Promise<number> {
  const say = (lines: readonly string[]): void => {
    streams.stderr.write(lines.map((line) => `pullguard: ${toPrintable(line)}\n`).join(''));
  };
  const read = await readInput(args, flags, streams);
  if ('mistakes' in read) {
    say(read.mistakes);
    return 2;
  }
  const live = await openCluster(flags);
  if ('mistakes' in live) {
    say(live.mistakes);
    return 2;
  }
  try {
    return await judge(read, live.cluster, { streams, say });
  } finally {
    await live.cluster?.api.close();
  }
}

/** Everything that was asked for, read and sound. */
type Input = {
  readonly options: CheckOptions;
  readonly images: readonly string[];
  readonly manifests: ReadManifests;
  readonly choices: NodeChoices;
  readonly logins: DockerConfig | undefined;
};
type Mistaken = { readonly mistakes: readonly string[] };

async function readInput(args: readonly string[], flags: CheckFlags, { stdin }: Streams): Promise<Input | Mistaken> {
  const names = [...(flags.filename ?? []), ...args.filter(isFileArgument)];
  const images = args.filter((arg) => !isFileArgument(arg));
  const files = await readManifestFiles(names, stdin);
  const manifests = files.ok ? readManifests(files.value) : files;
  const options = readCheckOptions(flags);
  const choices = readNodeFlags(flags);
  const logins = flags.dockerConfig === undefined ? undefined : readDockerConfig(flags.dockerConfig);
  if (options.ok && choices.ok && manifests.ok && logins?.ok !== false) {
    if (names.length === 0 && images.length === 0) {
      return { mistakes: ['nothing to check: name images, or manifests with -f (see pullguard check --help)'] };
    }
    return {
      options: options.value,
      choices: choices.value,
      manifests: manifests.value,
      images,
      logins: logins?.value,
    };
  }
  const found = [options, choices, manifests].flatMap((one) => (one.ok ? [] : one.error));
  return { mistakes: logins?.ok === false ? [...found, logins.error] : found };
}

/** The API client takes a second to load: only whoever names a cluster waits for it. */
async function openCluster(flags: CheckFlags): Promise<{ readonly cluster: LiveCluster | undefined } | Mistaken> {
  if (flags.kubeconfig === undefined && flags.context === undefined) return { cluster: undefined };
  const { openLive } = await import('./live.ts');
  const opened = await openLive({ kubeconfig: flags.kubeconfig, context: flags.context });
  return opened.ok ? { cluster: opened.value } : { mistakes: [opened.error] };
}

type Voice = { readonly streams: Streams; readonly say: (lines: readonly string[]) => void };

async function judge(input: Input, live: LiveCluster | undefined, { streams, say }: Voice): Promise<number> {
  const { options, choices, images, logins } = input;
  const namespace = options.namespace ?? live?.namespace ?? 'default';
  const manifests = settleManifests(input.manifests, namespace);
  const given = await givenPolicy(choices, live);
  const setup = chooseSetup(choices, given);
  if (!setup.ok) {
    say(setup.error);
    return 2;
  }
  const { problems } = createPlanner(setup.value.setup);
  say([
    ...(live?.notice === undefined || choices.policy !== undefined ? [] : [live.notice]),
    ...(given?.missing ?? []).map((what) => `not at hand: ${what}; what hangs on the nodes' files is no proof then`),
    ...(logins?.notice === undefined ? [] : [logins.notice]),
    ...manifests.notices,
    ...problems.map(describeProblem),
  ]);
  const source = await secretsOf(live, manifests);
  const progress = createProgress(streams.stderr);
  let results: readonly CheckResult[];
  try {
    results = await runCheck({
      ...setup.value,
      manifests,
      images,
      secrets: logins === undefined ? source : withDockerConfig(source, logins.secret),
      namespace,
      serviceAccount: logins === undefined ? options.serviceAccount : DOCKER_CONFIG_ACCOUNT,
      hosts: options.hosts,
      timeoutMs: options.timeoutMs,
      explains: options.explains,
      contentCheck:
        options.verify === 'content'
          ? () => createContentCheck({ onRead: (bytes) => progress.note(`${formatBytes(bytes)} of layers read`) })
          : undefined,
      onProgress: (done, total, current) => progress.update(done, total, current),
      onError: (image, reason) => {
        progress.clear();
        say([`${image}: an error in Pullguard itself, please report it: ${reason}`]);
      },
    });
  } finally {
    progress.clear();
  }
  const report = formatReport(results, options, streams);
  if (report.beside !== '') streams.stderr.write(report.beside);
  streams.stdout.write(report.text);
  // the runtimes pass over a file that they cannot read, so the results stand; the file is a mistake all the same
  return problems.length > 0 ? 2 : exitCode(results, options.failOn);
}

/** The file's policy, or else the cluster's, with what it names: only a cluster has that. */
async function givenPolicy(choices: NodeChoices, live: LiveCluster | undefined): Promise<GivenPolicy | undefined> {
  const policy = choices.policy ?? live?.policy;
  if (policy === undefined) return undefined;
  if (live !== undefined) return { policy, ...(await live.filesOf(policy)) };
  return { policy, files: {}, missing: filesNamedBy(policy) };
}

async function secretsOf(live: LiveCluster | undefined, manifests: Manifests): Promise<SecretSource> {
  if (live === undefined) return manifestSecretSource(manifests);
  const { liveSecretSource } = await import('./live.ts');
  return liveSecretSource(live.api, manifests);
}

function describeProblem({ file, line, reason }: SettingsProblem): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${reason}`;
}

function exitCode(results: readonly CheckResult[], failOn: CheckOptions['failOn']): number {
  const fails = results.some(({ action }) => action === 'deny' || (failOn === 'warn' && action === 'warn'));
  return fails ? 1 : 0;
}
