import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, symlink } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

type Instruction = { readonly name: string; readonly words: readonly string[]; readonly text: string };
type Copy = { readonly from: string | undefined; readonly sources: readonly string[]; readonly target: string };

/** The instructions of each stage. Continued lines are joined, comments dropped. */
function readStages(text: string): readonly (readonly Instruction[])[] {
  const lines = text
    .replaceAll(/^#.*\n/gmu, '')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: Instruction[][] = [];
  for (const line of lines) {
    const [name = '', ...words] = line.trim().split(/\s+/u);
    if (name === 'FROM') stages.push([]);
    stages.at(-1)?.push({ name, words, text: words.join(' ') });
  }
  return stages;
}

function readCopies(stage: readonly Instruction[]): readonly Copy[] {
  return stage
    .filter(({ name }) => name === 'COPY')
    .map(({ words }) => {
      const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
      const paths = words.filter((word) => !word.startsWith('--'));
      return { from, sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
    });
}

/** As COPY does it: a folder's content, or a file, into a target that ends with a slash. */
async function copy(source: string, target: string): Promise<void> {
  const isFolder = (await stat(source)).isDirectory();
  const place = isFolder ? target : join(target, source.slice(source.lastIndexOf('/') + 1));
  await mkdir(dirname(place), { recursive: true });
  // the one that is no slower than a copy has to be
  cpSync(source, place, { recursive: true, dereference: false });
}

describe('the image that deploy/Dockerfile describes', () => {
  let folder = '';
  let build: readonly Instruction[] = [];
  let final: readonly Instruction[] = [];
  let ignore = '';
  const image = (): string => join(folder, 'image');
  const words = (name: string): string =>
    final
      .filter((one) => one.name === name)
      .map(({ text }) => text)
      .join(' ');

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pullguard-image-'));
    const stages = readStages(await readFile(join(ROOT, 'deploy/Dockerfile'), 'utf8'));
    assert.equal(stages.length, 2);
    [build = [], final = []] = stages;
    ignore = await readFile(join(ROOT, '.dockerignore'), 'utf8');
    const place = join(folder, 'build');
    for (const { sources, target } of readCopies(build)) {
      for (const source of sources) await copy(join(ROOT, source), join(place, target));
    }
    // in the place of `npm ci`, which needs the network
    await symlink(join(ROOT, 'node_modules'), join(place, 'node_modules'));
    const compile = build.find(({ name, text }) => name === 'RUN' && text.includes('tsc'));
    assert.equal(compile?.text, 'node_modules/.bin/tsc -p tsconfig.build.json');
    // what is compiled stays the same, and `npm run types` has looked at the types
    const flags = ['-p', 'tsconfig.build.json', '--noCheck'];
    await run(join(place, 'node_modules/.bin/tsc'), flags, { cwd: place });
    for (const { from, sources, target } of readCopies(final)) {
      for (const source of sources) {
        if (source.includes('node_modules')) continue;
        await copy(
          from === undefined ? join(ROOT, source) : join(place, relative('/app', source)),
          join(image(), target),
        );
      }
    }
  });
  after(() => rm(folder, { recursive: true }));

  it('copies only what .dockerignore lets through', () => {
    const allowed = ignore
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const sources = [...readCopies(build), ...readCopies(final).filter(({ from }) => from === undefined)].flatMap(
      (one) => one.sources,
    );

    assert.ok(ignore.split('\n').includes('*'));
    for (const source of sources)
      assert.ok(
        allowed.some((one) => source === one || source.startsWith(`${one}/`)),
        source,
      );
    for (const one of allowed)
      assert.ok(
        sources.some((source) => source.startsWith(one)),
        `${one} is let through in vain`,
      );
  });
  it('holds every file that the program imports, and only packages that production has', async () => {
    const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const seen = new Set<string>();
    const missing: string[] = [];
    const follow = async (file: string): Promise<void> => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = await readFile(join(image(), file), 'utf8').catch(() => undefined);
      if (text === undefined) return void missing.push(file);
      for (const specifier of importsOf(text)) {
        if (specifier.startsWith('.')) await follow(join(dirname(file), specifier));
        else if (!isBuiltin(specifier) && !(packageOf(specifier) in dependencies))
          missing.push(`${file}: ${specifier}`);
      }
    };

    // the launcher takes the compiled program, as the sources are not in the image
    await follow('webhook/pullguard.js');
    await follow('dist/webhook/cli.js');

    assert.deepEqual(missing, []);
    assert.ok(seen.size > 10, 'the imports were followed');
    await assert.rejects(stat(join(image(), 'webhook/cli.ts')));
  });
  it('brings the packages that the lock file names, without development', () => {
    const installs = build.filter(({ name, text }) => name === 'RUN' && text.startsWith('npm ci'));

    assert.equal(installs.length, 2);
    assert.match(installs.at(-1)?.text ?? '', /--omit=dev/u);
    assert.ok(installs.every(({ text }) => text.includes('--ignore-scripts')));
    assert.match(words('COPY'), /--from=build \/app\/node_modules\/ \.\/node_modules\//u);
  });
  it('runs as nobody, with the entry point that it holds', async () => {
    const [, entry = ''] = JSON.parse(words('ENTRYPOINT')) as readonly string[];

    assert.equal(words('USER'), '65532:65532');
    assert.ok((await stat(join(image(), relative('/app', entry)))).isFile());
    assert.deepEqual(JSON.parse(words('CMD')), ['serve']);
    assert.match(words('ENV'), /\bNODE_ENV=production\b/u);
    assert.match(words('ENV'), /\bUV_THREADPOOL_SIZE=16\b/u);
    assert.equal(words('WORKDIR'), '/app');
  });
});

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** Static and dynamic imports with a literal; compiled by tsc, so in one form. */
function importsOf(text: string): readonly string[] {
  const found = text.matchAll(
    /^(?:import|export)\b[^'"]*?\bfrom\s+['"](?<from>[^'"]+)['"]|^import\s+['"](?<bare>[^'"]+)['"]|\bimport\(['"](?<dynamic>[^'"]+)['"]\)/gmu,
  );
  return [...found].flatMap(({ groups }) => groups?.['from'] ?? groups?.['bare'] ?? groups?.['dynamic'] ?? []);
}
