import type { SecretSource } from '../engine/pod-credentials.ts';
import { readManifests, settleManifests, type Manifests, type ReadManifests } from '../manifests/manifests.ts';
import { manifestSecretSource } from '../manifests/secret-source.ts';
import { unlimited } from '../registry/budget.ts';
import { CHECK_DEFAULTS } from './check-setup.ts';
import { DOCKER_CONFIG_ACCOUNT, readDockerConfig, withDockerConfig, type DockerConfig } from './docker-config.ts';
import { isFileArgument, readManifestFiles } from './files.ts';
import { readCheckOptions, type CheckFlags, type CheckOptions } from './flags.ts';
import { itemsOf } from './items.ts';
import { judge } from './judge.ts';
import type { LiveCluster } from './live.ts';
import { readNodeFlags, type NodeChoices } from './node-flags.ts';
import { prepare } from './preparation.ts';
import { refuse } from './say.ts';
import type { Streams } from './streams.ts';

/** `pullguard check`: reads what the flags name, judges, prints, and returns the exit code of design part 6. */
export async function checkCommand(args: readonly string[], flags: CheckFlags, streams: Streams): Promise<number> {
  const read = await readInput(args, flags, streams);
  if ('mistakes' in read) return refuse(streams, read.mistakes);
  const live = await openCluster(flags);
  if ('mistakes' in live) return refuse(streams, live.mistakes);
  try {
    return await checkAll(read, live.cluster, streams);
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
  const opened = await openLive({ kubeconfig: flags.kubeconfig, context: flags.context }, 'check');
  return opened.ok ? { cluster: opened.value } : { mistakes: [opened.error] };
}

async function checkAll(input: Input, live: LiveCluster | undefined, streams: Streams): Promise<number> {
  const { options, choices, images, logins } = input;
  const namespace = options.namespace ?? live?.namespace ?? 'default';
  const preparation = await prepare(choices, live, CHECK_DEFAULTS);
  if (!preparation.ok) return refuse(streams, preparation.error);
  const manifests = settleManifests(input.manifests, namespace);
  const source = await secretsOf(live, manifests);
  const serviceAccount = logins === undefined ? options.serviceAccount : DOCKER_CONFIG_ACCOUNT;
  return judge(
    {
      options,
      preparation: preparation.value,
      items: itemsOf({ manifests, images, namespace, serviceAccount }),
      secrets: logins === undefined ? source : withDockerConfig(source, logins.secret),
      nodes: live?.nodes,
      isNew: true,
      budget: unlimited,
      notices: [...(logins?.notice === undefined ? [] : [logins.notice]), ...manifests.notices],
      shows: 'all',
      isPartial: false,
    },
    streams,
  );
}

async function secretsOf(live: LiveCluster | undefined, manifests: Manifests): Promise<SecretSource> {
  if (live === undefined) return manifestSecretSource(manifests);
  const { liveSecretSource } = await import('./live.ts');
  return liveSecretSource(live.api, manifests);
}
