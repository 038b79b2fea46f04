import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setupOf } from '../../webhook/engine/node-setup.ts';
import type { NodeSetup } from '../../webhook/node/settings.ts';
import { DEFAULT_POLICY } from '../../webhook/policy/load.ts';
import { refusalFor, summariesFor } from './ask.ts';

const CRIO = 'crio@1.34';
const MAIN = '/etc/containers/registries.conf';

/** As a policy declares them: the main file, and drop-ins in an order that is not that of their names. */
function declared(main: string, dropIns: Readonly<Record<string, string>> = {}, policyJson?: string): NodeSetup {
  const { nodes } = DEFAULT_POLICY;
  const crio = { ...nodes.crio, registriesConf: main, registriesConfD: dropIns, policyJson };
  return setupOf({ ...nodes, crio }, {});
}

const blocks = (location: string): string => `[[registry]]\nlocation = "${location}"\nblocked = true\n`;

describe('a rule of CRI-O that refuses', () => {
  it('is named with the file and the line of blocked', () => {
    const main = `# ours\n[[registry]]\nlocation = "reg.example"\n\n${blocks('docker.io')}`;
    const { file, rule } = refusalFor(
      'nginx',
      CRIO,
      declared(`unqualified-search-registries = ["docker.io"]\n${main}`),
    );

    assert.deepEqual([file, rule], [MAIN, { name: 'registry-blocked', subject: 'docker.io', line: 8 }]);
  });

  it('is that of the drop-in which said so last', () => {
    const setup = declared(blocks('docker.io'), {
      '90-late.conf': `\n${blocks('docker.io')}`,
      '10-early.conf': blocks('quay.io'),
    });

    const { file, rule } = refusalFor('docker.io/library/nginx', CRIO, setup);
    assert.deepEqual([file, rule?.line], [`${MAIN}.d/90-late.conf`, 4]);
    assert.equal(refusalFor('quay.io/app', CRIO, setup).file, `${MAIN}.d/10-early.conf`);
  });

  it('is taken back by a drop-in whose name comes later, but not by one that comes earlier', () => {
    const open = '[[registry]]\nlocation = "docker.io"\n';
    const late = { 'b.conf': open, 'a.conf': blocks('docker.io') };
    const early = { 'a.conf': open, 'b.conf': blocks('docker.io') };

    assert.deepEqual(summariesFor('docker.io/library/nginx', CRIO, declared('', late)), [
      'https://registry-1.docker.io/v2',
    ]);
    assert.equal(refusalFor('docker.io/library/nginx', CRIO, declared('', early)).file, `${MAIN}.d/b.conf`);
  });

  it('is written in any letter case', () => {
    const main = '[[Registry]]\nLocation = "docker.io"\nBlocked = true\n';

    assert.equal(refusalFor('docker.io/app/app', CRIO, declared(main)).rule?.name, 'registry-blocked');
  });

  it('has no line where it is not written as a table', () => {
    const inline = 'registry = [{ location = "docker.io", blocked = true }]';

    assert.deepEqual(refusalFor('docker.io/app/app', CRIO, declared(inline)).rule, {
      name: 'registry-blocked',
      subject: 'docker.io',
      line: undefined,
    });
  });

  it('is a policy.json that rejects a scope, or everything that it does not list', () => {
    const policy = `{
  "default": [{"type": "reject"}],
  "transports": {"docker": {
    "reg.example/team": [{"type": "insecureAcceptAnything"}],
    "reg.example": [
      {"type": "reject"}
    ]
  }}
}`;
    const setup = declared('', {}, policy);

    assert.deepEqual(refusalFor('reg.example/app', CRIO, setup).rule, {
      name: 'policy-rejects',
      subject: 'reg.example',
      line: 6,
    });
    assert.deepEqual(refusalFor('other.example/app', CRIO, setup).rule, {
      name: 'policy-rejects',
      subject: '',
      line: 2,
    });
    assert.deepEqual(summariesFor('reg.example/team/app', CRIO, setup), ['https://reg.example/v2']);
  });

  it('is a short name that no registry has, or too many', () => {
    const two = '\nunqualified-search-registries = ["a.example", "b.example"]\n';

    assert.deepEqual(refusalFor('app', CRIO, declared('# empty')).rule, {
      name: 'short-name-unresolved',
      subject: 'app:latest',
      line: undefined,
    });
    assert.deepEqual(refusalFor('app:1', CRIO, declared(two)).rule, {
      name: 'short-name-ambiguous',
      subject: 'app:1',
      line: 2,
      isAssumed: true,
    });
  });

  it('leaves a short name to the aliases of a drop-in', () => {
    const setup = declared('', { '000-shortnames.conf': '[aliases]\napp = "reg.example/team/app"\n' });

    assert.deepEqual(summariesFor('app', CRIO, setup), ['https://reg.example/v2']);
  });

  it('is not a file with a mistake, which the copy may have alone', () => {
    assert.equal(refusalFor('docker.io/app/app', CRIO, declared('[[registry]')).rule, undefined);
  });
});
