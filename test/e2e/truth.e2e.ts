import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OutcomeKind } from '../../webhook/outcome/outcome.ts';
import { PAUSE_MS } from './truth/bursts.ts';
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
/** A node takes 110 Pods. */
const BATCH = 100;
/** More that differ are no accident. */
const MAX_TRIED_AGAIN = 10;
/** Every condition is predicted as a webhook would, and as a pipeline that reads every layer. */
const VERIFICATIONS = ['headers', 'content'] as const;
type Verification = (typeof VERIFICATIONS)[number];
type Predictions = ReadonlyMap<string, CheckResult>;
/** Conditions in which the node hangs for longer than anybody waits: there is no truth but that it did not pull. */
const HANGS: ReadonlySet<string> = new Set(['silent-manifest']);

describe('the engine and the real node', { timeout: 30 * 60_000 }, () => {
  const found = findCluster(process.env);
  let stage: Awaited<ReturnType<typeof openStage>>;
  let cluster: Cluster;
  let conditions: readonly Condition[] = [];
  const predictions = { headers: new Map<string, CheckResult>(), content: new Map<string, CheckResult>() };
  const truths = new Map<string, Truth>();
  const took: string[] = [];

  before(async () => {
    if (!found.ok) throw new Error(found.error);
    cluster = found.value;
    stage = await openStage(cluster.nodeIp);
    // to try some again: TRUTH_ONLY='^mirror-' npm run test:truth
    const only = new RegExp(process.env['TRUTH_ONLY'] ?? '', 'u');
    conditions = stage.conditions.filter(({ id }) => only.test(id));
    await cleanUp(cluster, conditions);
    await addHosts('127.0.0.1', NAMES);
    for (const { node } of conditions) if (node !== undefined) await addSettings(cluster.certsD, node);
    await judge(conditions);
    // what differs by nature differs again; what a slow machine did, or a port that somebody else took, does not
    const odd = conditions.filter((one) => VERIFICATIONS.some((by) => comparisonOf(one, by).verdict === 'wrong'));
    if (odd.length === 0 || odd.length > MAX_TRIED_AGAIN) return;
    took.push(`tried once more: ${odd.map(({ id }) => id).join(', ')}`);
    await clearNode(cluster, conditions);
    await judge(odd);
  });

  async function judge(some: readonly Condition[]): Promise<void> {
    for (const verification of VERIFICATIONS) {
      const predicted = await timed(predictAll(cluster, some, verification));
      for (const [id, result] of predicted.value) predictions[verification].set(id, result);
      took.push(`predicted by ${verification} in ${predicted.seconds} s`);
      // the node's pulls are bursts of their own
      await sleep(PAUSE_MS + 1_000);
    }
    const tried = await timed(askTheNode(cluster, some));
    for (const [id, truth] of tried.value) truths.set(id, truth);
    took.push(`tried by the node in ${tried.seconds} s`);
  }

  const comparisonOf = (condition: Condition, verification: Verification): Comparison =>
    compare(condition, predictions[verification].get(condition.id), truths.get(condition.id), verification);

  after(async () => {
    if (found.ok) await cleanUp(found.value, conditions);
    await stage?.close();
  });

  it('have a table of conditions, each with a name of its own', (context) => {
    for (const one of took) context.diagnostic(one);
    const ids = stage.conditions.map(({ id }) => id);

    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.length >= 60, 'a table of at least 60 conditions');
  });

  for (const verification of VERIFICATIONS) {
    it(`agree on whether each image is pulled, and on why not, by ${verification}`, (context) => {
      const rows = conditions.map((condition) => ({ id: condition.id, ...comparisonOf(condition, verification) }));
      const agreed = rows.filter(({ verdict }) => verdict === 'agreed');
      const open = rows.filter(({ verdict }) => verdict === 'open');
      const wrong = rows.filter(({ verdict }) => verdict === 'wrong').map(({ id, text }) => `${id}: ${text}`);
      context.diagnostic(
        `truth by ${verification}: ${agreed.length} of ${rows.length} conditions as the node had them, ${open.length} left open on purpose, ${wrong.length} otherwise`,
      );
      for (const { id, text } of open) context.diagnostic(`open: ${id}: ${text}`);

      assert.deepEqual(wrong, []);
    });
  }
});

async function timed<T>(work: Promise<T>): Promise<{ readonly value: T; readonly seconds: number }> {
  const startMs = Date.now();
  return { value: await work, seconds: Math.round((Date.now() - startMs) / 1000) };
}

type Comparison = { readonly verdict: 'agreed' | 'open' | 'wrong'; readonly text: string };

/** Where the two part the node is right. What is left open may never be a denial of what the node pulls. */
function compare(
  condition: Condition,
  result: CheckResult | undefined,
  truth: Truth | undefined,
  verification: Verification,
): Comparison {
  const { id, contentOnly, openBecause } = condition;
  if (result === undefined || truth === undefined) return { verdict: 'wrong', text: 'no answer' };
  const { outcome, action } = result;
  const node = truth.pulled ? 'the node pulled it' : `the node did not: ${truth.words}`;
  if (action === 'deny' && truth.pulled) return { verdict: 'wrong', text: `FALSE DENIAL, said ${outcome}` };
  const says = outcome === 'pullable' || outcome === 'will-not-run';
  const words = NODE_WORDS[outcome];
  const isSameCause = truth.pulled || words === undefined || HANGS.has(id) || words.test(truth.words);
  if (says === truth.pulled && isSameCause) return { verdict: 'agreed', text: '' };
  const reason = contentOnly === true && verification === 'headers' ? 'only layers show it' : openBecause;
  return reason === undefined
    ? { verdict: 'wrong', text: `said ${outcome}, ${node}` }
    : { verdict: 'open', text: `said ${outcome}, ${node.slice(0, 60)}; ${reason}` };
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
          // a network of its own takes longer than most pulls
          hostNetwork: true,
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
  verification: Verification,
): Promise<Predictions> {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objectsOf(conditions) });
  const flags = ['--runtime', 'containerd@2.1/transfer', '--certs-d', cluster.certsD, '--platform', 'linux/amd64'];
  const ran = await cluster.run(
    process.execPath,
    [COMMAND, 'check', '-f', '-', ...flags, '--verify', verification, '--timeout', '20s', '--output', 'json'],
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
  // those with Secrets first, as they take longer
  const inOrder = conditions.toSorted((a, b) => Number(hasSecrets(b)) - Number(hasSecrets(a)));
  for (let at = 0; at < inOrder.length; at += BATCH) {
    // a node has room for so many Pods at a time
    // oxlint-disable-next-line no-await-in-loop
    for (const [id, truth] of await tryBatch(cluster, inOrder.slice(at, at + BATCH))) truths.set(id, truth);
  }
  return truths;
}

const hasSecrets = ({ secrets = [] }: Condition): boolean => secrets.length > 0;

async function tryBatch(cluster: Cluster, batch: readonly Condition[]): Promise<ReadonlyMap<string, Truth>> {
  await cluster.ask(['create', '-f', '-'], objectsOf(batch));
  const truths = await eventually('the node to have tried every image', async () => {
    const seen = readTruths(await cluster.ask(['-n', NAMESPACE, 'get', 'pods', '-o', 'json']));
    for (const id of HANGS) if (!seen.has(id)) seen.set(id, { pulled: false, words: '' });
    return batch.every(({ id }) => seen.has(id)) ? seen : undefined;
  });
  // a kubelet that had not heard of a Secret yet tries once without it: its second try is the one that counts
  if (batch.some(hasSecrets)) {
    await sleep(SECOND_TRY_MS);
    const settled = readTruths(await cluster.ask(['-n', NAMESPACE, 'get', 'pods', '-o', 'json']));
    for (const [id, truth] of settled) if (truth.pulled) truths.set(id, truth);
  }
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

async function cleanUp(cluster: Cluster, conditions: readonly Condition[]): Promise<void> {
  await clearNode(cluster, conditions);
  await removeHosts('truth.test');
  await removeSettings(cluster.certsD, 'truth.test');
  await removeSettings(cluster.certsD, cluster.nodeIp);
}

/** Takes away what was applied and what was pulled. */
async function clearNode(cluster: Cluster, conditions: readonly Condition[]): Promise<void> {
  await cluster.kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=true', '--timeout=5m']);
  // what stays makes the Node's list of images too long to prove anything
  const images = new Set(conditions.map(({ image }) => image));
  await removeImages(cluster, (name) => images.has(name) || name.includes('.truth.test:'));
}
