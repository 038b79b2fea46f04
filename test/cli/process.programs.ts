import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';

const LAUNCHER = join(import.meta.dirname, '../../webhook/pullguard.js');

type Surroundings = {
  readonly input?: string;
  readonly reads?: boolean;
  readonly stdout?: number;
  readonly cwd?: string;
  readonly environment?: NodeJS.ProcessEnv;
};

/** Runs the real process; nobody reads its output where `reads` is false, as after `| head`. */
async function start(args: readonly string[], around: Surroundings = {}) {
  const { input = '', reads = true, stdout, cwd, environment: env = process.env } = around;
  const child = spawn(process.execPath, [LAUNCHER, ...args], { env, cwd, stdio: ['pipe', stdout ?? 'pipe', 'pipe'] });
  child.stdin?.on('error', () => undefined).end(input);
  if (!reads) child.stdout?.destroy();
  const [[code], out, err] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    child.stdout !== null && reads ? text(child.stdout) : '',
    child.stderr === null ? '' : text(child.stderr),
  ]);
  return { code, stdout: out, stderr: err };
}

describe('the process', () => {
  it('reads standard input, prints, and ends with the code of the command', async () => {
    const input = 'kind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: a, image: Nginx }] }\n';

    const run = await start(['check', '-f', '-', '-o', 'json'], { input });

    assert.deepEqual([run.code, run.stderr], [1, '']);
    assert.match(run.stdout, /"line": 3,\n {6}"outcome": "invalid-reference"/u);
  });

  it('ends quietly, with its own code, where nobody reads on', async () => {
    assert.deepEqual(await start(['check', 'Nginx', '-o', 'sarif'], { reads: false }), {
      code: 1,
      stdout: '',
      stderr: '',
    });
  });

  it('says that its output cannot be written', { skip: !existsSync('/dev/full') && 'needs /dev/full' }, async () => {
    const run = await start(['check', 'Nginx'], { stdout: openSync('/dev/full', 'w') });

    assert.deepEqual(run, { code: 2, stdout: '', stderr: 'pullguard: the output cannot be written (ENOSPC)\n' });
  });

  it('keeps what is compiled in the cache folder of its user, and does without where there can be none', async () => {
    const caches = mkdtempSync(join(tmpdir(), 'pullguard-caches-'));
    const { NODE_COMPILE_CACHE: _, ...environment } = process.env;
    const runs = await Promise.all(
      // no folder can be made in a file
      [caches, LAUNCHER].map((XDG_CACHE_HOME) =>
        start(['--version'], { environment: { ...environment, XDG_CACHE_HOME } }),
      ),
    );
    const kept = readdirSync(join(caches, 'pullguard'));
    rmSync(caches, { recursive: true });

    assert.deepEqual(
      runs.map(({ code, stderr }) => [code, stderr]),
      [
        [0, ''],
        [0, ''],
      ],
    );
    assert.notEqual(kept.length, 0);
  });

  it('leaves the folder alone that it is called in, whatever the environment says of caches', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'pullguard-here-'));
    const { NODE_COMPILE_CACHE: _, ...environment } = process.env;
    const run = await start(['--version'], {
      cwd,
      environment: { ...environment, XDG_CACHE_HOME: 'caches', HOME: cwd },
    });
    const left = readdirSync(cwd);
    rmSync(cwd, { recursive: true });

    assert.deepEqual([run.code, left], [0, ['.cache']]);
  });
});
