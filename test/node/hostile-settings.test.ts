import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseGoDuration } from '../../webhook/node/containerd/duration.ts';
import { memoryTree } from '../../webhook/node/file-tree.ts';
import { parseJson } from '../../webhook/node/mistakes/json.ts';
import { createPlanner } from '../../webhook/node/plan.ts';
import { EMPTY_SETUP, type NodeSetup } from '../../webhook/node/settings.ts';
import { parseRuntime } from '../../webhook/outcome/runtime.ts';
import { referenceTo } from './ask.ts';

const RUNTIMES = [
  'containerd@1.7',
  'containerd@2.1/transfer',
  'docker@28/graph',
  'docker@29/containerd',
  'crio@1.34',
].flatMap((text) => {
  const parsed = parseRuntime(text);
  return parsed.ok ? parsed.value : [];
});
const IMAGES = ['nginx', 'reg.example:5000/team/app:1', 'localhost:5000/app'].map(referenceTo);

/** One text in the place of every settings file. */
function setupOf(text: string): NodeSetup {
  const tree = memoryTree('certs.d', { '_default/hosts.toml': text, '_default/ca.crt': text });
  return {
    certsD: tree,
    docker: { daemonJson: { name: 'daemon.json', text }, certsD: tree },
    crio: {
      registriesConf: [{ name: 'registries.conf', text }],
      certsD: [tree],
      policyJson: { name: 'policy.json', text },
    },
    insecureRegistries: [text],
    authorities: [],
  };
}

function askAll(text: string): void {
  const { plan, problems } = createPlanner(setupOf(text));
  const plans = RUNTIMES.flatMap((runtime) => IMAGES.map((image) => plan(image, runtime)));
  for (const problem of [...problems, ...plans.flatMap((one) => one.problems)]) {
    assert.match(problem.reason, /^[\x20-\x7e]+$/u);
    assert.ok(problem.reason.length < 2000);
    assert.ok(problem.line === undefined || problem.line <= text.split('\n').length);
  }
  for (const one of plans) if (one.kind === 'refused') assert.match(one.reason, /^[\x20-\x7e]+$/u);
}

const word = fc.constantFrom(
  '[',
  ']',
  '[[',
  ']]',
  '{',
  '}',
  '=',
  ',',
  '.',
  ':',
  '"',
  "'",
  '"""',
  '\n',
  '#',
  '\\',
  '__proto__',
  'constructor',
  'host',
  'server',
  'ca',
  'client',
  'capabilities',
  '"pull"',
  'skip_verify',
  'true',
  'header',
  'dial_timeout',
  '"5s"',
  '[host."https://m.example"]',
  '[[registry]]',
  '[[registry.mirror]]',
  'location',
  'prefix',
  '"*.example"',
  'aliases',
  'unqualified-search-registries',
  '"docker.io"',
  '"insecure-registries"',
  '"registry-mirrors"',
  '["10.0.0.0/8"]',
  '1979-05-27',
  '\u00fc',
);

describe('settings files of anybody\u2019s writing', () => {
  it('never throw, whatever they hold', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary-ascii', maxLength: 200 }), askAll), { numRuns: 150 });
  });

  it('never throw when they are nearly right', () => {
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 25 }).map((words) => words.join(' ')),
        askAll,
      ),
      { numRuns: 300 },
    );
  });

  const long: readonly (readonly [name: string, text: string])[] = [
    ['brackets', '['.repeat(200_000)],
    ['braces in a value', `a = ${'{a='.repeat(50_000)}`],
    ['JSON lists', `{"a":${'['.repeat(200_000)}`],
    ['a long string', `{"a":"${'\\n'.repeat(200_000)}`],
    ['host headers', '[host."https://m"]\n'.repeat(5_000)],
    ['open host headers', '[host.'.repeat(50_000)],
    ['blanks', ' '.repeat(300_000)],
    ['dotted keys', `${'a.'.repeat(20_000)}b = 1`],
    ['digits', `dial_timeout = "${'1'.repeat(200_000)}"`],
    ['slashes', `server = "https://m/${'../'.repeat(60_000)}"`],
    ['registries', '[[registry]]\nprefix = "*.a"\nlocation = "b"\n'.repeat(5_000)],
    ['mirrors', `[[registry]]\nprefix = "reg.example:5000"\n${'[[registry.mirror]]\nlocation = "m"\n'.repeat(5_000)}`],
    ['search registries', `unqualified-search-registries = [${'"a.b",'.repeat(20_000)}]`],
    ['at signs', `server = "https://${'@'.repeat(200_000)}"`],
  ];
  for (const [name, text] of long) {
    it(`are read in time linear enough: ${name}`, { timeout: 20_000 }, () => {
      askAll(text);
    });
  }
});

describe('parseJson', () => {
  it('agrees with JSON.parse on what is JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const parsed = parseJson(text);

        assert.ok(parsed.ok);
        assert.deepEqual(parsed.value, JSON.parse(text));
      }),
      { numRuns: 200 },
    );
  });

  it('finds the place where a character was put into a document', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 20 }), fc.nat(), (numbers, seed) => {
        const at = seed % numbers.length;
        const lines = numbers.map((one, index) => (index === at ? `${one} ;` : `${one}`));
        const parsed = parseJson(`[\n${lines.join(',\n')}\n]`);

        assert.ok(!parsed.ok);
        assert.equal(parsed.error.line, at + 2);
      }),
      { numRuns: 200 },
    );
  });
});

describe('parseGoDuration', () => {
  const durations: readonly (readonly [text: string, ms: number | undefined])[] = [
    ['5s', 5000],
    ['1h2m3.5s', 3_723_500],
    ['300ms', 300],
    ['.5s', 500],
    ['1.s', 1000],
    ['-1.5h', -5_400_000],
    ['+2s', 2000],
    ['2us', 0.002],
    ['2\u00b5s', 0.002],
    ['0', 0],
    ['', undefined],
    ['5', undefined],
    ['s', undefined],
    ['.s', undefined],
    ['5 s', undefined],
    ['5S', undefined],
    ['1d', undefined],
    ['9999999h', undefined],
  ];
  for (const [text, ms] of durations) {
    it(`reads ${JSON.stringify(text)} as ${ms} ms`, () => {
      assert.equal(parseGoDuration(text), ms);
    });
  }
});

it('an empty setup has no mistakes', () => {
  assert.deepEqual(createPlanner(EMPTY_SETUP).problems, []);
});
