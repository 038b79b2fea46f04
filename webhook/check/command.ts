import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { DEFAULT_POLICY } from '../policy/load.ts';
import type { PullSecret } from '../credentials/credential.ts';
import type { SecretSource } from '../engine/pod-credentials.ts';
import { readManifests, type ManifestFile, type Manifests } from '../manifests/manifests.ts';
import { manifestSecretSource } from '../manifests/secret-source.ts';
import { formatExplain } from '../report/explain.ts';
import { formatJson } from '../report/json.ts';
import { formatJunit } from '../report/junit.ts';
import { createProgress } from '../report/progress.ts';
import type { CheckResult } from '../report/result.ts';
import { formatSarif } from '../report/sarif.ts';
import { formatTable } from '../report/table.ts';
import { version } from '../version.ts';
import { runCheck } from './check.ts';
import { readAddHosts, readCheckSetup, type NodeFlags } from './options.ts';

export type Streams = {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stdin: NodeJS.ReadableStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

const PIPE_WIDTH = 100;
const MANIFEST_NAME = /\.(?:ya?ml|json)$/u;

/** `pullguard check`: reads what the flags name, judges, prints, and returns the exit code of design part 6. */
export async function checkCommand(
  images: readonly string[],
  flags: Readonly<Record<string, unknown>>,
  streams: Streams,
): Promise<number> {
  const fail = (lines: readonly string[]): number => {
    streams.stderr.write(lines.map((line) => `pullguard: ${line}\n`).join(''));
    return 2;
  };
  const text = (name: string): string | undefined => (typeof flags[name] === 'string' ? flags[name] : undefined);
  const list = (name: string): readonly string[] => (Array.isArray(flags[name]) ? flags[name].map(String) : []);
  const namespace = text('namespace') ?? 'default';

  const files = await readFiles(list('filename'), streams.stdin);
  if (!files.ok) return fail(files.mistakes);
  if (images.length === 0 && files.files.length === 0) {
    return fail(['nothing to check: name images, or files with -f; see "pullguard check --help"']);
  }
  const manifests = readManifests(files.files, namespace);
  if (!manifests.ok) return fail(manifests.error);
  const hosts = readAddHosts(list('addHost'));
  if (!hosts.ok) return fail(hosts.error);
  const live = await openLive({ kubeconfig: text('kubeconfig'), context: text('context') });
  if (typeof live === 'string') return fail([live]);
  try {
    const nodeFlags: NodeFlags = {
      runtime: text('runtime'),
      certsD: text('certsD'),
      dockerDaemon: text('dockerDaemon'),
      dockerCertsD: text('dockerCertsD'),
      registriesConf: text('registriesConf'),
      platform: list('platform'),
      nodes: text('nodes'),
      credentialProviders: list('credentialProviders'),
      policy: text('policy'),
    };
    const setup = readCheckSetup(nodeFlags, live?.policy, DEFAULT_POLICY);
    if (!setup.ok) return fail(setup.error);
    const dockerConfig = readDockerConfig(text('dockerConfig'), namespace);
    if (!dockerConfig.ok) return fail([dockerConfig.mistake]);
    const progress = createProgress(streams.stderr);
    const results = await runCheck({
      ...setup.value,
      manifests: manifests.value,
      images,
      secrets: withDockerConfig(live?.secrets ?? manifestSecretSource(manifests.value), manifests.value, dockerConfig.secret),
      namespace,
      serviceAccount: dockerConfig.secret === undefined ? (text('serviceAccount') ?? 'default') : DOCKER_CONFIG_ACCOUNT,
      hosts: hosts.value,
      timeoutMs: typeof flags['timeout'] === 'number' ? flags['timeout'] : 30_000,
      explains: flags['explain'] === true,
      contentCheck: undefined,
      onProgress: progress.update,
    });
    progress.clear();
    streams.stdout.write(format(results, flags, streams));
    return exitCode(results, text('failOn') ?? 'deny');
  } finally {
    await live?.close();
  }
}

function exitCode(results: readonly CheckResult[], failOn: string): number {
  const fails = results.some(({ action }) => action === 'deny' || (failOn === 'warn' && action === 'warn'));
  return fails ? 1 : 0;
}

function format(results: readonly CheckResult[], flags: Readonly<Record<string, unknown>>, streams: Streams): string {
  const { stdout, environment } = streams;
  const noColor = (environment['NO_COLOR'] ?? '') !== '';
  const color = stdout.isTTY === true && !noColor && environment['TERM'] !== 'dumb';
  const width = stdout.isTTY === true ? (stdout.columns ?? 80) : PIPE_WIDTH;
  if (flags['output'] === 'json') return formatJson(results);
  if (flags['output'] === 'sarif') return formatSarif(results, { version: version() });
  if (flags['output'] === 'junit') return formatJunit(results);
  const explained = flags['explain'] === true ? `${formatExplain(results, { width, color })}\n` : '';
  return explained + formatTable(results, { width, color });
}

type Files = { readonly ok: true; readonly files: readonly ManifestFile[] } | { readonly ok: false; readonly mistakes: readonly string[] };

async function readFiles(names: readonly string[], stdin: NodeJS.ReadableStream): Promise<Files> {
  const files: ManifestFile[] = [];
  const mistakes: string[] = [];
  for (const name of names) {
    try {
      if (name === '-') {
        // standard input is read once, whatever the number of files
        // oxlint-disable-next-line no-await-in-loop
        files.push({ name: '-', text: await readAll(stdin) });
        continue;
      }
      const paths = statSync(name).isDirectory() ? manifestsIn(name) : [name];
      for (const path of paths) files.push({ name: path, text: readFileSync(path, 'utf8') });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      mistakes.push(`-f ${name}: ${code === 'ENOENT' ? 'no such file or folder' : 'cannot be read'}`);
    }
  }
  return mistakes.length > 0 ? { ok: false, mistakes } : { ok: true, files };
}

function manifestsIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => MANIFEST_NAME.test(name))
    .toSorted()
    .map((name) => join(folder, name));
}

/** The images of the command line belong to no Pod: a config.json stands in for their pull secrets. */
const DOCKER_CONFIG_ACCOUNT = '--docker-config';

type DockerConfig = { readonly ok: true; readonly secret: PullSecret | undefined } | { readonly ok: false; readonly mistake: string };

function readDockerConfig(file: string | undefined, namespace: string): DockerConfig {
  if (file === undefined) return { ok: true, secret: undefined };
  try {
    const text = readFileSync(file, 'utf8');
    const data = { '.dockerconfigjson': text };
    return { ok: true, secret: { name: file, namespace, type: 'kubernetes.io/dockerconfigjson', data } };
  } catch {
    return { ok: false, mistake: `--docker-config ${file}: cannot be read` };
  }
}

function withDockerConfig(source: SecretSource, _manifests: Manifests, secret: PullSecret | undefined): SecretSource {
  if (secret === undefined) return source;
  return {
    secret: async (namespace, name, signal) =>
      name === secret.name ? { kind: 'found', secret } : source.secret(namespace, name, signal),
    serviceAccount: async (namespace, name, signal) =>
      name === DOCKER_CONFIG_ACCOUNT
        ? { kind: 'found', imagePullSecrets: [secret.name] }
        : source.serviceAccount(namespace, name, signal),
  };
}

type Live = { readonly secrets: SecretSource; readonly policy: undefined; readonly close: () => Promise<void> };

async function openLive(flags: {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
}): Promise<Live | undefined | string> {
  if (flags.kubeconfig === undefined && flags.context === undefined) return undefined;
  return 'not yet';
}
