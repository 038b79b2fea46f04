import { randomBytes } from 'node:crypto';
import { createIdentityHasher } from '../../webhook/credentials/identity.ts';
import { createEngine } from '../../webhook/engine/engine.ts';
import { knowledgeOf } from '../../webhook/engine/node-setup.ts';
import type { SecretSource } from '../../webhook/engine/pod-credentials.ts';
import { parsePlatform } from '../../webhook/image/platform.ts';
import { memoryTree } from '../../webhook/node/file-tree.ts';
import { EMPTY_SETUP, type NodeSetup } from '../../webhook/node/settings.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import { DEFAULT_POLICY } from '../../webhook/policy/load.ts';
import { createPredictionCache } from '../../webhook/pull/cache.ts';
import { createContentCheck } from '../../webhook/pull/content.ts';
import { unlimited } from '../../webhook/registry/budget.ts';
import { createConnect } from '../../webhook/registry/connect.ts';
import { unguarded } from '../../webhook/registry/guard.ts';
import { createResolver } from '../../webhook/registry/resolve.ts';
import { createTransport } from '../../webhook/registry/transport.ts';
import type { Asked } from './condition.ts';
import { NODE_FILES } from './podman.ts';
import { NAMES } from './stage.ts';

const LOGIN_SECRET = 'login';

/** The node whose files a condition gives. */
export type Node = {
  readonly runtime: string;
  /** Its addresses by their names. Default: all are this machine. */
  readonly hosts?: ReadonlyMap<string, readonly string[]>;
  /** What its system trusts besides what ours does. */
  readonly authorities?: readonly string[];
};

const ON_LOOPBACK: ReadonlyMap<string, readonly string[]> = new Map(NAMES.map((name) => [name, ['127.0.0.1']]));

/** What Pullguard foretells for a node with the same files, reading layers whole as the node does. */
export async function askPullguard(asked: Asked, node: Node, signal: AbortSignal): Promise<Prediction> {
  const now = (): number => performance.now();
  const { runtime, hosts = ON_LOOPBACK, authorities = [] } = node;
  const connect = createConnect({ resolve: createResolver(hosts), guard: unguarded, now: () => new Date() });
  const transport = createTransport({ connect, connectionsPerHost: 4 });
  const nodes = {
    ...DEFAULT_POLICY.nodes,
    runtimes: [runtime],
    settings: 'complete',
    credentialProviders: 'none',
  } as const;
  const platform = parsePlatform(asked.platform ?? 'linux/amd64');
  if (!platform.ok) throw new Error(platform.error);
  const { predict } = createEngine({
    policy: { ...DEFAULT_POLICY, nodes },
    node: knowledgeOf(nodes, {
      ...setupOf({ ...NODE_FILES, ...asked.files }, asked.shortNameMode),
      authorities,
    }).knowledge,
    secrets: secretsOf(asked),
    transport,
    budget: unlimited,
    cache: createPredictionCache({ maxEntries: 10, loadMs: 20_000, now }),
    hashIdentity: createIdentityHasher(randomBytes(32)),
    nodes: undefined,
    contentCheck: createContentCheck({ onRead: () => undefined }),
    asksForeignUrls: true,
    hintMs: 5_000,
    addressesOf: (name) => hosts.get(name) ?? [],
    explains: false,
    now,
  });
  const pod = {
    namespace: 'default',
    serviceAccount: 'default',
    imagePullSecrets: asked.login === undefined ? [] : [LOGIN_SECRET],
    platforms: { platforms: [platform.value], isFixed: true },
    isTemplate: false,
    deadline: undefined,
  };
  try {
    return await predict({ image: asked.image, pullPolicy: 'Always', pod, maxPullSeconds: undefined }, signal);
  } finally {
    await transport.close();
  }
}

/** The files of `/etc/containers` and `/etc/docker` as the planner takes them; drop-ins are all `.conf`, in the order of their names. */
function setupOf(files: Readonly<Record<string, string>>, shortNameMode: Asked['shortNameMode']): NodeSetup {
  const below = (folder: string): readonly (readonly [string, string])[] =>
    Object.entries(files)
      .filter(([name]) => name.startsWith(folder))
      .map(([name, text]) => [name.slice(folder.length), text] as const);
  const dropIns = below('registries.conf.d/')
    .filter(([name]) => name.endsWith('.conf'))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const certificates = Object.fromEntries(below('certs.d/'));
  const daemonJson = files['daemon.json'];
  return {
    ...EMPTY_SETUP,
    docker: {
      daemonJson: daemonJson === undefined ? undefined : { name: '/etc/docker/daemon.json', text: daemonJson },
      certsD: memoryTree('/etc/docker/certs.d', certificates),
    },
    crio: {
      registriesConf: [
        { name: '/etc/containers/registries.conf', text: files['registries.conf'] ?? '' },
        ...dropIns.map(([name, text]) => ({ name: `/etc/containers/registries.conf.d/${name}`, text })),
      ],
      certsD: [memoryTree('/etc/containers/certs.d', certificates)],
      policyJson: { name: '/etc/containers/policy.json', text: files['policy.json'] ?? '' },
      ...(shortNameMode === undefined ? {} : { shortNameMode }),
    },
  };
}

/** podman is handed one login, whatever its registry; so the entry's key is the image's own host. */
function secretsOf({ image, login }: Asked): SecretSource {
  const [host = ''] = image.split('/', 1);
  const key = /[.:]/u.test(host) && image.includes('/') ? host : 'docker.io';
  return {
    serviceAccount: async () => ({ kind: 'found', imagePullSecrets: [] }),
    secret: async (namespace, name) =>
      login === undefined
        ? { kind: 'missing' }
        : {
            kind: 'found',
            secret: {
              name,
              namespace,
              type: 'kubernetes.io/dockerconfigjson',
              data: { '.dockerconfigjson': JSON.stringify({ auths: { [key]: login } }) },
            },
          },
  };
}
