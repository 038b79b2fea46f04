import { readFileSync, watchFile, unwatchFile } from 'node:fs';
import type { DeclaredFiles } from './engine/node-setup.ts';
import type { KubeApi } from './kube/api.ts';
import { readConfigMap, watchConfigMap } from './kube/config-map-watch.ts';
import type { SecretReader } from './kube/secrets.ts';
import { formatMistakes, readPolicy, type PolicyMistake } from './policy/load.ts';
import type { Policy } from './policy/policy.ts';

/** What a new text of the policy came to. */
export type PolicyChange =
  | { readonly kind: 'accepted'; readonly policy: Policy; readonly files: DeclaredFiles; readonly name: string }
  | { readonly kind: 'refused'; readonly name: string; readonly mistakes: readonly string[] }
  | { readonly kind: 'failed'; readonly reason: string };

export type PolicySource = { readonly close: () => Promise<void> };

/** The key of the ConfigMap that holds the policy (design, part 6). */
export const POLICY_KEY = 'policy.yaml';
const FILE_POLL_MS = 2_000;

/** Follows a policy in a file: polled, as mounted ConfigMaps are exchanged by renaming links. */
export function followPolicyFile(file: string, onChange: (change: PolicyChange) => void): PolicySource {
  const read = (): void => {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      onChange({ kind: 'failed', reason: `${file} cannot be read` });
      return;
    }
    onChange(changeOf(readPolicy(text, file), file, {}));
  };
  read();
  watchFile(file, { interval: FILE_POLL_MS }, read);
  return { close: async () => unwatchFile(file, read) };
}

type ConfigMapSource = {
  readonly api: KubeApi;
  readonly secrets: SecretReader;
  readonly namespace: string;
  readonly name: string;
};

/** Follows a policy in a ConfigMap, together with the ConfigMap and the Secrets that it names. */
export function followPolicyConfigMap(source: ConfigMapSource, onChange: (change: PolicyChange) => void): PolicySource {
  const { api, namespace, name } = source;
  const label = `ConfigMap ${namespace}/${name}`;
  const fail = (reason: string): void => onChange({ kind: 'failed', reason });
  let further: { readonly name: string; readonly close: () => Promise<void> } | undefined;
  let turn = 0;

  const follow = (wanted: string | undefined, again: () => void): void => {
    if (further?.name === wanted) return;
    further?.close().catch(() => undefined);
    further = undefined;
    if (wanted === undefined) return;
    const watch = watchConfigMap({ api, namespace, name: wanted, onChange: again, onFailure: fail });
    further = { name: wanted, close: watch.close };
  };

  const take = async (text: string): Promise<void> => {
    turn += 1;
    const mine = turn;
    const read = readPolicy(text, `${label} ${POLICY_KEY}`);
    if (!read.ok) {
      onChange(changeOf(read, label, {}));
      return;
    }
    const certsDFrom = read.value.nodes.containerd.certsDFrom?.configMap;
    const files = await readFiles(source, read.value, fail);
    if (mine !== turn) return; // a newer text came meanwhile
    onChange(changeOf(read, label, files));
    follow(certsDFrom, () => {
      take(text).catch((error: unknown) => fail(describe(error)));
    });
  };

  const watch = watchConfigMap({
    api,
    namespace,
    name,
    onChange: (data) => {
      if (data === undefined) fail(`${label} does not exist: the policy in force stays`);
      else take(data[POLICY_KEY] ?? '').catch((error: unknown) => fail(describe(error)));
    },
    onFailure: fail,
  });
  return {
    close: async () => {
      await watch.close();
      await further?.close();
    },
  };
}

async function readFiles(source: ConfigMapSource, policy: Policy, fail: (reason: string) => void): Promise<DeclaredFiles> {
  const { containerd } = policy.nodes;
  const files: [string, string][] = [];
  if (containerd.certsDFrom !== undefined) {
    const map = await readConfigMap(source.api, source.namespace, containerd.certsDFrom.configMap);
    if (map.kind !== 'found') fail(`nodes.containerd.certsDFrom: ConfigMap ${containerd.certsDFrom.configMap} cannot be read`);
    else for (const [key, text] of Object.entries(map.data)) files.push([pathOfKey(key), text]);
  }
  for (const { path, secret, key } of containerd.clientCertificates) {
    // few, and each read is cached
    // oxlint-disable-next-line no-await-in-loop
    const read = await source.secrets.read(source.namespace, secret, AbortSignal.timeout(5_000));
    const text = read.kind === 'found' && Object.hasOwn(read.secret.data, key) ? read.secret.data[key] : undefined;
    if (text === undefined) fail(`nodes.containerd.clientCertificates: Secret ${secret} has no readable key ${key}`);
    else files.push([path, text]);
  }
  return Object.fromEntries(files);
}

/** A ConfigMap's keys have no "/" and no ":": `reg.example_5000___hosts.toml` is `reg.example_5000_/hosts.toml`. */
export function pathOfKey(key: string): string {
  const at = key.lastIndexOf('__');
  return at < 0 ? key : `${key.slice(0, at)}/${key.slice(at + 2)}`;
}

function changeOf(
  read: ReturnType<typeof readPolicy>,
  name: string,
  files: DeclaredFiles,
): PolicyChange {
  if (read.ok) return { kind: 'accepted', policy: read.value, files, name };
  return { kind: 'refused', name, mistakes: lines(name, read.error) };
}

function lines(name: string, mistakes: readonly PolicyMistake[]): readonly string[] {
  return formatMistakes(name, mistakes)
    .split('\n')
    .filter((line) => line !== '');
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : 'the policy could not be taken over';
}
