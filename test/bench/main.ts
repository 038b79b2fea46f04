import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from './certificate.ts';
import { countColdRequests } from './cold.ts';
import { compareWithCrane } from './crane.ts';
import { checkManyImages } from './many.ts';
import { measureWarm } from './warm.ts';

/**
 * `npm run bench`: numbers, side by side with what they are to be measured against, in one run of some minutes.
 * It fails only where something breaks; a number below its aim is said. BENCH_SECONDS is the length of one measurement
 * (default 4), BENCH_REVIEWS what the memory is tried with (default 100000), BENCH_NODE_FLAGS go to Pullguard's Node.
 */
const { env } = process;
const folder = mkdtempSync(join(tmpdir(), 'pullguard-bench-'));
const write = (text: string): void => {
  process.stdout.write(text);
};
try {
  write(`Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown processor'}\n`);
  const certificate = await makeCertificate(folder);
  await countColdRequests({ certificate, write });
  await compareWithCrane({ folder, certificate, write });
  await checkManyImages({ certificate, write });
  await measureWarm({
    seconds: positive('BENCH_SECONDS', 4),
    reviews: positive('BENCH_REVIEWS', 100_000),
    nodeFlags: (env['BENCH_NODE_FLAGS'] ?? '').split(' ').filter((flag) => flag !== ''),
    folder,
    certificate,
    write,
  });
} finally {
  rmSync(folder, { recursive: true });
}

function positive(name: string, usual: number): number {
  const value = Number(env[name] ?? usual);
  if (!(value > 0)) throw new Error(`${name}: expected a number above 0`);
  return value;
}
