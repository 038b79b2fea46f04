import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from './certificate.ts';
import { startCountingRegistry } from './counting-registry.ts';
import { startLoad, type Load, type Measured } from './load.ts';
import type { LoadJob } from './load-process.ts';
import { policyText } from './policy.ts';
import { reviewOf } from './review.ts';
import { startServer, type ServerProcess } from './server.ts';
import { readShippedFlags } from '../deploy/shipped-flags.ts';
import { aim, mebibytes, median, table } from './table.ts';

export type WarmOptions = {
  /** Of each measurement. */
  readonly seconds: number;
  /** After which the memory is looked at again. */
  readonly reviews: number;
  /** Where the policy and the logs go. */
  readonly folder: string;
  readonly certificate: Certificate;
  /** Flags for the Node of Pullguard besides those that it is installed with, for profiles. */
  readonly nodeFlags: readonly string[];
  readonly write: (text: string) => void;
};

const CONNECTIONS = 32;
const ROUNDS = 3;
/** Until everything that is called often is compiled, and every buffer has its size. */
const WARM_UP_REVIEWS = 10_000;
const LEAST_SHARE = 0.6;
/** What a heap of some ten MiB varies by from one collection to the next. */
const HEAP_NOISE_BYTES = 1024 * 1024;
const RSS_NOISE_BYTES = 12 * 1024 * 1024;

type Round = Measured & { readonly cpuMicros: number };

/** Pullguard with everything cached against the least that a webhook in Node can be, and its memory under that load. */
export async function measureWarm(options: WarmOptions): Promise<void> {
  const { folder, certificate, write } = options;
  const registry = await startCountingRegistry(certificate.tls);
  const repository = registry.store.repository('shop/checkout');
  repository.addImage({ tags: ['web'] });
  repository.addImage({ tags: ['proxy'], layers: [{ 'app/proxy': 'proxy\n' }] });
  const policy = join(folder, 'policy.yaml');
  writeFileSync(policy, policyText(registry.host, certificate.authority));
  const keyPair = [certificate.files.cert, certificate.files.key] as const;
  const load = startLoad();
  const servers: ServerProcess[] = [];
  const start = async (program: readonly string[], nodeFlags: readonly string[]): Promise<ServerProcess> => {
    const server = await startServer({ program, nodeFlags, logFile: join(folder, 'server.log') });
    servers.push(server);
    return server;
  };
  try {
    const bare = await start([join(import.meta.dirname, 'bare-server.ts'), ...keyPair], []);
    const flags = ['--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0', '--linger', '0', '--policy', policy];
    const pullguard = await start(
      [CLI, 'serve', '--no-kube', ...flags, '--tls-cert', keyPair[0], '--tls-key', keyPair[1]],
      [...(await readShippedFlags()), ...options.nodeFlags],
    );
    const review = reviewOf([`${registry.host}/shop/checkout:web`, `${registry.host}/shop/checkout:proxy`]);
    const job = { authority: certificate.authority, review, connections: CONNECTIONS, isKeptAlive: true } as const;
    await measure(options, { load, bare, pullguard, job });
    const requests = registry.requests().length;
    write(`  the registry was asked ${requests} times in all this\n`);
  } finally {
    await Promise.all([load.close(), registry.close(), ...servers.map(async (server) => server.close())]);
  }
}

const CLI = join(import.meta.dirname, '..', '..', 'webhook', 'cli.ts');

type Rig = {
  readonly load: Load;
  readonly bare: ServerProcess;
  readonly pullguard: ServerProcess;
  readonly job: Omit<LoadJob, 'port' | 'minSeconds' | 'reviews'>;
};

async function measure({ seconds, reviews, write }: WarmOptions, { load, bare, pullguard, job }: Rig): Promise<void> {
  let asked = 0;
  const run = async (server: ServerProcess, part: Partial<LoadJob>): Promise<Round> => {
    const before = await server.gauge('as-is');
    const measured = await load.run({ ...job, port: server.port, minSeconds: 0, reviews: 0, ...part });
    const after = await server.gauge('as-is');
    if (server === pullguard) asked += measured.reviews;
    return { ...measured, cpuMicros: (after.cpuMicros - before.cpuMicros) / measured.reviews };
  };
  const inTurn = async (part: Partial<LoadJob>): Promise<readonly (readonly [Round, Round])[]> => {
    const rounds: (readonly [Round, Round])[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      // in turn, so that both meet the same moods of the machine
      // oxlint-disable-next-line no-await-in-loop
      rounds.push([await run(bare, part), await run(pullguard, part)]);
    }
    return rounds;
  };

  const started = await pullguard.gauge('rested');
  await run(pullguard, { reviews: 1, connections: 1 });
  await run(pullguard, { reviews: WARM_UP_REVIEWS });
  await run(bare, { reviews: WARM_UP_REVIEWS });
  const rest = await pullguard.gauge('rested');
  const kept = await inTurn({ minSeconds: seconds });
  const fresh = await inTurn({ minSeconds: seconds / 2, isKeptAlive: false });
  await run(pullguard, { reviews: Math.max(1, reviews - asked + WARM_UP_REVIEWS) });
  const after = await pullguard.gauge('rested');

  const size = (job.review.length / 1024).toFixed(1);
  write(
    `\nWarm reviews (${CONNECTIONS} connections, reviews of ${size} KiB with 2 images, medians of ${ROUNDS} rounds in turn)\n`,
  );
  write(
    table([
      ['', 'requests/s', 'of bare', 'p50 ms', 'p99 ms', 'CPU us/review'],
      ...rowsOf('kept alive', kept),
      ...rowsOf('a connection each', fresh),
    ]),
  );
  const share = shareOf(kept);
  write(aim(`warm at least ${LEAST_SHARE * 100} % of bare Node (${percent(share)})`, share >= LEAST_SHARE));
  await assertAllCached(pullguard, asked);

  const grown = { rss: after.rss - rest.rss, heap: after.heapUsed - rest.heapUsed };
  write(`\nMemory of Pullguard (MiB, after a collection)\n`);
  write(
    table([
      ['', 'started', `at rest, warm`, `after ${asked} reviews`, 'grown by'],
      ['RSS', ...[started.rss, rest.rss, after.rss, grown.rss].map(mebibytes)],
      ['heap used', ...[started.heapUsed, rest.heapUsed, after.heapUsed, grown.heap].map(mebibytes)],
    ]),
  );
  write(
    aim(
      `no growth (heap within ${mebibytes(HEAP_NOISE_BYTES)}, RSS within ${mebibytes(RSS_NOISE_BYTES)})`,
      grown.heap <= HEAP_NOISE_BYTES && grown.rss <= RSS_NOISE_BYTES,
    ),
  );
}

function rowsOf(name: string, rounds: readonly (readonly [Round, Round])[]): readonly (readonly string[])[] {
  const row = (label: string, ofOne: readonly Round[], share: string): readonly string[] => [
    `${label}, ${name}`,
    median(ofOne.map((round) => round.reviews / round.seconds)).toFixed(0),
    share,
    median(ofOne.map((round) => round.p50)).toFixed(1),
    median(ofOne.map((round) => round.p99)).toFixed(1),
    median(ofOne.map((round) => round.cpuMicros)).toFixed(0),
  ];
  return [
    row('bare Node', rounds.map(([bare]) => bare), '100 %'), // prettier-ignore
    row('Pullguard', rounds.map(([, pullguard]) => pullguard), percent(shareOf(rounds))), // prettier-ignore
  ];
}

/** The middle of the rounds' own ratios: what slows down both in one round does not count. */
function shareOf(rounds: readonly (readonly [Round, Round])[]): number {
  return median(rounds.map(([bare, own]) => own.reviews / own.seconds / (bare.reviews / bare.seconds)));
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

/** What was measured must be what was meant: both images of every review found pullable. */
async function assertAllCached(pullguard: ServerProcess, reviews: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${pullguard.adminPort}/metrics`);
  const found = /^pullguard_images_total\{outcome="pullable",action="allow"\} (?<count>\d+)$/mu.exec(
    await response.text(),
  );
  const count = Number(found?.groups?.['count']);
  if (count !== reviews * 2) throw new Error(`${reviews} reviews had ${count} pullable images, not two each`);
}
