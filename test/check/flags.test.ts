import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { readAddHosts } from '../../webhook/add-host.ts';
import { CHECK_DEFAULTS, chooseSetup, type NodeHearsay } from '../../webhook/check/check-setup.ts';
import { readDockerConfig } from '../../webhook/check/docker-config.ts';
import { readManifestFiles } from '../../webhook/check/files.ts';
import { readCheckOptions } from '../../webhook/check/flags.ts';
import { readNodeFlags, type NodeFlags } from '../../webhook/check/node-flags.ts';
import { DEFAULT_POLICY, readPolicy } from '../../webhook/policy/load.ts';
import type { Policy } from '../../webhook/policy/policy.ts';

/** Some folder, all of which can be read. */
const FOLDER = import.meta.dirname;

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'pullguard-flags-'));
});
after(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function policyOf(text: string): Policy {
  const policy = readPolicy(text, 'policy.yaml');
  assert.ok(policy.ok);
  return policy.value;
}

const whole = (policy: Policy) => ({ policy, files: {}, missing: [] });

const IN_CI: NodeHearsay = { assumed: CHECK_DEFAULTS, reported: [] };

function chosen(flags: NodeFlags, given?: Parameters<typeof chooseSetup>[1], hearsay: Partial<NodeHearsay> = {}) {
  const choices = readNodeFlags(flags);
  assert.ok(choices.ok, choices.ok ? '' : choices.error.join('\n'));
  const setup = chooseSetup(choices.value, given, { ...IN_CI, ...hearsay });
  assert.ok(setup.ok, setup.ok ? '' : setup.error.join('\n'));
  return setup.value;
}

const mistakesOf = (read: { ok: true } | { ok: false; error: readonly string[] }): readonly string[] =>
  read.ok ? [] : read.error;

describe('the flags of check', () => {
  it('have the defaults of CI', () => {
    const options = readCheckOptions({});
    const { policy, setup } = chosen({});

    assert.deepEqual(options.ok && options.value, {
      failOn: 'deny',
      timeoutMs: 30_000,
      hosts: new Map(),
      verify: 'headers',
      explains: false,
      output: 'table',
      namespace: undefined,
      serviceAccount: 'default',
    });
    const { runtimes, settings, credentialProviders, platforms } = policy.nodes;
    assert.deepEqual(
      { runtimes, settings, credentialProviders, platforms },
      {
        runtimes: ['containerd@2.1/transfer'],
        settings: 'complete',
        credentialProviders: 'none',
        platforms: { list: [], isExhaustive: false },
      },
    );
    assert.equal(setup.certsD, undefined);
  });

  const mistaken: readonly (readonly [flags: Parameters<typeof readCheckOptions>[0], line: string])[] = [
    [{ output: 'jsn' }, '--output "jsn": expected table, json, sarif or junit, did you mean json?'],
    [{ output: '' }, '--output "": expected table, json, sarif or junit'],
    [{ failOn: 'never' }, '--fail-on "never": expected deny or warn'],
    [{ verify: 'layers' }, '--verify "layers": expected headers or content'],
    [{ timeout: '30' }, '--timeout "30": expected a duration above 0s, at most 24h, such as 30s, 500ms or 2m'],
    [{ timeout: '0s' }, '--timeout "0s": expected a duration above 0s, at most 24h, such as 30s, 500ms or 2m'],
    [{ timeout: '25h' }, '--timeout "25h": expected a duration above 0s, at most 24h, such as 30s, 500ms or 2m'],
    [{ namespace: '../a' }, '--namespace "../a": expected the name of a namespace'],
    [{ serviceAccount: 'A' }, '--service-account "A": expected the name of a ServiceAccount'],
    [
      { addHost: ['reg:1.2.3'] },
      '--add-host "reg:1.2.3": expected NAME:IP, for example reg.example:10.0.0.7 or reg.example:[fd00::7]',
    ],
    [
      { dockerConfig: 'a', serviceAccount: 'b' },
      '--docker-config and --service-account: both give the logins of the same images, keep one of them',
    ],
  ];
  for (const [flags, line] of mistaken) {
    it(`name a mistake: ${line}`, () => {
      assert.deepEqual(mistakesOf(readCheckOptions(flags)), [line]);
    });
  }

  const mistakenNodes: readonly (readonly [flags: NodeFlags, line: RegExp])[] = [
    [{ runtime: 'contained' }, /^--runtime "contained" is no runtime: expected containerd/u],
    [{ nodes: 'all' }, /^--nodes "all": expected complete or partial$/u],
    [{ platform: ['linux/amd64,linux'] }, /^--platform "linux" is no platform: expected os\/arch/u],
    [{ credentialProviders: ['none', '*.gcr.io'] }, /^--credential-providers none stands alone/u],
    [
      { credentialProviders: ['https://gcr.io'] },
      /^--credential-providers "https:\/\/gcr\.io": expected none, possible or a host such as \*\.gcr\.io$/u,
    ],
    [
      { credentialProviders: ['gcr.[io'] },
      /^--credential-providers "gcr\.\[io": expected none, possible or a host such as \*\.gcr\.io$/u,
    ],
    [{ certsD: '/nowhere' }, /^--certs-d \/nowhere: no such folder$/u],
    [{ dockerDaemon: '/nowhere' }, /^--docker-daemon \/nowhere: there is no such file or folder$/u],
    [{ registriesConf: tmpdir() }, /^--registries-conf .*: it is a folder$/u],
    [{ policy: '/nowhere' }, /^--policy \/nowhere: there is no such file or folder$/u],
  ];
  for (const [flags, line] of mistakenNodes) {
    it(`name a mistake about the nodes: ${line.source}`, () => {
      const [first = '', ...more] = mistakesOf(readNodeFlags(flags));

      assert.match(first, line);
      assert.deepEqual(more, []);
    });
  }

  it('report every mistake of all flags and of the policy file together', () => {
    const policy = write('bad.yaml', 'mod: warn\nmode: loud\n');

    const found = mistakesOf(readNodeFlags({ policy, runtime: 'x', nodes: 'y', platform: ['z'] }));

    assert.equal(found.length, 5);
    assert.ok(found.includes(`${policy}:1: mod: unknown key, did you mean "mode"?`));
  });

  it('take lists by repetition and by commas', () => {
    const { policy } = chosen({
      platform: ['linux/amd64,linux/aarch64', 'windows/amd64'],
      credentialProviders: ['*.gcr.io, *.azurecr.io', 'quay.io'],
    });

    assert.deepEqual(policy.nodes.platforms, {
      list: ['linux/amd64', 'linux/arm64', 'windows/amd64'],
      isExhaustive: true,
    });
    assert.deepEqual(policy.nodes.credentialProviders, ['*.gcr.io', '*.azurecr.io', 'quay.io']);
  });

  it('stand above the policy, and the policy above the defaults', () => {
    const given = policyOf('nodes: { runtime: crio, settings: partial, credentialProviders: possible }');

    const alone = chosen({}, whole(given)).policy.nodes;
    const over = chosen({ runtime: 'docker@28.5', nodes: 'complete', credentialProviders: ['none'] }, whole(given));

    assert.deepEqual([alone.runtimes, alone.settings, alone.credentialProviders], [['crio'], 'partial', 'possible']);
    const { runtimes, settings, credentialProviders } = over.policy.nodes;
    assert.deepEqual([runtimes, settings, credentialProviders], [['docker@28.5'], 'complete', 'none']);
  });

  it('do not take the declared files for all where the policy names some that are not at hand', () => {
    const policy = policyOf('nodes: { settings: complete, containerd: { certsDFrom: { configMap: hosts } } }');
    const given = { policy, files: {}, missing: ['ConfigMap hosts'] };

    assert.equal(chosen({}, given).policy.nodes.settings, 'partial');
    assert.equal(chosen({ certsD: folder }, given).policy.nodes.settings, 'complete');
    assert.equal(chosen({ nodes: 'complete' }, given).policy.nodes.settings, 'complete');
  });

  const reports: readonly (readonly [
    what: string,
    policy: string | undefined,
    flags: NodeFlags,
    reported: readonly string[],
    runtimes: readonly string[],
  ])[] = [
    ['nothing: the assumption of check', undefined, {}, [], ['containerd@2.1/transfer']],
    ['a runtime, in place of the assumption', undefined, {}, ['docker://28.5.2'], ['docker@28.5']],
    ['a runtime, where the policy leaves it open', '', {}, ['cri-o://1.34.0'], ['crio@1.34']],
    ['a runtime, and the policy another', 'nodes: { runtime: docker }', {}, ['cri-o://1.34.0'], ['docker']],
    ['a runtime, and the flag another', '', { runtime: 'crio' }, ['docker://28.5.2'], ['crio']],
    ['what is not understood: anything is possible', undefined, {}, ['frakti://1'], DEFAULT_POLICY.nodes.runtimes],
  ];
  for (const [what, policy, flags, reported, runtimes] of reports) {
    it(`go with the runtime where Nodes report ${what}`, () => {
      const given = policy === undefined ? undefined : whole(policyOf(policy));

      assert.deepEqual(chosen(flags, given, { reported }).policy.nodes.runtimes, runtimes);
    });
  }

  const unread: readonly (readonly [flags: NodeFlags, line: string, reported?: readonly string[]])[] = [
    [{ dockerCertsD: FOLDER }, '--docker-certs-d: containerd does not read it; add --runtime docker or --runtime crio'],
    [{ certsD: FOLDER, runtime: 'crio' }, '--certs-d: crio does not read it; add --runtime containerd'],
    [
      { certsD: FOLDER },
      '--certs-d: docker, which the Nodes report, does not read it; add --runtime containerd',
      ['docker://28.5.2'],
    ],
  ];
  for (const [flags, line, reported = []] of unread) {
    it(`refuse a file that no runtime in question reads: ${line}`, () => {
      const choices = readNodeFlags(flags);
      assert.ok(choices.ok);

      assert.deepEqual(mistakesOf(chooseSetup(choices.value, undefined, { ...IN_CI, reported })), [line]);
    });
  }
});

describe('--add-host', () => {
  it('takes IPv4, IPv6 with and without brackets, and more than one address a name', () => {
    const hosts = readAddHosts(['reg:10.0.0.7', 'reg:fd00::7', 'six:[::1]', 'other=127.0.0.1', 'Reg.Example:10.0.0.8']);

    assert.deepEqual(hosts.ok && [...hosts.value], [
      ['reg', ['10.0.0.7', 'fd00::7']],
      ['six', ['::1']],
      ['other', ['127.0.0.1']],
      ['Reg.Example', ['10.0.0.8']],
      ['reg.example', ['10.0.0.8']],
    ]);
  });

  for (const text of [
    '',
    'reg',
    'reg:',
    ':10.0.0.7',
    'reg:5000:10.0.0.7',
    'reg:host',
    'reg:1.2.3.4 ',
    'a b:1.2.3.4',
    '-reg:1.2.3.4',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(mistakesOf(readAddHosts([text])).length, 1);
    });
  }
});

describe('the files of check', () => {
  async function* stdin(text: string) {
    yield Buffer.from(text);
  }
  const read = async (...names: readonly string[]) => readManifestFiles(names, stdin('from stdin'));

  it('are a file, standard input once, and all that is in a folder, but for what is hidden or installed', async () => {
    for (const name of ['b.yml', 'a/c.json', 'a/d.txt', '.git/e.yaml', 'node_modules/f.yaml'])
      write(`tree/${name}`, name);
    const single = write('single', 'single');

    const files = await read(single, '-', join(folder, 'tree'), '-');

    assert.deepEqual(files.ok && files.value.map(({ name, text, isNamed }) => [name, text, isNamed]), [
      [single, 'single', true],
      ['-', 'from stdin', true],
      [join(folder, 'tree/a/c.json'), 'a/c.json', false],
      [join(folder, 'tree/b.yml'), 'b.yml', false],
    ]);
  });

  it('are named where they cannot be read, all of them', async () => {
    const closed = write('closed.yaml', '');
    chmodSync(closed, 0o000);
    mkdirSync(join(folder, 'empty'));
    const isRoot = process.getuid?.() === 0;

    const found = mistakesOf(await read('/nowhere.yaml', join(folder, 'empty'), ...(isRoot ? [] : [closed])));

    assert.deepEqual(found, [
      '-f /nowhere.yaml: there is no such file or folder',
      `-f ${join(folder, 'empty')}: the folder has no .yaml, .yml or .json file`,
      ...(isRoot ? [] : [`-f ${closed}: no permission to read it`]),
    ]);
  });

  it('are no binaries, from standard input neither', async () => {
    const binary = write('image.yaml', Buffer.from([0x6b, 0x69, 0x6e, 0x64, 0xff, 0xfe]));

    assert.deepEqual(mistakesOf(await read(binary)), [`-f ${binary}: it is no text in UTF-8`]);
    assert.deepEqual(mistakesOf(await readManifestFiles(['-'], Readable.from([Buffer.from([0xc3])]))), [
      '-f -: it is no text in UTF-8',
    ]);
  });

  it('end somewhere', { skip: !existsSync('/dev/zero') && 'needs /dev/zero' }, async () => {
    assert.deepEqual(mistakesOf(await read('/dev/zero')), [
      '-f /dev/zero: it is larger than 64 MiB, as no manifest or settings file is',
    ]);
  });
});

describe('--docker-config', () => {
  const malformed: readonly (readonly [text: string, line: RegExp])[] = [
    ['', /: is empty$/u],
    ['{"auths": ', /: is not valid JSON$/u],
    ['[]', /: .*cannot unmarshal array/u],
    ['{"auths": {"reg": {"auth": "secret!"}}}', /: .*illegal base64/u],
  ];
  for (const [text, line] of malformed) {
    it(`refuses ${JSON.stringify(text)} in one line without its content`, () => {
      const path = write('config.json', text);

      const config = readDockerConfig(path);

      assert.ok(!config.ok);
      assert.ok(config.error.startsWith(`--docker-config ${path}: `), config.error);
      assert.match(config.error, line);
      assert.ok(!config.error.includes('secret!'));
    });
  }

  it('says that the logins of a credential helper are not used', () => {
    const config = readDockerConfig(write('config.json', '{"auths": {"reg": {}}, "credsStore": "desktop"}'));

    assert.match(
      (config.ok && config.value.notice) || '',
      /^--docker-config .*credential helper \(credsStore, credHelpers\)/u,
    );
    const plain = readDockerConfig(write('config.json', '{"auths": {}}'));
    assert.equal(plain.ok && plain.value.notice, undefined);
  });
});
