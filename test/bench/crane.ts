import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from './certificate.ts';
import { startCountingRegistry, type CountingRegistry } from './counting-registry.ts';
import { policyText } from './policy.ts';
import { aim, median, table } from './table.ts';

const IMAGES = 20;
const ROUNDS = 3;
/** On the same machine, and to a registry in the same region and back. */
const DELAYS_MS: readonly number[] = [0, 20];
const CLI = join(import.meta.dirname, '..', '..', 'webhook', 'cli.ts');

/** `crane validate --fast --remote` of some images, one after the other, against one `pullguard check` of them all. */
export async function compareWithCrane(options: {
  readonly folder: string;
  readonly certificate: Certificate;
  readonly write: (text: string) => void;
}): Promise<void> {
  const { folder, certificate, write } = options;
  write(
    `\n${IMAGES} images: crane validate --fast --remote, one after the other, and one pullguard check of them all\n`,
  );
  // where Go's TLS finds its roots; Pullguard has them from the policy
  const environment = { ...process.env, SSL_CERT_FILE: certificate.files.authority };
  if ((await run(['crane', 'version'], environment)) !== 0) {
    write('  passed over: there is no crane on the PATH\n');
    return;
  }
  const registry = await startCountingRegistry(certificate.tls);
  try {
    const policy = join(folder, 'check-policy.yaml');
    writeFileSync(policy, policyText(registry.host, certificate.authority));
    const images = fill(registry);
    const check = [process.execPath, CLI, 'check', '--policy', policy];
    const rows: Row[] = [];
    for (const delayMs of DELAYS_MS) {
      registry.slowDown(delayMs);
      // what is compared is time: nothing else may run meanwhile
      // oxlint-disable-next-line no-await-in-loop
      rows.push({ delayMs, ...(await compare(images, check, environment)) });
    }
    write(
      table([
        ['an answer takes', 'crane s', 'check s', 'of that its start', 'check is faster by'],
        ...rows.map((row) => [
          `${row.delayMs} ms`,
          row.crane.toFixed(2),
          row.check.toFixed(2),
          row.start.toFixed(2),
          `${(row.crane / row.check).toFixed(1)} times`,
        ]),
      ]),
    );
    const isFaster = rows.every((row) => row.check < row.crane);
    write(aim('faster than crane', isFaster));
  } finally {
    await registry.close();
  }
}

type Seconds = { readonly crane: number; readonly check: number; readonly start: number };
type Row = Seconds & { readonly delayMs: number };

/** The middles of some rounds, in which each has its turn. */
async function compare(
  images: readonly string[],
  check: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<Seconds> {
  const validate = images.map((image) => ['crane', 'validate', '--fast', '--remote', image]);
  const rounds: Seconds[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push({
      // oxlint-disable-next-line no-await-in-loop -- one after the other is what is measured
      crane: await secondsOf(validate, 0, environment),
      // oxlint-disable-next-line no-await-in-loop
      check: await secondsOf([[...check, ...images]], 0, environment),
      // what is no image name is refused without any request
      // oxlint-disable-next-line no-await-in-loop
      start: await secondsOf([[...check, 'NO-IMAGE']], 1, environment),
    });
  }
  const middle = (read: (one: Seconds) => number): number => median(rounds.map(read));
  return { crane: middle((one) => one.crane), check: middle((one) => one.check), start: middle((one) => one.start) };
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

/** Throws where one of them ends otherwise than it should: a comparison with a failure compares nothing. */
async function secondsOf(
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
  return (performance.now() - startedAt) / 1000;
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
