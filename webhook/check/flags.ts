import { readAddHosts, type HostAddresses } from '../add-host.ts';
import { err, ok, type Result } from '../image/result.ts';
import { quote } from '../outcome/printable.ts';
import { parseDuration } from '../policy/duration.ts';
import { nearestWord } from '../policy/spelling.ts';
import type { NodeFlags } from './node-flags.ts';

/** What commander read, by the names it gives to flags: texts as written, lists where a flag is repeatable. */
export type CheckFlags = RunFlags & {
  readonly filename?: readonly string[];
  readonly dockerConfig?: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
};

/** Those that every command has that judges images. */
export type RunFlags = NodeFlags & {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly failOn?: string;
  readonly timeout?: string;
  readonly addHost?: readonly string[];
  readonly verify?: string;
  readonly explain?: boolean;
  readonly output?: string;
};

/** How to check and what to print: the flags that stand for themselves. */
export type RunOptions = {
  readonly failOn: 'deny' | 'warn';
  /** Milliseconds for each image. */
  readonly timeoutMs: number;
  readonly hosts: HostAddresses;
  readonly verify: 'headers' | 'content';
  readonly explains: boolean;
  readonly output: 'table' | 'json' | 'sarif' | 'junit';
};

export type CheckOptions = RunOptions & {
  /** `undefined` where the context of the kubeconfig, or else `default`, decides. */
  readonly namespace: string | undefined;
  readonly serviceAccount: string;
};

/** Patience with a slow registry; one that says nothing at all ends sooner. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** Layers of some gigabytes take minutes: as long as a Deployment waits for its Pods. */
const DEFAULT_CONTENT_TIMEOUT_MS = 600_000;
/** Beyond a day, timers overflow before anybody's patience. */
const MAX_TIMEOUT_MS = 86_400_000;

/** Reads them, with the defaults of design part 6. All mistakes at once, each a line that names its flag. */
export function readCheckOptions(flags: CheckFlags): Result<CheckOptions, readonly string[]> {
  const mistakes: string[] = [];
  const options: CheckOptions = {
    ...readRunOptions(flags, mistakes),
    namespace: readName('--namespace', flags.namespace, mistakes),
    serviceAccount: readName('--service-account', flags.serviceAccount, mistakes) ?? 'default',
  };
  if (flags.dockerConfig !== undefined && flags.serviceAccount !== undefined) {
    mistakes.push('--docker-config and --service-account: both give the logins of the same images, keep one of them');
  }
  return mistakes.length > 0 ? err(mistakes) : ok(options);
}

/** What commander read for `scan`. */
export type ScanFlags = RunFlags & {
  readonly namespace?: readonly string[];
  readonly allNamespaces?: boolean;
};

export type ScanOptions = RunOptions & {
  /** `undefined` for all. */
  readonly namespaces: readonly string[] | undefined;
};

/** The same for `scan`. */
export function readScanOptions(flags: ScanFlags): Result<ScanOptions, readonly string[]> {
  const mistakes: string[] = [];
  const { namespace, allNamespaces = false } = flags;
  const options: ScanOptions = {
    ...readRunOptions(flags, mistakes),
    namespaces: namespace && [...new Set(namespace.map((one) => readName('--namespace', one, mistakes)))],
  };
  if (allNamespaces && namespace !== undefined) {
    mistakes.push('--namespace and --all-namespaces: each says where to look, keep one of them');
  }
  return mistakes.length > 0 ? err(mistakes) : ok(options);
}

const NAMES = Object.freeze({
  '--namespace': { shape: /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/u, what: 'the name of a namespace' },
  '--service-account': { shape: /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/u, what: 'the name of a ServiceAccount' },
});

/** The name of an object, as it goes into the paths of the API. */
export function readName<T extends string | undefined>(flag: keyof typeof NAMES, text: T, mistakes: string[]): T {
  const { shape, what } = NAMES[flag];
  if (text !== undefined && !shape.test(text)) mistakes.push(`${flag} ${quote(text, 60)}: expected ${what}`);
  return text;
}

/** Reads the flags that every command has that judges images; each mistake is a line that names its flag. */
export function readRunOptions(flags: RunFlags, mistakes: string[]): RunOptions {
  const choose = <T extends string>(flag: string, text: string | undefined, words: readonly [T, ...T[]]): T => {
    const word = text === undefined ? words[0] : words.find((one) => one === text);
    if (word !== undefined) return word;
    const near = nearestWord(text ?? '', words);
    const meant = near === undefined ? '' : `, did you mean ${near}?`;
    mistakes.push(
      `${flag} ${quote(text ?? '', 60)}: expected ${words.join(', ').replace(/, (?=\w+$)/u, ' or ')}${meant}`,
    );
    return words[0];
  };
  const hosts = readAddHosts(flags.addHost ?? []);
  if (!hosts.ok) mistakes.push(...hosts.error.map((mistake) => `--add-host ${mistake}`));
  const verify = choose('--verify', flags.verify, ['headers', 'content']);
  return {
    failOn: choose('--fail-on', flags.failOn, ['deny', 'warn']),
    timeoutMs: readTimeout(
      flags.timeout,
      verify === 'content' ? DEFAULT_CONTENT_TIMEOUT_MS : DEFAULT_TIMEOUT_MS,
      mistakes,
    ),
    hosts: hosts.ok ? hosts.value : new Map(),
    verify,
    explains: flags.explain === true,
    output: choose('--output', flags.output, ['table', 'json', 'sarif', 'junit']),
  };
}

function readTimeout(text: string | undefined, defaultMs: number, mistakes: string[]): number {
  if (text === undefined) return defaultMs;
  const duration = parseDuration(text);
  if (duration.ok && duration.value > 0 && duration.value <= MAX_TIMEOUT_MS) return duration.value;
  mistakes.push(`--timeout ${quote(text, 60)}: expected a duration above 0s, at most 24h, such as 30s, 500ms or 2m`);
  return defaultMs;
}
