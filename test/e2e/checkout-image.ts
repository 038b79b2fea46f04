import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { succeeded, type Cluster } from './cluster.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/**
 * Puts an image of this checkout into the node's store under `name`, with what deploy/Dockerfile puts into it: the
 * compiled program and the production packages, on Node and the libraries that it is linked with instead of a base image.
 */
export async function importCheckout(cluster: Cluster, name: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pullguard-e2e-image-'));
  try {
    const stage = join(folder, 'root');
    await stageNode(stage);
    await stageProgram(join(stage, 'app'));
    const archive = join(folder, 'image.tar');
    const environment = ['NODE_ENV=production', 'UV_THREADPOOL_SIZE=16'].flatMap((variable) => ['-env', variable]);
    const entrypoint = '/bin/node,/app/webhook/pullguard.js';
    const packed = ['-entrypoint', entrypoint, '-user', '65532:65532', ...environment, stage, name, archive];
    succeeded('pack', await cluster.run('pack', packed));
    succeeded('ctr images import', await cluster.run('ctr', ['images', 'import', archive]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Node's own binary, with the loader and the libraries at the places where it looks for them. */
async function stageNode(stage: string): Promise<void> {
  const { stdout } = await run('ldd', [process.execPath]);
  const libraries = [...stdout.matchAll(/(?:=> |^\s*)(?<path>\/\S+) \(0x/gmu)].map(
    ({ groups }) => groups?.['path'] ?? '',
  );
  if (libraries.length === 0) throw new Error(`ldd names no library of ${process.execPath}: ${stdout}`);
  await copy(process.execPath, join(stage, 'bin/node'));
  for (const library of libraries) await copy(library, join(stage, library));
}

async function stageProgram(app: string): Promise<void> {
  await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json', '--outDir', join(app, 'dist')], {
    cwd: ROOT,
  });
  for (const file of ['package.json', 'webhook/pullguard.js', ...(await productionPackages())]) {
    await copy(join(ROOT, file), join(app, file));
  }
}

/** `node_modules/undici`, ...: what `npm ci --omit=dev` would install, by the lock file. */
async function productionPackages(): Promise<readonly string[]> {
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev, optional }]) => path !== '' && dev !== true && optional !== true)
    .map(([path]) => path);
}

/** Packages within packages have their own line in the lock file; types and maps are for people who build. */
async function copy(from: string, to: string): Promise<void> {
  const isWanted = (path: string): boolean =>
    path === from || (basename(path) !== 'node_modules' && !/\.(?:d\.[cm]?ts|map)$/u.test(path));
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { recursive: true, dereference: true, filter: isWanted });
}
