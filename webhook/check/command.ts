import type { SecretSource } from '../engine/pod-credentials.ts';
import { readManifests, type Manifests } from '../manifests/manifests.ts';
import { manifestSecretSource } from '../manifests/secret-source.ts';
import type { SettingsProblem } from '../node/endpoint.ts';
import { createPlanner } from '../node/plan.ts';
import { DEFAULT_POLICY } from '../policy/load.ts';
import { formatExplain } from '../report/explain.ts';
import { formatJson } from '../report/json.ts';
import { formatJunit } from '../report/junit.ts';
import { createProgress } from '../report/progress.ts';
import type { CheckResult } from '../report/result.ts';
import { formatSarif } from '../report/sarif.ts';
import { formatTable } from '../report/table.ts';
import { version } from '../version.ts';
import { runCheck } from './check.ts';
import { DOCKER_CONFIG_ACCOUNT, readDockerConfig, withDockerConfig } from './docker-config.ts';
import { readFiles } from './files.ts';
import { readAddHosts, readCheckSetup } from './options.ts';
import type { LiveCluster } from './live.ts';

/** What commander read, by the names it gives to flags; lists where a flag is repeatable. */
export type CheckFlags = {
  readonly filename?: readonly string[];
  readonly runtime?: string;
  readonly certsD?: string;
  readonly dockerDaemon?: string;
  readonly dockerCertsD?: string;
  readonly registriesConf?: string;
  readonly platform?: readonly string[];
  readonly nodes?: string;
  readonly credentialProviders?: readonly string[];
  readonly policy?: string;
  readonly dockerConfig?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly serviceAccount: string;
  readonly failOn: 'deny' | 'warn';
  /** Milliseconds. */
  readonly timeout: number;
  readonly addHost?: readonly string[];
  readonly verify: 'headers' | 'content';
  readonly explain?: boolean;
  readonly output: 'table' | 'json' | 'sarif' | 'junit';
};

type Output = { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown };

export type Streams = {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: NodeJS.ReadableStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/** Where there is no terminal to ask, a width that logs show well. */
const PIPE_WIDTH = 100;

/** `pullguard check`: reads what the flags name, judges, prints, and returns the exit code of design part 6. */
export async function checkCommand(images: readonly string[], flags: CheckFlags, streams: Streams): Promise<number> {
  const fail = (lines: readonly string[]): number => {
    streams.stderr.write(lines.map((line) => `pullguard: ${line}\n`).join(''));
    return 2;
  };
  const files = await readFiles(flags.filename ?? [], streams.stdin);
  if (!files.ok) return fail(files.error);
  if (images.length === 0 && files.value.length === 0) {
    return fail(['nothing to check: name images, or files with -f; see "pullguard check --help"']);
  }
  const hosts = readAddHosts(flags.addHost ?? []);
  if (!hosts.ok) return fail(hosts.error);
  const live = await openCluster(flags);
  if (!live.ok) return fail([live.error]);
  try {
    const namespace = flags.namespace ?? live.value?.namespace ?? 'default';
    const manifests = readManifests(files.value, namespace);
    if (!manifests.ok) return fail(manifests.error);
    const setup = readCheckSetup(flags, live.value?.policy, DEFAULT_POLICY);
    if (!setup.ok) return fail(setup.error);
    const logins = flags.dockerConfig === undefined ? undefined : readDockerConfig(flags.dockerConfig, namespace);
    if (logins?.ok === false) return fail([logins.error]);
    if (live.value?.notice !== undefined) streams.stderr.write(`pullguard: ${live.value.notice}\n`);
    const { problems } = createPlanner(setup.value.setup);
    streams.stderr.write(problems.map((problem) => `pullguard: ${describeProblem(problem)}\n`).join(''));
    const source = await secretsOf(live.value, manifests.value);
    const progress = createProgress(streams.stderr);
    const results = await runCheck({
      ...setup.value,
      manifests: manifests.value,
      images,
      secrets: logins === undefined ? source : withDockerConfig(source, logins.value),
      namespace,
      serviceAccount: logins === undefined ? flags.serviceAccount : DOCKER_CONFIG_ACCOUNT,
      hosts: hosts.value,
      timeoutMs: flags.timeout,
      explains: flags.explain === true,
      contentCheck: undefined,
      onProgress: progress.update,
    });
    progress.clear();
    streams.stdout.write(format(results, flags, streams));
    // the runtimes pass over a file that they cannot read, so the results stand; the file is a mistake all the same
    return problems.length > 0 ? 2 : exitCode(results, flags.failOn);
  } finally {
    await live.value?.api.close();
  }
}

function describeProblem({ file, line, reason }: SettingsProblem): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${reason}`;
}

type Opened =
  { readonly ok: true; readonly value: LiveCluster | undefined } | { readonly ok: false; readonly error: string };

/** The API client takes a second to load: only whoever names a cluster waits for it. */
async function openCluster(flags: CheckFlags): Promise<Opened> {
  if (flags.kubeconfig === undefined && flags.context === undefined) return { ok: true, value: undefined };
  const { openLive } = await import('./live.ts');
  return openLive({ kubeconfig: flags.kubeconfig, context: flags.context });
}

async function secretsOf(live: LiveCluster | undefined, manifests: Manifests): Promise<SecretSource> {
  if (live === undefined) return manifestSecretSource(manifests);
  const { liveSecretSource } = await import('./live.ts');
  return liveSecretSource(live.api, manifests);
}

function exitCode(results: readonly CheckResult[], failOn: 'deny' | 'warn'): number {
  const fails = results.some(({ action }) => action === 'deny' || (failOn === 'warn' && action === 'warn'));
  return fails ? 1 : 0;
}

function format(results: readonly CheckResult[], flags: CheckFlags, { stdout, environment }: Streams): string {
  if (flags.output === 'json') return formatJson(results);
  if (flags.output === 'sarif') return formatSarif(results, { version: version() });
  if (flags.output === 'junit') return formatJunit(results);
  const isTerminal = stdout.isTTY === true;
  const color = isTerminal && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
  const width = isTerminal ? (stdout.columns ?? 80) : PIPE_WIDTH;
  const explained = flags.explain === true ? `${formatExplain(results, { width, color })}\n` : '';
  return explained + formatTable(results, { width, color });
}
