import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CHECK_DEFAULTS, chooseSetup } from '../../webhook/check/check-setup.ts';
import type { GivenPolicy } from '../../webhook/check/given-policy.ts';
import { readNodeFlags, type NodeFlags } from '../../webhook/check/node-flags.ts';
import type { NodeSetup } from '../../webhook/node/settings.ts';
import { readPolicy } from '../../webhook/policy/load.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'pullguard-settings-'));
  for (const name of ['a', 'b', 'drop-ins/nested.conf']) mkdirSync(join(folder, name), { recursive: true });
  for (const [name, text] of Object.entries({ '90.conf': 'late', '10.conf': 'early', 'README.md': 'no' })) {
    writeFileSync(join(folder, 'drop-ins', name), text);
  }
  writeFileSync(join(folder, 'registries.conf'), 'main');
  for (const name of ['large', 'closed', 'shut']) {
    mkdirSync(join(folder, name, 'reg.example'), { recursive: true });
    writeFileSync(join(folder, name, 'reg.example/hosts.toml'), name === 'large' ? '#'.repeat(1_100_000) : '');
  }
  chmodSync(join(folder, 'closed/reg.example/hosts.toml'), 0o000);
  chmodSync(join(folder, 'shut/reg.example'), 0o000);
});
after(() => {
  chmodSync(join(folder, 'shut/reg.example'), 0o700);
  rmSync(folder, { recursive: true });
});

function givenBy(text: string): GivenPolicy {
  const policy = readPolicy(text, 'policy.yaml');
  assert.ok(policy.ok);
  return { policy: policy.value, files: {}, missing: [] };
}

const IN_CI = { assumed: CHECK_DEFAULTS, reported: [] };

function setupFor(flags: NodeFlags, policyText?: string): NodeSetup {
  const choices = readNodeFlags(flags);
  assert.ok(choices.ok, choices.ok ? '' : choices.error.join('\n'));
  const setup = chooseSetup(choices.value, policyText === undefined ? undefined : givenBy(policyText), IN_CI);
  assert.ok(setup.ok, setup.ok ? '' : setup.error.join('\n'));
  return setup.value.setup;
}

const registriesOf = (setup: NodeSetup): readonly string[] =>
  setup.crio.registriesConf.map(({ name, text }) => `${name.slice(name.lastIndexOf('/') + 1)}: ${text}`);

describe('--certs-d', () => {
  it('is one folder', () => {
    const setup = setupFor({ certsD: join(folder, 'a') });

    assert.deepEqual([setup.certsD?.name, setup.configPath], [join(folder, 'a'), undefined]);
  });

  it('is a list with ":" in it, one of which may be missing', () => {
    const text = `${join(folder, 'a')}:${join(folder, 'missing')}`;
    const { configPath } = setupFor({ certsD: text });

    assert.equal(configPath?.text, text);
    assert.deepEqual(
      configPath.trees.map(({ name }) => name),
      [join(folder, 'a'), join(folder, 'missing')],
    );
  });

  const closed = join('closed', 'reg.example', 'hosts.toml');
  const unread: readonly (readonly [path: string, why: string, asRoot: boolean])[] = [
    ['registries.conf', 'a file, not a folder', true],
    [join('large', 'reg.example', 'hosts.toml'), 'larger than 1 MiB, as no settings file is', true],
    [closed, 'no permission to read it', false],
    [join('shut', 'reg.example'), 'no permission to read it', false],
  ];
  const isRoot = process.getuid?.() === 0;
  for (const [path, why, asRoot] of unread) {
    it(`is not judged by where it cannot all be read: ${path}: ${why}`, { skip: !asRoot && isRoot }, () => {
      const top = join(folder, path.split('/', 1)[0] ?? '');

      for (const [flag, flags] of Object.entries({
        'certs-d': { certsD: top },
        'docker-certs-d': { dockerCertsD: top },
      })) {
        const choices = readNodeFlags(flags);

        assert.deepEqual(choices.ok ? [] : choices.error, [`--${flag} ${join(folder, path)}: ${why}`]);
      }
    });
  }

  it('names a list without any folder', () => {
    const choices = readNodeFlags({ certsD: '/nowhere/a:/nowhere/b' });

    assert.deepEqual(choices.ok ? [] : choices.error, ['--certs-d /nowhere/a: no such folder']);
  });

  it('takes the place of what a policy declares', () => {
    const policy = 'nodes: {containerd: {configPath: "/a:/b", certsD: {reg.example/hosts.toml: ""}}}';
    const list = setupFor({}, policy);
    const single = setupFor({ certsD: join(folder, 'a') }, policy);

    assert.deepEqual(
      list.configPath?.trees.map((tree) => [tree.name, tree.list('')]),
      [
        ['/a', ['reg.example']],
        ['/b', undefined],
      ],
    );
    assert.deepEqual([single.configPath, single.certsD?.name], [undefined, join(folder, 'a')]);
  });
});

describe('--registries-conf-d', () => {
  const CRIO = { runtime: 'crio@1.34' };

  it('reads what ends in .conf by name, behind registries.conf, and nothing beneath', () => {
    const flags = {
      ...CRIO,
      registriesConf: join(folder, 'registries.conf'),
      registriesConfD: join(folder, 'drop-ins'),
    };

    assert.deepEqual(registriesOf(setupFor(flags)), ['registries.conf: main', '10.conf: early', '90.conf: late']);
  });

  it('takes the place of the drop-ins of a policy alone', () => {
    const policy = 'nodes: {crio: {registriesConf: theirs, registriesConfD: {z.conf: last, a.conf: first}}}';

    assert.deepEqual(registriesOf(setupFor(CRIO, policy)), [
      'registries.conf: theirs',
      'a.conf: first',
      'z.conf: last',
    ]);
    assert.deepEqual(registriesOf(setupFor({ ...CRIO, registriesConfD: join(folder, 'drop-ins') }, policy)), [
      'registries.conf: theirs',
      '10.conf: early',
      '90.conf: late',
    ]);
    assert.deepEqual(registriesOf(setupFor({ ...CRIO, registriesConf: join(folder, 'registries.conf') }, policy)), [
      'registries.conf: main',
      'a.conf: first',
      'z.conf: last',
    ]);
  });

  it('names a folder that is not there, and a runtime that reads none', () => {
    const missing = readNodeFlags({ registriesConfD: '/nowhere' });
    const choices = readNodeFlags({ registriesConfD: join(folder, 'drop-ins') });
    assert.ok(choices.ok);
    const setup = chooseSetup(choices.value, undefined, IN_CI);

    assert.deepEqual(missing.ok ? [] : missing.error, ['--registries-conf-d /nowhere: no such folder']);
    assert.match(setup.ok ? '' : setup.error.join(), /^--registries-conf-d: containerd does not read it/u);
  });
});
