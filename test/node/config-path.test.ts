import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryTree } from '../../webhook/node/file-tree.ts';
import type { NodeSetup } from '../../webhook/node/settings.ts';
import { planFor, summariesFor } from './ask.ts';

const DEFAULT = '/etc/containerd/certs.d:/etc/docker/certs.d';
const plain = (server: string): string => `server = "http://${server}"\n[host]\n`;

/** Containerd's own default since 2.2, over two folders. */
function listOf(
  containerd: Readonly<Record<string, string>>,
  docker: Readonly<Record<string, string>> = {},
): Partial<NodeSetup> {
  const trees = [memoryTree('/etc/containerd/certs.d', containerd), memoryTree('/etc/docker/certs.d', docker)];
  return { configPath: { text: DEFAULT, trees } };
}

describe('a config_path of two folders', () => {
  const IMAGE = 'reg.example:5000/app';
  const UNCONFIGURED = ['https://reg.example:5000/v2'];
  const first = { 'reg.example:5000/hosts.toml': plain('first.example') };
  const second = { 'reg.example:5000/hosts.toml': plain('second.example') };

  for (const runtime of ['containerd@1.7', 'containerd@2.0', 'containerd@2.1/local', 'containerd@2.4/local']) {
    it(`is read folder by folder by ${runtime}: the first that has the host wins`, () => {
      assert.deepEqual(summariesFor(IMAGE, runtime, listOf(first, second)), ['http://first.example/v2']);
      assert.deepEqual(summariesFor(IMAGE, runtime, listOf({}, second)), ['http://second.example/v2']);
      assert.deepEqual(summariesFor(IMAGE, runtime, listOf({})), UNCONFIGURED);
    });
  }

  it('takes _default of the first folder before the host of the second', () => {
    const setup = listOf({ '_default/hosts.toml': plain('any.example') }, second);

    assert.deepEqual(summariesFor(IMAGE, 'containerd@2.2/local', setup), ['http://any.example/v2']);
  });

  for (const runtime of ['containerd@2.1/transfer', 'containerd@2.2/transfer', 'containerd@2.4/transfer']) {
    it(`is lost on ${runtime}, which says so where somebody wrote settings for the host`, () => {
      const plan = planFor(IMAGE, runtime, listOf(first));

      assert.deepEqual(summariesFor(IMAGE, runtime, listOf(first)), UNCONFIGURED);
      assert.deepEqual(plan.problems, [
        {
          file: `config_path ${DEFAULT}`,
          line: undefined,
          reason:
            "containerd's transfer service takes the list for one folder: /etc/containerd/certs.d is ignored; set config_path to one folder",
        },
      ]);
      assert.deepEqual(planFor('other.example/app', runtime, listOf(first)).problems, []);
    });
  }
});
