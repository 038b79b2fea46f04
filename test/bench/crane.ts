import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBearerRegistry } from './bearer-registry.ts';
import type { Certificate } from './certificate.ts';
import { startCountingRegistry, type CountingRegistry } from './counting-registry.ts';
import type { InProcess } from './crane-process.ts';
import { policyText } from './policy.ts';
import { aim, median, table } from './table.ts';

const IMAGES = 20;
const ROUNDS = 3;
/** A registry on the same machine, and one in the same region and back. */
const NEAR_MS = 0;
const FAR_MS = 20;
const COMMAND = join(import.meta.dirname, '..', '..', 'webhook', 'pullguard.js');

/**
 * `crane validate --fast --remote` against Pullguard, over the same images of the same registry, in turn, each time from
 * nothing: as whole processes, which is what a pipeline waits for, and without the start of either program, which is what
 * a webhook that runs adds. crane takes one image at a time.
 */
export async function compareWithCrane(options: {
  readonly folder: string;
  readonly certificate: Certificate;
  readonly write: (text: string) => void;
}): Promise<void> {
  const { folder, certificate, write } = options;
  write(`\ncrane validate --fast --remote, and Pullguard (${IMAGES} images, medians of ${ROUNDS} rounds in turn)\n`);
  const environment = {
    ...process.env,
    // where Go's TLS finds its roots; Pullguard has them from the policy
    SSL_CERT_FILE: certificate.files.authority,
    // what Node compiled is kept from one run to the next, as on a machine that has run it before
    XDG_CACHE_HOME: folder,
  };
  if ((await run(['crane', 'version'], environment)) !== 0) {
    write('  passed over: there is no crane on the PATH\n');
    return;
  }
  const open = await startCountingRegistry(certificate.tls);
  const bearer = await startBearerRegistry(certificate);
  try {
    const rows: Row[] = [];
    for (const [registry, name, delayMs] of [
      [open, 'TLS', NEAR_MS],
      [open, 'TLS', FAR_MS],
      [bearer, 'TLS, Bearer', FAR_MS],
    ] as const) {
      const policy = join(folder, 'check-policy.yaml');
      writeFileSync(policy, policyText(registry.host, certificate.authority));
      registry.slowDown(delayMs);
      const rig: Rig = {
        registry,
        environment,
        images: fill(registry),
        check: [process.execPath, COMMAND, 'check', '--policy', policy],
        inProcess: [registry.host, certificate.files.authority],
        tokenRequests: 'service' in registry ? registry.service.requests : () => [],
      };
      // what is compared is time: nothing else may run meanwhile
      // oxlint-disable-next-line no-await-in-loop
      rows.push({ name: `${name}, an answer takes ${delayMs} ms`, ...(await compare(rig)) });
    }
    report(rows, write);
  } finally {
    await Promise.all([open.close(), bearer.close()]);
  }
}

/** Milliseconds. */
type Times = {
  /** One process an image, one after the other. */
  readonly crane: number;
  readonly craneStart: number;
  /** One process for all images. */
  readonly check: number;
  readonly checkOne: number;
  readonly checkStart: number;
} & InProcess;
type Row = Times & {
  readonly name: string;
  /** For one image. */
  readonly requests: { readonly crane: number; readonly pullguard: number };
};
type Rig = {
  readonly registry: CountingRegistry;
  readonly images: readonly string[];
  readonly check: readonly string[];
  /** What the process takes before the images. */
  readonly inProcess: readonly string[];
  readonly tokenRequests: () => readonly string[];
  readonly environment: NodeJS.ProcessEnv;
};

function report(rows: readonly Row[], write: (text: string) => void): void {
  const times = (ratio: number): string => `${ratio.toFixed(1)} times`;
  const ms = (value: number): string => value.toFixed(0);
  write('  whole processes, in ms\n');
  write(
    table([
      [
        '',
        'crane, 1 image',
        'check, 1 image',
        'its start',
        `crane, ${IMAGES} in turn`,
        `check of ${IMAGES}`,
        'faster by',
      ],
      ...rows.map((row) => [
        row.name,
        ...[row.crane / IMAGES, row.checkOne, row.checkStart, row.crane, row.check].map(ms),
        times(row.crane / row.check),
      ]),
    ]),
  );
  const ofImage = (row: Row): number => row.crane / IMAGES - row.craneStart;
  write('  without the start of either, in ms an image (crane less what its version takes)\n');
  write(
    table([
      ['', 'crane', 'requests', 'an engine each', 'one that runs', 'requests', 'it is faster by'],
      ...rows.map((row) => [
        row.name,
        ofImage(row).toFixed(1),
        String(row.requests.crane),
        row.alone.toFixed(1),
        row.running.toFixed(1),
        String(row.requests.pullguard),
        times(ofImage(row) / row.running),
      ]),
    ]),
  );
  write(aim(`one check of ${IMAGES} images faster than crane`, rows.every((row) => row.check < row.crane))); // prettier-ignore
  write(aim('no slower than crane in a process that runs', rows.every((row) => row.running <= ofImage(row)))); // prettier-ignore
}

/** The middles of some rounds, in which each has its turn. */
async function compare(rig: Rig): Promise<Omit<Row, 'name'>> {
  const { images, check, environment } = rig;
  const [first = ''] = images;
  const validate = images.map((image) => ['crane', 'validate', '--fast', '--remote', image]);
  const measure = (commands: readonly (readonly string[])[], wanted = 0): Promise<number> =>
    millisOf(commands, wanted, environment);
  const requests = {
    crane: await requestsOf(rig, () => measure(validate.slice(0, 1))),
    pullguard: await requestsOf(rig, () => inProcess([...rig.inProcess, first])),
  };
  // the first run compiles
  await measure([[...check, first]]);
  const rounds: Times[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    // one after the other is what is measured
    /* oxlint-disable no-await-in-loop */
    rounds.push({
      crane: await measure(validate),
      check: await measure([[...check, ...images]]),
      checkOne: await measure([[...check, first]]),
      craneStart: await measure([['crane', 'version']]),
      // what is no image name is refused without any request
      checkStart: await measure([[...check, 'NO-IMAGE']], 1),
      ...(await inProcess([...rig.inProcess, ...images])),
    });
    /* oxlint-enable no-await-in-loop */
  }
  const middle = (read: (one: Times) => number): number => median(rounds.map(read));
  return {
    requests,
    crane: middle((one) => one.crane),
    craneStart: middle((one) => one.craneStart),
    check: middle((one) => one.check),
    checkOne: middle((one) => one.checkOne),
    checkStart: middle((one) => one.checkStart),
    alone: middle((one) => one.alone),
    running: middle((one) => one.running),
  };
}

/** Images that share a layer, as those of one team do. */
function fill(registry: CountingRegistry): readonly string[] {
  return Array.from({ length: IMAGES }, (_, at) => {
    const name = `team/app-${at}`;
    const layers = [{ base: 'base\n' }, { [`app/${at}`]: `${at}\n` }];
    registry.store.repository(name).addImage({ tags: ['1'], layers });
    return `${registry.host}/${name}:1`;
  });
}

async function requestsOf({ registry, tokenRequests }: Rig, ask: () => Promise<unknown>): Promise<number> {
  const count = (): number => registry.requests().length + tokenRequests().length;
  const before = count();
  await ask();
  return count() - before;
}

/** Throws where one of them ends otherwise than it should: a comparison with a failure compares nothing. */
async function millisOf(
  commands: readonly (readonly string[])[],
  wanted: number,
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const startedAt = performance.now();
  for (const command of commands) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other is what is measured
    const code = await run(command, environment);
    if (code !== wanted) throw new Error(`${command.slice(0, 3).join(' ')} ended with ${code}`);
  }
  return performance.now() - startedAt;
}

async function inProcess(parameters: readonly string[]): Promise<InProcess> {
  const child = fork(join(import.meta.dirname, 'crane-process.ts'), parameters);
  const ended = once(child, 'exit');
  const [result]: readonly (InProcess | number | null)[] = await Promise.race([once(child, 'message'), ended]);
  if (typeof result !== 'object' || result === null) throw new Error('the process that runs failed');
  await ended;
  return result;
}

/** The exit code; `undefined` where there is no such program. */
async function run(
  [program = '', ...parameters]: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number | undefined> {
  const child = spawn(program, parameters, { stdio: 'ignore', env });
  try {
    const [code]: readonly unknown[] = await once(child, 'exit');
    return typeof code === 'number' ? code : undefined;
  } catch {
    return undefined;
  }
}
