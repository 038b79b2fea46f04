import { spawn } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';

/**
 * Runs the tests whose names end as the first argument says (default `test`, the unit tests; `programs`, those that run
 * other programs; `runtimes`, tables with a column for each runtime) in a few processes, as starting one and loading the program costs more than most files' tests.
 * `node --test FILE` runs one file as ever.
 */
const ENDING = process.argv[2] ?? 'test';
const ROOT = join(import.meta.dirname, '../..');
const REPORTER = './test/support/reporter.ts';
/** Only a hang takes that long. */
const TEST_LIMIT_MS = 240_000;
/** Folders that load the same parts of the program, the longest first. Whatever is in none has a process of its own. */
const TOGETHER: readonly (readonly string[])[] = [
  ['check', 'cli', 'serve', 'certs', 'kube'],
  ['registry', 'http', 'engine'],
  ['pull'],
  ['.', 'admission', 'credentials', 'file', 'image', 'manifests', 'node', 'outcome', 'policy', 'report', 'telemetry'],
  ['demo', 'package', 'deploy'],
];
/** Takes longer than half of all the others, so that one process would be waited for. */
const IN_HALVES = 'pull';
/** Tests wait too, for time-outs and for processes of their own. */
const AT_A_TIME = Math.max(2, availableParallelism()) + 2;

type Count = { readonly passed: number; readonly failed: number; readonly skipped: number };
type Batch = { readonly name: string; readonly files: readonly string[] };

const folderOf = (file: string): string => (dirname(file) === 'test' ? '.' : basename(dirname(file)));

function findBatches(): readonly Batch[] {
  const files = globSync(`test/**/*.${ENDING}.ts`, { cwd: ROOT }).toSorted();
  const alone = [...new Set(files.map(folderOf))].filter((folder) => !TOGETHER.flat().includes(folder));
  return [...TOGETHER, ...alone.map((folder) => [folder])].flatMap((folders) => {
    const batch = { name: folders.join(', '), files: files.filter((file) => folders.includes(folderOf(file))) };
    if (batch.files.length === 0) return [];
    if (!folders.includes(IN_HALVES)) return [batch];
    const sizeOf = (file: string): number => statSync(join(ROOT, file)).size;
    const bySize = batch.files.toSorted((a, b) => sizeOf(b) - sizeOf(a));
    return [0, 1].map((half) => ({
      name: `${batch.name} (${half + 1} of 2)`,
      files: bySize.filter((_, at) => at % 2 === half),
    }));
  });
}

async function run({ name, files }: Batch): Promise<Count> {
  const { promise, resolve } = Promise.withResolvers<{ readonly code: number | null; readonly text: string }>();
  const args = ['--test', '--test-isolation=none', `--test-reporter=${REPORTER}`, `--test-timeout=${TEST_LIMIT_MS}`];
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...args, ...files], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/compile') },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  child.once('close', (code) => resolve({ code, text }));
  const ended = await promise;
  const summary = /^(?<passed>\d+) passed, (?<failed>\d+) failed, (?<skipped>\d+) skipped$/mu.exec(ended.text)?.groups;
  const count = {
    passed: Number(summary?.['passed'] ?? 0),
    failed: Number(summary?.['failed'] ?? 0),
    skipped: Number(summary?.['skipped'] ?? 0),
  };
  // a process that ends badly without a failed test failed as a whole
  const isBroken = summary === undefined || (ended.code !== 0 && count.failed === 0);
  const result = isBroken ? `ended with ${String(ended.code)}` : `${count.passed} passed`;
  process.stdout.write(`${name}: ${result} (${secondsSince(startedAt)} s)\n`);
  const notable = ended.text
    .replace(/^ℹ .*$\n?/gmu, '')
    .replace(/^\d+ passed, .*$\n?/mu, '')
    .trim();
  if (notable !== '') process.stdout.write(`${notable}\n`);
  return isBroken ? { ...count, failed: count.failed + 1 } : count;
}

const secondsSince = (startedAt: number): string => ((performance.now() - startedAt) / 1000).toFixed(1);

const waiting = [...findBatches()];
const total = { passed: 0, failed: 0, skipped: 0 };

async function work(): Promise<void> {
  for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
    // each worker runs one batch after the other
    // oxlint-disable-next-line no-await-in-loop
    const count = await run(batch);
    total.passed += count.passed;
    total.failed += count.failed;
    total.skipped += count.skipped;
  }
}

const startedAt = performance.now();
await Promise.all(Array.from({ length: AT_A_TIME }, work));
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.stdout.write(`in ${secondsSince(startedAt)} s\n`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
