import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { packageOf } from '../support/house-rules.ts';
import { readSourceCode } from '../support/source-code.ts';

const ROOT = join(import.meta.dirname, '../..');
/** What `npm pack` has of a checkout; the rest is not for the package. */
const SOURCES = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'webhook', 'certs', 'deploy', 'test/support'];
const run = promisify(execFile);

type PackageFile = {
  readonly version: string;
  readonly bin: { readonly pullguard: string };
  readonly dependencies: Readonly<Record<string, string>>;
};
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageFile;

let folder = '';
/** The package where npm would put it: nothing else is around but what it depends on. */
let installed = '';
let files: readonly string[] = [];
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pullguard-package-'));
  const checkout = join(folder, 'checkout');
  for (const name of [...SOURCES, ...globSync(['*.md', 'LICENSE'], { cwd: ROOT })]) {
    cpSync(join(ROOT, name), join(checkout, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
  // what is compiled stays the same, and `npm run types` has looked at the types
  const build = JSON.parse(readFileSync(join(ROOT, 'tsconfig.build.json'), 'utf8')) as {
    readonly compilerOptions: object;
  };
  const compilerOptions = { ...build.compilerOptions, noCheck: true };
  writeFileSync(join(checkout, 'tsconfig.build.json'), JSON.stringify({ ...build, compilerOptions }));
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: checkout });
  const modules = join(folder, 'project/node_modules');
  installed = join(modules, 'pullguard');
  mkdirSync(installed, { recursive: true });
  await run('tar', [
    '-xzf',
    join(folder, `pullguard-${manifest.version}.tgz`),
    '-C',
    installed,
    '--strip-components=1',
  ]);
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  mkdirSync(join(modules, '.bin'));
  symlinkSync(join(installed, manifest.bin.pullguard), join(modules, '.bin/pullguard'));
  files = globSync('**/*.*', { cwd: installed });
});
after(() => rmSync(folder, { recursive: true }));

describe('the package', () => {
  it('runs in an empty folder, from compiled sources, and knows its version', async () => {
    const launcher = join(folder, 'project/node_modules/.bin/pullguard');
    const check = run(process.execPath, [launcher, 'check', 'Nginx', '-o', 'sarif'], { cwd: folder });

    await assert.rejects(check, (error: { code: number; stdout: string; stderr: string }) => {
      assert.deepEqual([error.code, error.stderr], [1, '']);
      assert.ok(error.stdout.includes('"ruleId": "invalid-reference"'));
      assert.ok(error.stdout.includes(`"version": "${manifest.version}"`));
      return true;
    });
  });

  it('holds what is run and what is installed, and neither sources nor tests', () => {
    for (const name of [
      'webhook/pullguard.js',
      'dist/webhook/cli.js',
      'dist/webhook/main.js',
      'dist/certs/authority.js',
      'deploy/install.yaml',
      'deploy/policy.schema.json',
      'deploy/policies/production.yaml',
      'README.md',
      'CHANGELOG.md',
    ]) {
      assert.ok(files.includes(name), name);
    }
    assert.deepEqual(
      files.filter((name) => /\.ts$|\.map$|(?:^|\/)test\//u.test(name)),
      [],
    );
  });

  it('imports only what is in it, or what it depends on', () => {
    const compiled = files.filter((name) => name.startsWith('dist/'));
    const problems = compiled.flatMap((name) =>
      readSourceCode(readFileSync(join(installed, name), 'utf8')).imports.flatMap((specifier) => {
        if (specifier.startsWith('node:')) return [];
        const isThere = specifier.startsWith('.')
          ? compiled.includes(join(dirname(name), specifier))
          : Object.hasOwn(manifest.dependencies, packageOf(specifier));
        return isThere ? [] : [`${name}: ${specifier}`];
      }),
    );

    assert.ok(compiled.length > 100);
    assert.deepEqual(problems, []);
  });
});
