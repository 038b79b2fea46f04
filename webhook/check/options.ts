import { readFileSync } from 'node:fs';
import { parsePlatform } from '../image/platform.ts';
import { err, ok, type Result } from '../image/result.ts';
import { diskTree, type FileTree } from '../node/file-tree.ts';
import { EMPTY_SETUP, type NodeSetup } from '../node/settings.ts';
import { parseRuntime } from '../outcome/runtime.ts';
import { setupOf } from '../engine/node-setup.ts';
import { formatMistakes, readPolicy } from '../policy/load.ts';
import type { NodeDeclaration, Policy } from '../policy/policy.ts';

/** What the flags of `check` say about nodes and policy, as written. */
export type NodeFlags = {
  readonly runtime?: string;
  readonly certsD?: string;
  readonly dockerDaemon?: string;
  readonly dockerCertsD?: string;
  readonly registriesConf?: string;
  readonly platform?: readonly string[];
  readonly nodes?: string;
  readonly credentialProviders?: readonly string[];
  readonly policy?: string;
};

export type CheckSetup = { readonly policy: Policy; readonly setup: NodeSetup };

/** What `check` assumes where neither a flag nor a policy says (design, part 6). */
const CHECK_RUNTIME = 'containerd@2.1/transfer';

/**
 * The policy and the node settings that a check works with: the policy file, or `base` from a live cluster, and over it
 * what the flags say. All mistakes at once, each naming its flag or file.
 */
export function readCheckSetup(flags: NodeFlags, base: Policy | undefined, fallback: Policy): Result<CheckSetup, readonly string[]> {
  const mistakes: string[] = [];
  const file = flags.policy === undefined ? undefined : readPolicyFile(flags.policy, mistakes);
  const given = file ?? base;
  const nodes = declaredNodes(flags, given?.nodes, fallback.nodes, mistakes);
  const setup = withFiles(setupOf(nodes, {}), flags, mistakes);
  if (mistakes.length > 0) return err(mistakes);
  return ok({ policy: { ...(given ?? fallback), nodes }, setup });
}

function readPolicyFile(name: string, mistakes: string[]): Policy | undefined {
  const text = readText(name, '--policy', mistakes);
  if (text === undefined) return undefined;
  const policy = readPolicy(text, name);
  if (policy.ok) return policy.value;
  mistakes.push(...formatMistakes(name, policy.error).split('\n'));
  return undefined;
}

function declaredNodes(
  flags: NodeFlags,
  given: NodeDeclaration | undefined,
  fallback: NodeDeclaration,
  mistakes: string[],
): NodeDeclaration {
  const nodes = given ?? fallback;
  const runtime = flags.runtime ?? (given === undefined ? CHECK_RUNTIME : undefined);
  const settings = flags.nodes ?? (given === undefined ? 'complete' : nodes.settings);
  if (settings !== 'complete' && settings !== 'partial') {
    mistakes.push(`--nodes "${settings}": expected complete or partial`);
  }
  const parsed = runtime === undefined ? undefined : parseRuntime(runtime);
  if (parsed !== undefined && !parsed.ok) mistakes.push(`--runtime ${parsed.error}`);
  const platforms = flags.platform ?? [];
  const providers = flags.credentialProviders ?? [];
  for (const platform of platforms) {
    const read = parsePlatform(platform);
    if (!read.ok) mistakes.push(`--platform ${read.error}`);
  }
  const [provider] = providers;
  const noProviders = given === undefined ? 'none' : nodes.credentialProviders;
  return {
    ...nodes,
    runtimes: runtime === undefined ? nodes.runtimes : [runtime],
    settings: settings === 'partial' ? 'partial' : 'complete',
    platforms: platforms.length > 0 ? { list: platforms, isExhaustive: true } : nodes.platforms,
    credentialProviders:
      provider === undefined
        ? noProviders
        : provider === 'none' || provider === 'possible'
          ? provider
          : providers,
  };
}

function withFiles(setup: NodeSetup, flags: NodeFlags, mistakes: string[]): NodeSetup {
  const daemon = flags.dockerDaemon === undefined ? undefined : readText(flags.dockerDaemon, '--docker-daemon', mistakes);
  const registries =
    flags.registriesConf === undefined ? undefined : readText(flags.registriesConf, '--registries-conf', mistakes);
  const tree = (path: string | undefined, flag: string): FileTree | undefined => {
    if (path === undefined) return undefined;
    const disk = diskTree(path);
    if (disk.list('') === undefined) mistakes.push(`${flag} ${path}: no such folder`);
    return disk;
  };
  const certsD = tree(flags.certsD, '--certs-d');
  const dockerCertsD = tree(flags.dockerCertsD, '--docker-certs-d');
  return {
    ...EMPTY_SETUP,
    ...setup,
    ...(certsD === undefined ? {} : { certsD }),
    docker: {
      daemonJson:
        daemon === undefined ? setup.docker.daemonJson : { name: flags.dockerDaemon ?? 'daemon.json', text: daemon },
      certsD: dockerCertsD ?? setup.docker.certsD,
    },
    crio: {
      registriesConf:
        registries === undefined
          ? setup.crio.registriesConf
          : [{ name: flags.registriesConf ?? 'registries.conf', text: registries }],
      certsD: setup.crio.certsD.length > 0 || dockerCertsD === undefined ? setup.crio.certsD : [dockerCertsD],
    },
  };
}

function readText(path: string, flag: string, mistakes: string[]): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    mistakes.push(`${flag} ${path}: ${code === 'ENOENT' ? 'no such file' : 'cannot be read'}`);
    return undefined;
  }
}

/** `NAME:IP`, as `docker run --add-host` has it; an IPv6 address may stand in brackets. */
export function readAddHosts(list: readonly string[]): Result<ReadonlyMap<string, readonly string[]>, readonly string[]> {
  const hosts = new Map<string, readonly string[]>();
  const mistakes: string[] = [];
  for (const one of list) {
    const match = /^(?<name>[A-Za-z0-9._-]+)[:=]\[?(?<address>[0-9a-fA-F.:]+)\]?$/u.exec(one);
    const name = match?.groups?.['name'];
    const address = match?.groups?.['address'];
    if (name === undefined || address === undefined) mistakes.push(`--add-host "${one}": expected NAME:IP`);
    else hosts.set(name, [...(hosts.get(name) ?? []), address]);
  }
  return mistakes.length > 0 ? err(mistakes) : ok(hosts);
}
