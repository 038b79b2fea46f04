import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { brokenRules, isEmptyName, packageOf, PACKAGES, SINGLE_FILE_PACKAGES } from './support/house-rules.ts';
import { readSourceCode } from './support/source-code.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const files = globSync('{webhook,certs}/**/*.{ts,js}', { cwd: root }).toSorted();

describe('the house', () => {
  it('is kept: who imports whom, which package lives where, who touches process', () => {
    assert.ok(files.includes('webhook/image/reference.ts'));
    assert.deepEqual(
      files.flatMap((path) => brokenRules(path, read(path))),
      [],
    );
  });

  for (const name of SINGLE_FILE_PACKAGES) {
    it(`has ${name} in one file`, () => {
      const users = files.filter((path) => readSourceCode(read(path)).imports.some((one) => packageOf(one) === name));

      assert.equal(users.length, 1, users.join(', '));
    });
  }

  it('has no test file that is named after nothing', () => {
    assert.deepEqual(globSync('test/**/*.ts', { cwd: root }).filter(isEmptyName), []);
  });

  it('gives each runtime dependency a place and its reason in CONTRIBUTING.md', () => {
    const manifest = JSON.parse(read('package.json')) as { readonly dependencies: Readonly<Record<string, string>> };
    const dependencies = Object.keys(manifest.dependencies).toSorted();
    const [, chapter = ''] = read('CONTRIBUTING.md').split(/^## Dependencies$/mu);
    const explained = [...chapter.matchAll(/^\| `(?<name>[^`]+)` +\| [^|]{10,}\|/gmu)];

    assert.deepEqual(Object.keys(PACKAGES).toSorted(), dependencies);
    assert.deepEqual(explained.map((row) => row.groups?.['name'] ?? '').toSorted(), dependencies);
  });
});

describe('the import rules', () => {
  const cases: readonly (readonly [path: string, source: string, broken: RegExp | undefined])[] = [
    ['webhook/outcome/a.ts', "import type { Digest } from '../image/digest.ts';", undefined],
    ['webhook/image/a.ts', "import type { Outcome } from '../outcome/outcome.ts';", /image must not know outcome/u],
    ['webhook/image/a.ts', "import { createHash } from 'node:crypto';", /pure values/u],
    [
      'webhook/registry/a.ts',
      "import {\n  type Endpoint,\n} from '../node/endpoint.ts';",
      /registry must not know node/u,
    ],
    ['webhook/registry/a.ts', "export * from '../kube/secrets.ts';", /registry must not know kube/u],
    ['webhook/kube/a.ts', "import '../credentials/match.ts';", /kube must not know credentials/u],
    ['webhook/pull/a.ts', "const later = await import('../kube/api.ts');", /pull must not know kube/u],
    ['webhook/pull/a.ts', 'const later = await import(name);', /not written as a plain text/u],
    ['webhook/pullguard.js', 'const later = await import(name);', undefined],
    ['webhook/pull/a.ts', 'const later = await import(`../kube/api.ts`);', /not written as a plain text/u],
    ['webhook/node/crio/a.ts', "import { join } from '../../pull/predict.ts';", /node must not know pull/u],
    ['webhook/node/crio/a.ts', "import { parseHost } from '../host.ts';", undefined],
    ['webhook/admission/a.ts', "import { api } from '../kube/api.ts';", /admission must not know kube/u],
    ['webhook/engine/a.ts', "import { api } from '../kube/api.ts';", /engine must not know kube/u],
    ['certs/store.ts', "import { createApi } from '../webhook/kube/api.ts';", undefined],
    ['certs/store.ts', "import { review } from '../webhook/admission/review.ts';", /certs must not know admission/u],
    ['webhook/demo/a.ts', "import { main } from '../main.ts';", /demo must not know main\.ts/u],
    ['webhook/demo/a.ts', "import { createAuthority } from '../../certs/authority.ts';", undefined],
    ['webhook/demo/a.ts', "import { pki } from '../../test/support/pki.ts';", /outside webhook/u],
    ['webhook/garage/a.ts', 'export const a = 1;', /garage has no import rule/u],
    ['webhook/pull/a.ts', "import { parse } from '../image/reference';", /without its extension/u],
    ['webhook/registry/client.ts', "import { request } from 'undici';", /undici, which belongs to/u],
    ['webhook/registry/transport.ts', "import { request } from 'undici';", undefined],
    ['webhook/main.ts', "import express from 'express';", /express, which belongs to/u],
    ['webhook/http/a.ts', "import got from 'got';", /got, which has no place/u],
    ['webhook/kube/a.ts', "import { V1Pod } from '@kubernetes/client-node/dist/gen.js';", undefined],
    ['webhook/outcome/a.ts', "import pLimit from 'p-limit';", /pure values/u],
    ['webhook/http/a.ts', 'const port = process.env.PORT;', /touches process/u],
    ['webhook/http/a.ts', "const port = process['env'];", /touches process/u],
    ['webhook/http/a.ts', "import { env } from 'node:process';", /node:process/u],
    ['webhook/http/a.ts', 'const text = `${process.pid}`;', /touches process/u],
    [
      'webhook/http/a.ts',
      "// process.env\nconst text = 'process.env'; /* process.on */ child.process.kill;",
      undefined,
    ],
    ['webhook/http/a.ts', 'const quote = /["\'`]/u; const text = "process.env"; const half = 4 / 2;', undefined],
    ['webhook/http/a.ts', 'const text = `a ${one({ b: `process.env ${two}` })} process.env`;', undefined],
    ['webhook/http/a.ts', 'const said = "import x from \'../kube/api.ts\'";', undefined],
    ['webhook/http/a.ts', "const bytes = Buffer.from('404'); const list = Array.from ('ab');", undefined],
    ['webhook/main.ts', 'process.exitCode = 1;', undefined],
    ['webhook/http/a.ts', 'export default 1;', /default export/u],
    ['webhook/http/a.ts', 'export { a as default };', /default export/u],
    ['webhook/http/utils.ts', '', /says nothing/u],
    ['webhook/http/string-helpers.ts', '', /says nothing/u],
    ['webhook/common/a.ts', '', /says nothing/u],
    ['webhook/image/media-type.ts', '', undefined],
  ];
  for (const [path, source, broken] of cases) {
    it(`${broken === undefined ? 'allow' : 'forbid'} in ${path}: ${source.replaceAll('\n', ' ')}`, () => {
      const problems = brokenRules(path, source).join('\n');

      if (broken === undefined) assert.equal(problems, '');
      else assert.match(problems, broken);
    });
  }
});
