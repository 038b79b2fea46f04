import { readText } from '../file/read-text.ts';
import { parsePlatform, spellPlatform } from '../image/platform.ts';
import { err, ok, type Result } from '../image/result.ts';
import { diskTree, type FileTree } from '../node/file-tree.ts';
import type { ConfigPath } from '../node/settings.ts';
import { quote } from '../outcome/printable.ts';
import { parseRuntime } from '../outcome/runtime.ts';
import { formatMistakes, readPolicy } from '../policy/load.ts';
import type { NodeDeclaration, Policy } from '../policy/policy.ts';
import { MATCH_IMAGES } from '../policy/scalar.ts';
import { unreadIn } from './settings-folder.ts';
import { readConfigPath, readDropIns, type NamedText } from './settings-files.ts';

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

/** Reads the flags and the files that they name. All mistakes at once, each a line that names its flag or file. */
export function readNodeFlags(flags: NodeFlags): Result<NodeChoices, readonly string[]> {
  const mistakes: string[] = [];
  const file = (flag: string, path: string | undefined): NamedText | undefined => {
    if (path === undefined) return undefined;
    const text = readText(path);
    if (text.ok) return { name: path, text: text.value };
    mistakes.push(`${flag} ${path}: ${text.error}`);
    return undefined;
  };
  const folder = (flag: string, path: string | undefined): FileTree | undefined => {
    if (path === undefined) return undefined;
    mistakes.push(...unreadIn(path).map((why) => `${flag} ${why}`));
    return diskTree(path);
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

function readProviders(texts: readonly string[] | undefined, mistakes: string[]): NodeChoices['credentialProviders'] {
  if (texts === undefined) return undefined;
  const patterns = splitLists(texts);
  const word = patterns.find((one) => one === 'none' || one === 'possible');
  if (word !== undefined && patterns.length > 1) {
    mistakes.push(`--credential-providers ${word} stands alone: it says the same of every host`);
  }
  for (const pattern of patterns) {
    if (!MATCH_IMAGES.test(pattern)) {
      mistakes.push(`--credential-providers ${quote(pattern, 60)}: expected none, possible or a host such as *.gcr.io`);
    }
  }
  return word === 'none' || word === 'possible' ? word : patterns;
}

/** A repeatable flag takes a list with commas as well. */
function splitLists(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => text.split(',')).map((text) => text.trim());
}
