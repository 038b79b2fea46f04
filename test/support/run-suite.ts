import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Runs the unit tests: the files of one folder share a process, as starting one and loading the program costs more than
 * most files' tests, and as many folders run at a time as there are cores. `node --test FILE` runs one file as ever.
 */
const ROOT = join(import.meta.dirname, '../..');
const REPORTER = './test/support/reporter.ts';
/** Only a hang takes that long. */
const TEST_LIMIT_MS = 240_000;
/** Started first, as the rest fits in beside them. */
const LONGEST = ['test/pull', 'test/certs', 'test/demo', 'test/registry', 'test'];

type Count = { readonly passed: number; readonly failed: number; readonly skipped: number };
type Folder = { readonly name: string; readonly files: readonly string[] };

function findFolders(): readonly Folder[] {
  const files = globSync('test/**/*.test.ts', { cwd: ROOT }).toSorted();
  const names = [...new Set(files.map((file) => dirname(file)))];
  const weight = (name: string): number => (LONGEST.includes(name) ? LONGEST.indexOf(name) : LONGEST.length);
  return names
    .toSorted((a, b) => weight(a) - weight(b))
    .map((name) => ({ name, files: files.filter((file) => dirname(file) === name) }));
}

async function runFolder({ name, files }: Folder): Promise<Count> {
  const { promise, resolve } = Promise.withResolvers<{ readonly code: number | null; readonly text: string }>();
  const args = ['--test', '--test-isolation=none', `--test-reporter=${REPORTER}`, `--test-timeout=${TEST_LIMIT_MS}`];
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
  process.stdout.write(`${name}: ${isBroken ? `ended with ${String(ended.code)}` : `${count.passed} passed`}\n`);
  const notable = ended.text
    .replace(/^ℹ .*$\n?/gmu, '')
    .replace(/^\d+ passed, .*$\n?/mu, '')
    .trim();
  if (notable !== '') process.stdout.write(`${notable}\n`);
  return isBroken ? { ...count, failed: count.failed + 1 } : count;
}

const waiting = [...findFolders()];
const total = { passed: 0, failed: 0, skipped: 0 };

async function work(): Promise<void> {
  for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
    // each worker runs one folder after the other
    // oxlint-disable-next-line no-await-in-loop
    const count = await runFolder(folder);
    total.passed += count.passed;
    total.failed += count.failed;
    total.skipped += count.skipped;
  }
}

await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
