import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CAUSES, denialOf, PULL_SECRET, slowCause, STALE_SECRET, warningOf } from './causes.ts';
import { importCheckout } from './checkout-image.ts';
import { cleanUp } from './clean-up.ts';
import { findCluster, type Cluster, type Ran } from './cluster.ts';
import { describeInstallation, IMAGE, MANIFEST, NAMESPACE, REPLICAS } from './installation.ts';
import { untilImagesListed } from './node-images.ts';
import { addHosts, addSettings, readSettings } from './node-settings.ts';
import { LOGIN, SLOW_BYTES_PER_SECOND, startRegistries, type Registries } from './registries.ts';
import { createWorkbench, MISNAMED } from './workbench.ts';
import { WORKLOADS } from './workload.ts';

/**
 * Pullguard as users have it: an image of this checkout, installed by `kubectl apply` and asked by a real API server;
 * what it says is compared with what a real kubelet and containerd then do. The tests tell one story, in their order.
 */

const found = findCluster(process.env);
if (found.ok) describe('Pullguard in a cluster', () => tellStory(found.value));
else {
  it('finds a cluster', () => {
    // a sentence that says it all needs no stack
    throw Object.assign(new Error(found.error), { stack: undefined });
  });
}

const DENIED: Ran = { exitCode: 1, stdout: '', stderr: denialOf(MISNAMED, 'spec.containers[0].image') };
const ADMITTED: Ran = { exitCode: 0, stdout: 'pod/misnamed created (server dry run)\n', stderr: '' };
const WARNED: Ran = { ...ADMITTED, stderr: warningOf(MISNAMED) };
const TEMPLATE_IMAGE = 'spec.template.spec.containers[0].image';

const COMMAND_LINE = join(import.meta.dirname, '../../webhook/cli.ts');
type Scanned = { readonly object: string; readonly outcome: string };

function tellStory(cluster: Cluster): void {
  const installation = describeInstallation(cluster);
  const workbench = createWorkbench(cluster);
  const inNamespace = ['--namespace', NAMESPACE];
  let registries: Registries;
  let policy: Readonly<Record<string, unknown>>;

  let broken: string | undefined;
  /** Skipped where what it stands on is broken: it could only fail, after a long wait. */
  const part = (name: string, tell: () => Promise<void>): void => {
    it(name, async (context) => {
      if (broken === undefined) await tell();
      else context.skip(`because of "${broken}"`);
    });
  };
  /** What the following parts stand on. */
  const foundation = (name: string, tell: () => Promise<void>): void =>
    part(name, async () => {
      broken = name;
      await tell();
      broken = undefined;
    });

  before(async () => {
    await cleanUp(cluster, IMAGE);
    registries = await startRegistries(cluster);
    const node = await cluster.ask(['get', 'nodes', '--output', 'jsonpath={.items[0].metadata.name}']);
    // by the node's own name the API server finds the kubelet, for the logs of Pods
    await addHosts(cluster.nodeIp, [...registries.names, node]);
    await addSettings(cluster.certsD, registries.nodeFiles);
    policy = policyFor(registries, await readSettings(cluster.certsD));
    await importCheckout(cluster, IMAGE);
    await cluster.ask(['create', 'namespace', WORKLOADS]);
    const passwords = { [PULL_SECRET]: LOGIN.password, [STALE_SECRET]: 'wrong since last week' };
    for (const [name, password] of Object.entries(passwords)) {
      const login = [`--docker-server=${registries.login}`, `--docker-username=${LOGIN.username}`];
      const secret = ['create', 'secret', 'docker-registry', name, ...login, `--docker-password=${password}`];
      await cluster.ask(['--namespace', WORKLOADS, ...secret]);
    }
    await untilImagesListed(cluster);
    await cluster.ask(['apply', '--filename', MANIFEST]);
  });
  after(async () => {
    // first, so that no Pod is deleted while a pull for it goes on
    await registries?.close();
    await cleanUp(cluster, IMAGE);
  });

  foundation('is ready after kubectl apply, with nothing else installed', async () => {
    const rolledOut = await workbench.rollOut('pullguard', NAMESPACE);
    const before = await workbench.untilAnswer(DENIED);

    assert.equal(rolledOut.exitCode, 0, rolledOut.stderr);
    // the API server hears of the caBundle within seconds
    assertOnly([ADMITTED], before);
  });
  part(
    'has one certificate for both replicas, which started together, and a caBundle that vouches for it',
    async () => {
      const replicas = await installation.untilReady();
      const bundle = await installation.caBundle();
      const secret = await installation.certificateSecret();
      const shown = await Promise.all(replicas.map((replica) => installation.shownCertificate(replica, bundle)));

      assert.equal(bundle.trim(), secret.authority.trim());
      assert.deepEqual(shown, Array<string>(REPLICAS).fill(secret.certificate.trim()));
    },
  );
  foundation('answers every request while its own Deployment rolls over', async () => {
    const hostAliases = [{ ip: cluster.nodeIp, hostnames: registries.names }];
    const patch = JSON.stringify({ spec: { template: { spec: { hostAliases } } } });
    await cluster.ask([...inNamespace, 'patch', 'deployment', 'pullguard', '--patch', patch]);
    const answers = await askWhile(installation.untilReady(), () => workbench.ask());

    assertOnly([DENIED], answers);
  });
  foundation('takes over a policy that is written while it runs', async () => {
    const lines = await installation.writePolicy(policy, 'policy in force');

    for (const line of lines) assert.equal(line['mode'], 'enforce');
  });
  for (const [name, causeFor] of Object.entries(CAUSES)) {
    part(`refuses a Deployment for ${name}`, async () => {
      const cause = causeFor(registries);

      const answer = await workbench.apply(cause.workload);

      assert.deepEqual(answer, { exitCode: 1, stdout: '', stderr: denialOf(cause, TEMPLATE_IMAGE) });
    });
  }
  part('lets pass what the node can pull, over HTTP that it knows and with a login, and it runs', async () => {
    const workloads = [
      { name: 'sound', image: `${registries.declared.host}/team/app:1` },
      { name: 'right-login', image: `${registries.login}/team/app:1`, pullSecret: PULL_SECRET },
    ];
    for (const workload of workloads) {
      const answer = await workbench.apply(workload);
      const rolledOut = await workbench.rollOut(workload.name);

      assert.deepEqual(answer, { exitCode: 0, stdout: `deployment.apps/${workload.name} created\n`, stderr: '' });
      assert.equal(rolledOut.exitCode, 0, rolledOut.stderr);
    }
  });
  part('warns of a pull that takes longer than its Deployment waits, and the Deployment is given up', async () => {
    const cause = slowCause(registries, SLOW_BYTES_PER_SECOND);

    const answer = await workbench.apply(cause.workload);
    const rolledOut = await workbench.rollOut('slow');

    assert.deepEqual(answer, { exitCode: 0, stdout: 'deployment.apps/slow created\n', stderr: warningOf(cause) });
    assert.equal(rolledOut.exitCode, 1);
    assert.equal(rolledOut.stderr, 'error: deployment "slow" exceeded its progress deadline\n');
  });
  foundation('only warns soon after the policy says so', async () => {
    await installation.writePolicy({ ...policy, mode: 'warn' }, 'policy in force');

    assert.deepEqual(await workbench.ask(), WARNED);
  });
  for (const [name, causeFor] of Object.entries(CAUSES)) {
    part(`said what the node says when it is let through: ${name}`, async () => {
      const cause = causeFor(registries);

      const answer = await workbench.apply(cause.workload);
      const waiting = await workbench.untilPullFails(cause.workload.name);

      const created = `deployment.apps/${cause.workload.name} created\n`;
      assert.deepEqual(answer, { exitCode: 0, stdout: created, stderr: warningOf(cause) });
      assert.match(waiting.reason, /^(?:ErrImagePull|ImagePullBackOff)$/u);
      assert.match(waiting.message, cause.nodeSays);
    });
  }
  part('refuses a malformed policy with every mistake named, and the last good one goes on', async () => {
    const lines = await installation.writePolicy({ mode: 'enforced', limits: { maxImages: 0 } }, 'policy refused');
    const [replica] = await installation.untilReady();
    assert.ok(replica !== undefined);

    for (const line of lines) {
      assert.deepEqual(line['mistakes'], [
        'ConfigMap pullguard/pullguard-policy policy.yaml:1: mode: "enforced" is not known here, did you mean "enforce"?',
        'ConfigMap pullguard/pullguard-policy policy.yaml:3: limits.maxImages: must be at least 1',
      ]);
      assert.equal(line['inForce'], 'the last good one');
    }
    assert.equal(await installation.metric(replica, 'pullguard_policy_errors'), 2);
    assert.deepEqual(await workbench.ask(), WARNED);
    await installation.writePolicy(policy, 'policy in force');
    assert.equal(await installation.metric(replica, 'pullguard_policy_errors'), 0);
    assert.deepEqual(await workbench.ask(), DENIED);
  });
  part('names by scan each Deployment that the node cannot pull, and no other', async () => {
    const args = ['scan', '--namespace', WORKLOADS, '--output', 'json'];
    const scan = await cluster.run(process.execPath, [COMMAND_LINE, ...args]);

    const { results } = JSON.parse(scan.stdout) as { readonly results: readonly Scanned[] };
    const failing = Object.values(CAUSES).map((causeFor) => causeFor(registries).workload.name);
    assert.equal(scan.stderr, '');
    // where the node holds the image of another login, its kubelet's records decide, and it is a warning
    assert.deepEqual(
      results.filter(({ outcome }) => !/^(?:pullable|pull-too-slow)$/u.test(outcome)).map(({ object }) => object),
      failing.map((name) => `Deployment/${WORKLOADS}/${name}`).toSorted(),
    );
    assert.equal(scan.exitCode, 1);
  });
  part('comes back by itself after its Pods are deleted, with its policy and certificate', async () => {
    const bundle = await installation.caBundle();
    const { workload } = CAUSES['plain HTTP that the node was not told of'](registries);
    await cluster.ask([...inNamespace, 'delete', 'pods', '--all', '--wait=false']);
    const answers = await askWhile(installation.untilReady(), () => workbench.ask());
    await workbench.untilAnswer(DENIED);

    assertOnly([DENIED, ADMITTED], answers);
    assert.equal(await installation.caBundle(), bundle);
    assert.match(
      (await workbench.tryOut({ ...workload, name: 'again' })).stderr,
      / speaks plain HTTP, and the nodes /u,
    );
  });
  it("stands in nobody's way while none of its replicas runs", async () => {
    await cluster.ask([...inNamespace, 'scale', 'deployment/pullguard', '--replicas=0']);
    await installation.untilGone();

    assert.deepEqual(await workbench.ask(), ADMITTED);
    await cluster.ask([...inNamespace, 'scale', 'deployment/pullguard', `--replicas=${REPLICAS}`]);
    await installation.untilReady();
    assertOnly([ADMITTED], await workbench.untilAnswer(DENIED));
  });
  part('showed the password of a pull secret to its registry alone, as a login, and wrote it nowhere', async () => {
    const logs = await Promise.all((await installation.untilReady()).map((replica) => installation.log(replica)));
    const sightings = new Set(registries.sightings(LOGIN.password).map(({ host, where }) => `${where} at ${host}`));

    assert.deepEqual([...sightings], [`authorization at ${registries.login}`]);
    assert.ok(!JSON.stringify(logs).includes(LOGIN.password));
  });
  part('is gone without a trace after what deploy/README.md says', async () => {
    await cluster.ask(['delete', 'validatingwebhookconfiguration', 'pullguard']);
    await cluster.ask(['delete', '--filename', MANIFEST, '--ignore-not-found']);
    const kinds = 'namespaces,clusterroles,clusterrolebindings,validatingwebhookconfigurations';
    const left = await cluster.ask([
      'get',
      kinds,
      '--selector',
      'app.kubernetes.io/name=pullguard',
      '--output',
      'name',
    ]);

    assert.equal(left, '');
    assert.deepEqual(await workbench.ask(), ADMITTED);
  });
}

/** Asks again and again until `work` is done, and once more. */
async function askWhile(work: Promise<unknown>, ask: () => Promise<Ran>): Promise<readonly Ran[]> {
  const done = new AbortController();
  const end = work.finally(() => done.abort());
  const answers: Ran[] = [];
  // one question at a time, as long as it takes
  // oxlint-disable-next-line no-await-in-loop
  do answers.push(await ask());
  while (!done.signal.aborted);
  await end;
  return answers;
}

/** No answer was any but these. */
function assertOnly(expected: readonly Ran[], answers: readonly Ran[]): void {
  const texts = expected.map((one) => JSON.stringify(one));
  assert.deepEqual(
    answers.filter((one) => !texts.includes(JSON.stringify(one))),
    [],
  );
}

/** What the operator of the node declares: its very files, and all that it does not have. */
function policyFor(
  registries: Registries,
  certsD: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'pullguard.io/v1',
    kind: 'PullPolicy',
    mode: 'enforce',
    nodes: {
      runtime: 'containerd@2.1/transfer',
      settings: 'complete',
      credentialProviders: 'none',
      platforms: { list: ['linux/amd64'], exhaustive: true },
      containerd: { certsD },
      throughput: { hosts: { [registries.slow.host]: `${SLOW_BYTES_PER_SECOND / 1000}kB/s` } },
    },
    network: { allow: registries.hosts },
  };
}
