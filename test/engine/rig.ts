import { randomBytes } from 'node:crypto';
import type { ImageQuestion, PodDemand } from '../../webhook/admission/ports.ts';
import type { PullSecret } from '../../webhook/credentials/credential.ts';
import { createIdentityHasher } from '../../webhook/credentials/identity.ts';
import { createEngine, type EngineOptions } from '../../webhook/engine/engine.ts';
import type { KnownNodes } from '../../webhook/engine/known-nodes.ts';
import { knowledgeOf, setupOf } from '../../webhook/engine/node-setup.ts';
import type { SecretRead, SecretSource, ServiceAccountRead } from '../../webhook/engine/pod-credentials.ts';
import type { Prediction } from '../../webhook/outcome/prediction.ts';
import { createPredictionCache } from '../../webhook/pull/cache.ts';
import { unlimited } from '../../webhook/registry/budget.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { policyOf } from '../admission/builders.ts';

/** What a namespace holds; whatever is not named is missing. */
export type Cluster = {
  readonly secrets?: Readonly<Record<string, SecretRead>>;
  readonly serviceAccounts?: Readonly<Record<string, ServiceAccountRead>>;
};

export type Rig = {
  readonly ask: (image: string, pod?: Partial<PodDemand>, question?: Partial<ImageQuestion>) => Promise<Prediction>;
  /** The images of one Pod together, by their paths in it. */
  readonly askPod: (
    images: readonly { readonly image: string; readonly path: string }[],
    pod?: Partial<PodDemand>,
  ) => Promise<readonly Prediction[]>;
  /** `namespace/name` of every Secret and ServiceAccount that was read, in order. */
  readonly reads: readonly string[];
};

export type RigOptions = Cluster &
  Partial<Omit<EngineOptions, 'policy' | 'node' | 'nodes' | 'secrets'>> & {
    readonly transport: Transport;
    readonly known?: KnownNodes;
    /** YAML of a policy's `nodes`, indented by two. */
    readonly nodes?: string;
    /** The reviews' deadline; default ten seconds for each image. */
    readonly signal?: AbortSignal;
  };

export const POD: PodDemand = {
  namespace: 'team',
  serviceAccount: 'default',
  imagePullSecrets: [],
  platforms: undefined,
  isTemplate: false,
  deadline: undefined,
};

const NO_SECRETS: ServiceAccountRead = { kind: 'found', imagePullSecrets: [] };

/** An engine as `serve` wires it, over a namespace that is given. */
export function createRig(options: RigOptions): Rig {
  const { secrets = {}, serviceAccounts = { default: NO_SECRETS }, nodes = '', known } = options;
  const now = (): number => performance.now();
  const policy = policyOf(
    `apiVersion: pullguard.io/v1\nkind: PullPolicy\nnodes:\n  runtime: containerd@2.1/transfer\n${nodes}`,
  );
  const reads: string[] = [];
  const source: SecretSource = {
    secret: (namespace, name) => {
      reads.push(`${namespace}/${name}`);
      return Promise.resolve(secrets[name] ?? { kind: 'missing' });
    },
    serviceAccount: (namespace, name) => {
      reads.push(`${namespace}/${name}`);
      return Promise.resolve(serviceAccounts[name] ?? { kind: 'missing' });
    },
  };
  const { predict, weigh } = createEngine({
    budget: unlimited,
    cache: createPredictionCache({ maxEntries: 100, loadMs: 10_000, now }),
    hashIdentity: createIdentityHasher(randomBytes(32)),
    contentCheck: undefined,
    asksForeignUrls: false,
    hintMs: 5_000,
    addressesOf: () => [],
    explains: false,
    now,
    ...options,
    nodes: known,
    policy,
    node: knowledgeOf(policy.nodes, setupOf(policy.nodes, {})).knowledge,
    secrets: source,
  });
  return {
    reads,
    ask: async (image, pod = {}, question = {}) => {
      const asked = {
        image,
        pullPolicy: 'Always',
        pod: { ...POD, ...pod },
        maxPullSeconds: undefined,
        ...question,
      } as const;
      const prediction = await predict(asked, options.signal ?? AbortSignal.timeout(10_000));
      return weigh([{ ...asked, path: 'spec.containers[0].image', prediction }], asked.pod)[0] ?? prediction;
    },
    askPod: async (images, pod = {}) => {
      const demand = { ...POD, ...pod };
      const pulls = await Promise.all(
        images.map(async ({ image, path }) => {
          const asked = { image, pullPolicy: 'IfNotPresent', pod: demand, maxPullSeconds: undefined } as const;
          return { ...asked, path, prediction: await predict(asked, AbortSignal.timeout(10_000)) };
        }),
      );
      return weigh(pulls, demand);
    },
  };
}

/** A Secret with one login for a host, as `kubectl create secret docker-registry` makes it. */
export function secretFor(host: string, username: string, password: string): SecretRead {
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  return dockerSecret(JSON.stringify({ auths: { [host]: { auth } } }));
}

export function dockerSecret(text: string, type = 'kubernetes.io/dockerconfigjson'): SecretRead {
  const secret: PullSecret = { name: 'ci', namespace: 'team', type, data: { '.dockerconfigjson': text } };
  return { kind: 'found', secret };
}
