import { parsePlatform, spellPlatform } from '../image/platform.ts';
import { err, ok, type Result } from '../image/result.ts';
import { diskTree, type FileTree } from '../node/file-tree.ts';
import type { ConfigPath, NodeSetup } from '../node/settings.ts';
import { quote } from '../outcome/printable.ts';
import { parseRuntime, type RuntimeFamily } from '../outcome/runtime.ts';
import { setupOf, type DeclaredFiles } from '../engine/node-setup.ts';
import { DEFAULT_POLICY, formatMistakes, readPolicy } from '../policy/load.ts';
import type { NodeDeclaration, Policy } from '../policy/policy.ts';
import { readTextFile } from './files.ts';
import { readConfigPath, readDropIns, registriesFiles, withConfigPath, type NamedText } from './settings-files.ts';

/** What the flags of `check` say about nodes and policy, as written. */
export type NodeFlags = {
  readonly runtime?: string;
  readonly certsD?: string;
  readonly dockerDaemon?: string;
  readonly dockerCertsD?: string;
  readonly registriesConf?: string;
  readonly registriesConfD?: string;
  readonly signaturePolicy?: string;
  readonly platform?: readonly string[];
  readonly nodes?: string;
  readonly credentialProviders?: readonly string[];
  readonly policy?: string;
  readonly similarTags?: boolean;
};

/** The same, read: what the flags leave open is `undefined`. */
export type NodeChoices = {
  readonly policy: Policy | undefined;
  readonly runtime: string | undefined;
  readonly settings: 'complete' | 'partial' | undefined;
  readonly platforms: NodeDeclaration['platforms'] | undefined;
  readonly credentialProviders: NodeDeclaration['credentialProviders'] | undefined;
  /** As containerd's config_path has it: more than one folder with ":" between them, or one. */
  readonly certsD: ConfigPath | undefined;
  readonly dockerDaemon: NamedText | undefined;
  readonly dockerCertsD: FileTree | undefined;
  readonly registriesConf: NamedText | undefined;
  readonly registriesConfD: readonly NamedText[] | undefined;
  readonly signaturePolicy: NamedText | undefined;
  readonly similarTags: boolean;
};

export type CheckSetup = { readonly policy: Policy; readonly setup: NodeSetup };

/** What `check` assumes where neither a flag nor a policy says (design, part 6). */
const CHECK_DEFAULTS = Object.freeze({
  runtimes: ['containerd@2.1/transfer'],
  /** In CI the files given are the files of the nodes. */
  settings: 'complete',
  /** In CI a failed login is a failure. */
  credentialProviders: 'none',
} as const satisfies Partial<NodeDeclaration>);

/** Reads the flags and the files that they name. All mistakes at once, each a line that names its flag or file. */
export function readNodeFlags(flags: NodeFlags): Result<NodeChoices, readonly string[]> {
  const mistakes: string[] = [];
  const file = (flag: string, path: string | undefined): NamedText | undefined => {
    if (path === undefined) return undefined;
    const text = readTextFile(path);
    if (text.ok) return { name: path, text: text.value };
    mistakes.push(`${flag} ${path}: ${text.error}`);
    return undefined;
  };
  const folder = (flag: string, path: string | undefined): FileTree | undefined => {
    if (path === undefined) return undefined;
    const tree = diskTree(path);
    if (tree.list('') === undefined) mistakes.push(`${flag} ${path}: no such folder`);
    return tree;
  };
  const choices: NodeChoices = {
    policy: readPolicyText(file('--policy', flags.policy), mistakes),
    runtime: readRuntime(flags.runtime, mistakes),
    settings: readExtent(flags.nodes, mistakes),
    platforms: readPlatforms(flags.platform, mistakes),
    credentialProviders: readProviders(flags.credentialProviders, mistakes),
    certsD: readConfigPath(flags.certsD, mistakes),
    dockerDaemon: file('--docker-daemon', flags.dockerDaemon),
    dockerCertsD: folder('--docker-certs-d', flags.dockerCertsD),
    registriesConf: file('--registries-conf', flags.registriesConf),
    registriesConfD: readDropIns(flags.registriesConfD, file, mistakes),
    signaturePolicy: file('--signature-policy', flags.signaturePolicy),
    similarTags: flags.similarTags === true,
  };
  return mistakes.length > 0 ? err(mistakes) : ok(choices);
}

/** A policy with the files that it names elsewhere. */
export type GivenPolicy = {
  readonly policy: Policy;
  readonly files: DeclaredFiles;
  /** What it names and what could not be read; then the files are not all that the nodes have. */
  readonly missing: readonly string[];
};

/**
 * The policy and the node settings that a check works with: `given`, which is the policy file's or the cluster's, and
 * over it what the flags say. The error names flags that no runtime in question reads.
 */
export function chooseSetup(
  choices: NodeChoices,
  given: GivenPolicy | undefined,
): Result<CheckSetup, readonly string[]> {
  const base = given?.policy ?? DEFAULT_POLICY;
  const declared = given?.policy.nodes ?? { ...base.nodes, ...CHECK_DEFAULTS };
  const isWhole = given === undefined || given.missing.length === 0 || choices.certsD !== undefined;
  const nodes: NodeDeclaration = {
    ...declared,
    runtimes: choices.runtime === undefined ? declared.runtimes : [choices.runtime],
    settings: choices.settings ?? (isWhole ? declared.settings : 'partial'),
    platforms: choices.platforms ?? declared.platforms,
    credentialProviders: choices.credentialProviders ?? declared.credentialProviders,
  };
  const unread = unreadFlags(choices, nodes.runtimes);
  if (unread.length > 0) return err(unread);
  const hints = { similarTags: base.hints.similarTags || choices.similarTags };
  return ok({ policy: { ...base, nodes, hints }, setup: withFiles(setupOf(nodes, given?.files ?? {}), choices) });
}

function withFiles(declared: NodeSetup, choices: NodeChoices): NodeSetup {
  const setup = withConfigPath(declared, choices.certsD);
  const { docker, crio } = setup;
  return {
    ...setup,
    docker: {
      daemonJson: choices.dockerDaemon ?? docker.daemonJson,
      certsD: choices.dockerCertsD ?? docker.certsD,
    },
    crio: {
      ...crio,
      registriesConf: registriesFiles(crio.registriesConf, {
        main: choices.registriesConf,
        dropIns: choices.registriesConfD,
      }),
      certsD: choices.dockerCertsD === undefined ? crio.certsD : [choices.dockerCertsD],
      policyJson: choices.signaturePolicy ?? crio.policyJson,
    },
  };
}

/** A file for dockerd says nothing about containerd, and whoever gives it means dockerd. */
function unreadFlags(choices: NodeChoices, runtimes: readonly string[]): readonly string[] {
  const families = new Set(runtimes.flatMap((text) => familiesOf(text)));
  const readBy = [
    ['--certs-d', choices.certsD, ['containerd']],
    ['--docker-daemon', choices.dockerDaemon, ['docker']],
    ['--docker-certs-d', choices.dockerCertsD, ['docker', 'crio']],
    ['--registries-conf', choices.registriesConf, ['crio']],
    ['--registries-conf-d', choices.registriesConfD, ['crio']],
    ['--signature-policy', choices.signaturePolicy, ['crio']],
  ] as const;
  return readBy.flatMap(([flag, value, readers]) =>
    value === undefined || readers.some((family) => families.has(family))
      ? []
      : [`${flag}: ${[...families].join(' and ')} does not read it; add --runtime ${readers.join(' or --runtime ')}`],
  );
}

function familiesOf(text: string): readonly RuntimeFamily[] {
  const runtime = parseRuntime(text);
  return runtime.ok ? runtime.value.map(({ family }) => family) : [];
}

function readPolicyText(file: NamedText | undefined, mistakes: string[]): Policy | undefined {
  if (file === undefined) return undefined;
  const policy = readPolicy(file.text, file.name);
  if (policy.ok) return policy.value;
  mistakes.push(...formatMistakes(file.name, policy.error).split('\n'));
  return undefined;
}

function readRuntime(text: string | undefined, mistakes: string[]): string | undefined {
  const runtime = text === undefined ? undefined : parseRuntime(text);
  if (runtime?.ok === false) mistakes.push(`--runtime ${runtime.error}`);
  return text;
}

function readExtent(text: string | undefined, mistakes: string[]): NodeChoices['settings'] {
  if (text === undefined || text === 'complete' || text === 'partial') return text;
  mistakes.push(`--nodes ${quote(text, 60)}: expected complete or partial`);
  return undefined;
}

/** Platforms that the user lists are all that there are. */
function readPlatforms(texts: readonly string[] | undefined, mistakes: string[]): NodeChoices['platforms'] {
  if (texts === undefined) return undefined;
  const list = splitLists(texts).flatMap((text) => {
    const platform = parsePlatform(text);
    if (platform.ok) return [spellPlatform(platform.value)];
    mistakes.push(`--platform ${platform.error}`);
    return [];
  });
  return { list, isExhaustive: true };
}

/** The shape of the kubelet's matchImages, without a scheme. */
const PATTERN = /^[A-Za-z0-9*?[\].-]+(?::\d{1,5})?(?:\/\S*)?$/u;

function readProviders(texts: readonly string[] | undefined, mistakes: string[]): NodeChoices['credentialProviders'] {
  if (texts === undefined) return undefined;
  const patterns = splitLists(texts);
  const word = patterns.find((one) => one === 'none' || one === 'possible');
  if (word !== undefined && patterns.length > 1) {
    mistakes.push(`--credential-providers ${word} stands alone: it says the same of every host`);
  }
  for (const pattern of patterns) {
    if (!PATTERN.test(pattern)) {
      mistakes.push(`--credential-providers ${quote(pattern, 60)}: expected none, possible or a host such as *.gcr.io`);
    }
  }
  return word === 'none' || word === 'possible' ? word : patterns;
}

/** A repeatable flag takes a list with commas as well. */
function splitLists(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => text.split(',')).map((text) => text.trim());
}

/** The objects of a cluster that a policy names for the nodes' files, as messages call them. */
export function filesNamedBy({ nodes }: Policy): readonly string[] {
  const { certsDFrom, clientCertificates } = nodes.containerd;
  return [
    ...(certsDFrom === undefined ? [] : [`ConfigMap ${certsDFrom.configMap} (nodes.containerd.certsDFrom)`]),
    ...clientCertificates.map(
      ({ secret, key }) => `Secret ${secret}, key ${key} (nodes.containerd.clientCertificates)`,
    ),
  ];
}
