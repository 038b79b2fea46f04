import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runHere } from './run-here.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('the command line', () => {
  it('prints the help where nothing is asked for, with a way to start', async () => {
    const { code, stdout, stderr } = await runHere([]);

    assert.deepEqual([code, stderr], [0, '']);
    for (const word of ['check', 'scan', 'serve', 'demo', 'pullguard check nginx:1.27'])
      assert.ok(stdout.includes(word), word);
  });

  it('knows its version', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string };

    assert.deepEqual(await runHere(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
  });

  for (const command of ['check', 'scan', 'serve', 'demo']) {
    it(`explains ${command} by examples, no line of an option wider than 100 columns`, async () => {
      const { code, stdout, stderr } = await runHere([command, '--help']);

      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /Exit codes: 0|ends with 0/u);
      assert.deepEqual(
        stdout.split('\n').filter((line) => /^ +-/u.test(line) && line.length > 100),
        [],
      );
    });
  }

  for (const command of ['check', 'scan']) {
    it(`gives examples for ${command} that it can read`, async () => {
      const { stdout } = await runHere([command, '--help']);
      const flags = new Set(
        [...stdout.matchAll(/^ {2}(?:-\w, )?(?<flag>--[a-z-]+)/gmu)].map((match) => match.groups?.['flag']),
      );
      const used = stdout.split('Examples:')[1]?.match(/--[a-z-]+/gu) ?? [];

      assert.ok(used.length > 4);
      assert.deepEqual(
        used.filter((flag) => !flags.has(flag)),
        [],
      );
    });
  }

  const mistaken: readonly (readonly [args: string, line: string])[] = [
    ['--bogus', 'unknown option --bogus (see pullguard --help)'],
    ['chek', 'unknown command chek, did you mean check? (see pullguard --help)'],
    ['help bogus', 'there is no such command (see pullguard --help)'],
    ['check', 'nothing to check: name images, or manifests with -f (see pullguard check --help)'],
    ['check --bogus', 'unknown option --bogus (see pullguard check --help)'],
    ['check --outptu json', 'unknown option --outptu, did you mean --output? (see pullguard check --help)'],
    ['check nginx -f', '--filename needs a value: --filename <file> (see pullguard check --help)'],
    ['check nginx --timeout', '--timeout needs a value: --timeout <duration> (see pullguard check --help)'],
    ['check nginx --timeout 3', '--timeout "3": expected a duration above 0s, at most 24h, such as 30s, 500ms or 2m'],
    ['check -f /nowhere.yaml', '-f /nowhere.yaml: there is no such file or folder'],
    ['check nginx --kubeconfig /nowhere', '/nowhere cannot be read as a kubeconfig: there is no such file or folder'],
    ['scan now', 'pullguard scan takes no arguments, only options (see pullguard scan --help)'],
    ['scan --kubeconfig /nowhere', '/nowhere cannot be read as a kubeconfig: there is no such file or folder'],
    ['serve now', 'pullguard serve takes no arguments, only options (see pullguard serve --help)'],
    ['serve --no-kube=1', 'unknown option --no-kube=1, did you mean --no-kube? (see pullguard serve --help)'],
    ['demo --kep', 'unknown option --kep, did you mean --keep? (see pullguard demo --help)'],
    ['serve --no-kube --policy p.yaml', '--no-kube: no cluster keeps a certificate then, add --tls-cert and --tls-key'],
  ];
  for (const [args, line] of mistaken) {
    it(`answers "${args}" in one line, and ends with 2`, async () => {
      assert.deepEqual(await runHere(args.split(' ')), { code: 2, stdout: '', stderr: `pullguard: ${line}\n` });
    });
  }

  it('shows no control character that a command line holds', async () => {
    const { stderr } = await runHere(['check', '--\u001b[31mred\n']);

    assert.match(stderr, /^pullguard: unknown option --\?\[31mred \(see pullguard check --help\)\n$/u);
  });
});
