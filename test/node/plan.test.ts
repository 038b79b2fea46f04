import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { diskTree, memoryTree } from '../../webhook/node/file-tree.ts';
import { createPlanner } from '../../webhook/node/plan.ts';
import { EMPTY_SETUP } from '../../webhook/node/settings.ts';
import { createAuthority } from '../support/pki.ts';
import { endpointsFor, summariesFor } from './ask.ts';

const EVERY_RUNTIME = [
  'containerd@1.7',
  'containerd@2.1/transfer',
  'docker@28.5/graph',
  'docker@29/containerd',
  'crio@1.34',
];

describe('the shorthand of a policy', () => {
  for (const runtime of EVERY_RUNTIME) {
    it(`allows plain HTTP for its hosts on ${runtime}`, () => {
      const setup = { insecureRegistries: ['reg.example:5000', '10.0.0.0/8'] };

      assert.deepEqual(summariesFor('reg.example:5000/app', runtime, setup), [
        'https-then-http://reg.example:5000/v2 unverified',
      ]);
      assert.deepEqual(summariesFor('10.2.3.4/app', runtime, setup), ['https-then-http://10.2.3.4/v2 unverified']);
      assert.deepEqual(summariesFor('reg.example/app', runtime, setup), ['https://reg.example/v2']);
      assert.equal(endpointsFor('10.2.3.4/app', runtime, setup)[0]?.declaredBy, 'nodes.insecureRegistries');
    });

    it(`trusts its authorities for every host on ${runtime}`, () => {
      const setup = { authorities: ['PEM 1', 'PEM 2'] };

      assert.deepEqual(endpointsFor('reg.example/app', runtime, setup)[0]?.tls.authorities, ['PEM 1', 'PEM 2']);
    });
  }

  it('keeps what hosts.toml declares as plain HTTP', () => {
    const certsD = memoryTree('certs.d', { 'reg.example/hosts.toml': 'server = "http://reg.example"' });

    assert.deepEqual(
      summariesFor('reg.example/app', 'containerd@2.1/local', { certsD, insecureRegistries: ['reg.example'] }),
      ['http://reg.example/v2 unverified'],
    );
  });

  it('reports what is neither host nor CIDR', () => {
    const { problems } = createPlanner({
      ...EMPTY_SETUP,
      insecureRegistries: ['reg.example', 'reg.example/team', '10.0.0.0/40'],
    });

    assert.deepEqual(
      problems.map(({ reason }) => reason),
      [
        'expected host[:port] or CIDR, not "reg.example/team"; it is left out',
        'expected host[:port] or CIDR, not "10.0.0.0/40"; it is left out',
      ],
    );
  });
});

describe('the mistakes that a planner reports at the start', () => {
  it('are those of every file, and none where nothing is declared', () => {
    const { problems } = createPlanner({
      ...EMPTY_SETUP,
      certsD: memoryTree('certs.d', {
        'a.example/hosts.toml': 'skip_verify = 1\n',
        'b.example/hosts.toml': 'ca = "missing.crt"\n',
        'c.example/hosts.toml': 'server = "http://c.example"\n',
      }),
      docker: { daemonJson: { name: 'daemon.json', text: '{' }, certsD: undefined },
      crio: { registriesConf: [{ name: 'registries.conf', text: '=' }], certsD: [], policyJson: undefined },
    });

    assert.deepEqual(
      problems.map(({ file, line }) => [file, line]),
      [
        ['daemon.json', 1],
        ['registries.conf', 1],
        ['certs.d/a.example/hosts.toml', 1],
        ['certs.d/b.example/missing.crt', undefined],
      ],
    );
    assert.deepEqual(createPlanner(EMPTY_SETUP).problems, []);
  });
});

describe('a certs.d on disk', () => {
  let root = '';
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'certs-d-'));
  });
  after(() => rmSync(root, { recursive: true }));

  it('is read at each question, and an empty folder shadows _default', () => {
    const ca = createAuthority().certificate;
    mkdirSync(join(root, 'reg.example:5000'));
    mkdirSync(join(root, 'empty.example'));
    mkdirSync(join(root, '_default'));
    writeFileSync(join(root, 'absolute.pem'), ca);
    writeFileSync(join(root, '_default', 'hosts.toml'), '[host."https://mirror.example"]\n');
    writeFileSync(join(root, 'reg.example:5000', 'hosts.toml'), `ca = "${join(root, 'absolute.pem')}"\n`);
    const setup = { certsD: diskTree(root) };

    const [own] = endpointsFor('reg.example:5000/app', 'containerd@2.1/transfer', setup);
    assert.deepEqual(own?.tls.authorities, [ca]);
    assert.equal(own?.declaredBy, join(root, 'reg.example:5000', 'hosts.toml'));
    assert.deepEqual(summariesFor('empty.example/app', 'containerd@2.1/transfer', setup), ['https://empty.example/v2']);
    assert.deepEqual(summariesFor('nginx', 'containerd@2.1/transfer', setup), [
      'https://mirror.example/v2',
      'https://registry-1.docker.io/v2',
    ]);

    writeFileSync(join(root, '_default', 'hosts.toml'), '[host."https://second.example"]\n');
    assert.equal(summariesFor('nginx', 'containerd@2.1/transfer', setup)[0], 'https://second.example/v2');
  });
});
