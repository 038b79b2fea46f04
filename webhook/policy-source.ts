import type { DeclaredFiles } from './engine/node-setup.ts';
import type { KubeApi } from './kube/api.ts';
import { readConfigMap, watchConfigMap } from './kube/config-map-watch.ts';
import { describeFailure } from './kube/failure.ts';
import type { SecretReader } from './kube/secrets.ts';
import { readText } from './file/read-text.ts';
import { err, ok, type Result } from './image/result.ts';
import { listed } from './outcome/printable.ts';
import { formatMistakes, readPolicy } from './policy/load.ts';
import type { Policy } from './policy/policy.ts';

/** What a new text of the policy came to. */
export type PolicyChange =
  | {
      readonly kind: 'accepted';
      readonly policy: Policy;
      readonly files: DeclaredFiles;
      readonly name: string;
      readonly missing: readonly string[];
    }
  | { readonly kind: 'refused'; readonly name: string; readonly mistakes: readonly string[] }
  /** There is none. */
  | { readonly kind: 'absent'; readonly reason: string }
  /** Nothing is known: what is in force stays. */
  | { readonly kind: 'failed'; readonly reason: string };

export type PolicySource = {
  /** Resolves once it is known what policy there is, a good one, a bad one or none. */
  readonly first: Promise<void>;
  readonly close: () => Promise<void>;
};

/** Where a policy's further files are: the ConfigMap and the Secrets that it names in Pullguard's own namespace. */
export type FilesSource = { readonly api: KubeApi; readonly secrets: SecretReader; readonly namespace: string };

/** The key of the ConfigMap that holds the policy (design, part 6). */
export const POLICY_KEY = 'policy.yaml';
const FILE_POLL_MS = 500;
/** What a policy names is read again this often: a client certificate is renewed without a change of the policy. */
const REFRESH_MS = 15_000;
const READ_TIMEOUT_MS = 5_000;

/** Reads a policy file once. The error holds every mistake as a line. */
export function readPolicyFile(file: string): Result<Policy, readonly string[]> {
  const text = readText(file);
  if (!text.ok) return err([`${file} cannot be read: ${text.error}`]);
  const policy = readPolicy(text.value, file);
  return policy.ok ? policy : err(formatMistakes(file, policy.error).split('\n'));
}

export type FollowOptions = {
  /** `undefined` without a cluster. */
  readonly files: FilesSource | undefined;
  readonly onChange: (change: PolicyChange) => void;
  readonly pollMs?: number;
  readonly refreshMs?: number;
};

/** Follows a policy in a file: polled, as mounted ConfigMaps are exchanged by renaming links. */
export function followPolicyFile(file: string, options: FollowOptions): PolicySource {
  const taker = createTaker(file, options);
  const unread = Symbol('nothing yet');
  let before: string | typeof unread = unread;
  const look = (): void => {
    const text = readText(file);
    const seen = text.ok ? `read ${text.value}` : `unread ${text.error}`;
    if (seen === before) return;
    before = seen;
    if (text.ok) taker.take(text.value);
    else taker.tell({ kind: 'failed', reason: `${file} cannot be read: ${text.error}` });
  };
  look();
  // texts are compared, not dates: two edits within one tick of the file system's clock are two edits
  const timer = setInterval(look, options.pollMs ?? FILE_POLL_MS);
  return {
    first: taker.first,
    close: async () => {
      clearInterval(timer);
      taker.close();
    },
  };
}

/** Follows a policy in a ConfigMap, together with the ConfigMap and the Secrets that it names. */
export function followPolicyConfigMap(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  options: FollowOptions & { readonly files: FilesSource },
): PolicySource {
  const label = `ConfigMap ${namespace}/${name}`;
  const taker = createTaker(`${label} ${POLICY_KEY}`, options);
  const watch = watchConfigMap({
    api: options.files.api,
    namespace,
    name,
    onChange: (data) => {
      if (data === undefined) taker.tell({ kind: 'absent', reason: `${label} does not exist` });
      else if (Object.hasOwn(data, POLICY_KEY)) taker.take(data[POLICY_KEY] ?? '');
      else taker.tell({ kind: 'refused', name: label, mistakes: [`${label}: ${noKey(Object.keys(data))}`] });
    },
    onFailure: (reason) => taker.tell({ kind: 'failed', reason }),
  });
  return {
    first: taker.first,
    close: async () => {
      taker.close();
      await watch.close();
    },
  };
}

const noKey = (keys: readonly string[]): string =>
  `has no key ${POLICY_KEY}${keys.length === 0 ? '' : `, only ${listed(keys)}`}`;

type Taker = {
  readonly first: Promise<void>;
  readonly take: (text: string) => void;
  readonly tell: (change: PolicyChange) => void;
  readonly close: () => void;
};

/** Turns texts into changes, in their order, each with the files that it names. */
function createTaker(name: string, { files: source, onChange, refreshMs = REFRESH_MS }: FollowOptions): Taker {
  const { promise: first, resolve } = Promise.withResolvers<void>();
  let turn = 0;
  let inForce: { readonly text: string; readonly print: string; readonly isWhole: boolean } | undefined;

  const tell = (change: PolicyChange): void => {
    if (change.kind === 'refused' || change.kind === 'absent') inForce = undefined;
    onChange(change);
    if (change.kind !== 'failed') resolve();
  };
  const takeOver = async (text: string): Promise<void> => {
    turn += 1;
    const mine = turn;
    const read = readPolicy(text, name);
    if (!read.ok) {
      tell({ kind: 'refused', name, mistakes: formatMistakes(name, read.error).split('\n') });
      return;
    }
    const { files, missing } = await readDeclaredFiles(source, read.value);
    if (mine !== turn) return; // a newer text came meanwhile
    const isWhole = missing.length === 0;
    if (!isWhole && inForce?.text === text && inForce.isWhole) {
      tell({ kind: 'failed', reason: `${missing.join('; ')}; what was read before stays in force` });
      return;
    }
    const print = JSON.stringify([text, files, missing]);
    if (print === inForce?.print) return;
    inForce = { text, print, isWhole };
    tell({ kind: 'accepted', policy: isWhole ? read.value : asPartial(read.value), files, name, missing });
  };
  const take = (text: string): void => {
    takeOver(text).catch((error: unknown) => {
      tell({ kind: 'failed', reason: error instanceof Error ? error.message : 'the policy could not be taken over' });
    });
  };
  const timer = setInterval(() => {
    if (inForce !== undefined) take(inForce.text);
  }, refreshMs);
  timer.unref();
  return {
    first,
    take,
    tell,
    close: () => {
      turn += 1;
      clearInterval(timer);
    },
  };
}

/** With a file missing, the others are not all that the nodes have (design, rule 2). */
function asPartial(policy: Policy): Policy {
  return { ...policy, nodes: { ...policy.nodes, settings: 'partial' } };
}

/** What a policy names in Pullguard's own namespace, by path; `missing` says in a line each what could not be read. */
export async function readDeclaredFiles(
  source: FilesSource | undefined,
  policy: Policy,
): Promise<{ readonly files: DeclaredFiles; readonly missing: readonly string[] }> {
  const { certsDFrom, clientCertificates } = policy.nodes.containerd;
  const reads: readonly Promise<Result<readonly (readonly [path: string, text: string])[]>>[] = [
    ...(certsDFrom === undefined ? [] : [readTree(source, certsDFrom.configMap)]),
    ...clientCertificates.map((one) => readClientCertificate(source, one)),
  ];
  const done = await Promise.all(reads);
  return {
    files: Object.fromEntries(done.flatMap((read) => (read.ok ? read.value : []))),
    missing: done.flatMap((read) => (read.ok ? [] : [read.error])),
  };
}

type Files = Result<readonly (readonly [path: string, text: string])[]>;

async function readTree(source: FilesSource | undefined, configMap: string): Promise<Files> {
  const label = `nodes.containerd.certsDFrom: ConfigMap ${configMap}`;
  if (source === undefined) return err(`${label} is in a cluster, and there is none`);
  const read = await readConfigMap(source.api, source.namespace, configMap);
  if (read.kind !== 'found') return err(`${label}: the API server ${describeFailure(read)}`);
  return ok(Object.entries(read.data).map(([key, text]) => [pathOfKey(key), text] as const));
}

type ClientCertificate = Policy['nodes']['containerd']['clientCertificates'][number];

async function readClientCertificate(
  source: FilesSource | undefined,
  { path, secret, key }: ClientCertificate,
): Promise<Files> {
  const label = `nodes.containerd.clientCertificates: Secret ${secret}`;
  if (source === undefined) return err(`${label} is in a cluster, and there is none`);
  const read = await source.secrets.read(source.namespace, secret, AbortSignal.timeout(READ_TIMEOUT_MS));
  if (read.kind !== 'found') return err(`${label}: the API server ${describeFailure(read)}`);
  const text = Object.hasOwn(read.secret.data, key) ? read.secret.data[key] : undefined;
  return text === undefined ? err(`${label} has no key ${key}`) : ok([[path, text]]);
}

/** A ConfigMap's keys have no "/" and no ":": `reg.example_5000___hosts.toml` is `reg.example_5000_/hosts.toml`. */
export function pathOfKey(key: string): string {
  const at = key.lastIndexOf('__');
  return at < 0 ? key : `${key.slice(0, at)}/${key.slice(at + 2)}`;
}
