import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OutcomeKind } from '../../webhook/outcome/outcome.ts';
import { NODE_WORDS, type Condition } from './truth/condition.ts';
import { openStage } from './truth/open-stage.ts';
import { NAMES } from './truth/stage.ts';
import { findCluster, type Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { removeImages } from './node-images.ts';
import { addHosts, addSettings, removeHosts, removeSettings } from './node-settings.ts';

const NAMESPACE = 'pullguard-truth';
const COMMAND = new URL('../../webhook/pullguard.js', import.meta.url).pathname;

/** The part of `--output json` that is compared. */
type CheckResult = {
  readonly object: string;
  readonly outcome: OutcomeKind;
  readonly action: 'allow' | 'warn' | 'deny';
};

/** What the kubelet said in the end. */
type Truth = { readonly pulled: boolean; readonly words: string };

/** Reasons of a container that has its image and fails later. */
const AFTER_THE_PULL = /^(?:CreateContainer(?:Config)?Error|RunContainerError|CrashLoopBackOff|StartError)$/u;
/** Not yet: the kubelet is at it. */
const UNDER_WAY = /^(?:ContainerCreating|PodInitializing)?$/u;
/** The kubelet's first pause is 10 s. */
const SECOND_TRY_MS = 25_000;
/** Half of what a node takes. */
const BATCH = 50;
/** Conditions in which the node hangs for longer than anybody waits: there is no truth but that it did not pull. */
const HANGS: ReadonlySet<string> = new Set(['silent-manifest']);

describe('the engine and the real node', { timeout: 30 * 60_000 }, () => {
  const found = findCluster(process.env);
  let stage: Awaited<ReturnType<typeof openStage>>;
  let cluster: Cluster;
  let predictions: ReadonlyMap<string, CheckResult>;
  let truths: ReadonlyMap<string, Truth>;

  before(async () => {
    if (!found.ok) throw new Error(found.error);
    cluster = found.value;
    stage = await openStage();
    await cleanUp(cluster);
    await addHosts('127.0.0.1', NAMES);
    for (const { node } of stage.conditions) if (node !== undefined) await addSettings(cluster.certsD, node);
    predictions = await predictAll(cluster, stage.conditions);
    truths = await askTheNode(cluster, stage.conditions);
  });

  after(async () => {
    if (found.ok) await cleanUp(found.value);
    await stage?.close();
  });

  it('agree on whether each image is pulled, and on why not', (context) => {
    const rows = stage.conditions.map((condition) =>
      compare(condition, predictions.get(condition.id), truths.get(condition.id)),
    );
    const wrong = rows.filter(({ problem }) => problem !== undefined);
    context.diagnostic(`truth: ${rows.length - wrong.length} of ${rows.length} conditions as the node had them`);
    for (const { id, problem } of wrong) context.diagnostic(`${id}: ${problem ?? ''}`);

    assert.deepEqual(
      wrong.map(({ id, problem }) => `${id}: ${problem ?? ''}`),
      [],
    );
    assert.ok(rows.length >= 60, 'a table of at least 60 conditions');
  });
});

function compare(
  condition: Condition,
  result: CheckResult | undefined,
  truth: Truth | undefined,
): { readonly id: string; readonly problem: string | undefined } {
  const { id } = condition;
  if (result === undefined || truth === undefined) return { id, problem: 'no answer' };
  const { outcome } = result;
  const says = outcome === 'pullable' || outcome === 'will-not-run';
  if (result.action === 'deny' && truth.pulled) return { id, problem: `FALSE DENIAL ${outcome}` };
  if (says !== truth.pulled) {
    return { id, problem: `said ${outcome}, the node ${truth.pulled ? 'pulled it' : `did not: ${truth.words}`}` };
  }
  const words = NODE_WORDS[outcome];
  if (truth.pulled || words === undefined || HANGS.has(id) || words.test(truth.words))
    return { id, problem: undefined };
  return { id, problem: `said ${outcome}, the node said: ${truth.words}` };
}

function objectsOf(conditions: readonly Condition[]): readonly object[] {
  return conditions.flatMap((condition) => {
    const secrets = (condition.secrets ?? []).map((secret, at) => ({ secret, name: `${condition.id}-${at}` }));
    const names = [...secrets.map(({ name }) => name), ...(condition.missingSecrets ?? [])];
    return [
      ...secrets.map(({ secret, name }) => ({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace: NAMESPACE },
        type: secret.type ?? 'kubernetes.io/dockerconfigjson',
        stringData: { [secret.type === 'kubernetes.io/dockercfg' ? '.dockercfg' : '.dockerconfigjson']: secret.text },
      })),
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: condition.id, namespace: NAMESPACE },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 0,
          ...(names.length === 0 ? {} : { imagePullSecrets: names.map((name) => ({ name })) }),
          containers: [{ name: 'c', image: condition.image, imagePullPolicy: condition.pullPolicy ?? 'Always' }],
        },
      },
    ];
  });
}

/** The command line's own answer, with the very settings files of the node. */
async function predictAll(
  cluster: Cluster,
  conditions: readonly Condition[],
): Promise<ReadonlyMap<string, CheckResult>> {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objectsOf(conditions) });
  const flags = ['--runtime', 'containerd@2.1/transfer', '--certs-d', cluster.certsD, '--platform', 'linux/amd64'];
  const ran = await cluster.run(
    process.execPath,
    [COMMAND, 'check', '-f', '-', ...flags, '--timeout', '20s', '--output', 'json'],
    list,
  );
  const { results } = JSON.parse(ran.stdout) as { readonly results: readonly CheckResult[] };
  return new Map(results.map((result) => [result.object.split('/').at(-1) ?? '', result]));
}

async function askTheNode(cluster: Cluster, conditions: readonly Condition[]): Promise<ReadonlyMap<string, Truth>> {
  await cluster.ask(['create', '-f', '-'], [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }]);
  await eventually('the ServiceAccount default', async () => {
    const ran = await cluster.kubectl(['-n', NAMESPACE, 'get', 'serviceaccount', 'default']);
    return ran.exitCode === 0 ? true : undefined;
  });
  const truths = new Map<string, Truth>();
  for (let at = 0; at < conditions.length; at += BATCH) {
    // a node has room for so many Pods at a time
    // oxlint-disable-next-line no-await-in-loop
    for (const [id, truth] of await tryBatch(cluster, conditions.slice(at, at + BATCH))) truths.set(id, truth);
  }
  return truths;
}

async function tryBatch(cluster: Cluster, batch: readonly Condition[]): Promise<ReadonlyMap<string, Truth>> {
  await cluster.ask(['create', '-f', '-'], objectsOf(batch));
  const truths = await eventually('the node to have tried every image', async () => {
    const seen = readTruths(await cluster.ask(['-n', NAMESPACE, 'get', 'pods', '-o', 'json']));
    for (const id of HANGS) if (!seen.has(id)) seen.set(id, { pulled: false, words: '' });
    return batch.every(({ id }) => seen.has(id)) ? seen : undefined;
  });
  // a kubelet that had not heard of a Secret yet tries once without it: its second try is the one that counts
  await sleep(SECOND_TRY_MS);
  const settled = readTruths(await cluster.ask(['-n', NAMESPACE, 'get', 'pods', '-o', 'json']));
  for (const [id, truth] of settled) if (truth.pulled) truths.set(id, truth);
  await cluster.ask(['-n', NAMESPACE, 'delete', 'pods', '--all', '--force', '--grace-period=0', '--wait=true']);
  return truths;
}

type PodList = {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status: {
      readonly containerStatuses?: readonly {
        readonly imageID?: string;
        readonly state?: {
          readonly waiting?: { readonly reason?: string; readonly message?: string };
          readonly running?: object;
          readonly terminated?: object;
        };
      }[];
    };
  }[];
};

function readTruths(text: string): Map<string, Truth> {
  const truths = new Map<string, Truth>();
  for (const { metadata, status } of (JSON.parse(text) as PodList).items) {
    const [container] = status.containerStatuses ?? [];
    const { waiting, running, terminated } = container?.state ?? {};
    const reason = waiting?.reason ?? '';
    const words = `${reason} ${waiting?.message ?? ''}`;
    if (running !== undefined || terminated !== undefined || AFTER_THE_PULL.test(reason)) {
      truths.set(metadata.name, { pulled: true, words });
    } else if (!UNDER_WAY.test(reason)) {
      truths.set(metadata.name, { pulled: false, words });
    }
  }
  return truths;
}

async function cleanUp(cluster: Cluster): Promise<void> {
  await cluster.kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=true', '--timeout=5m']);
  await removeHosts('truth.test');
  await removeSettings(cluster.certsD, 'truth.test');
  // what stays makes the Node's list of images too long to prove anything
  await removeImages(cluster, (name) => name.includes('.truth.test:'));
}
