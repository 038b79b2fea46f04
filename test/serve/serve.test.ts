import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readConfig, readSettings } from '../../webhook/config.ts';
import { serve } from '../../webhook/main.ts';
import { runHere } from '../cli/run-here.ts';
import { startFakeApi, type FakeApi } from '../kube/fake-api.ts';
import { createServeFolder, LOOPBACK } from './folder.ts';

const folder = createServeFolder();
const [, cert, , key] = folder.certificate;
after(folder.remove);

type LogLine = { readonly msg: string; readonly [field: string]: unknown };

describe('pullguard serve', () => {
  it('says in a line each why it cannot start, opens nothing, and ends with 2', async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    t.after(() => taken.close());
    const port = (taken.address() as AddressInfo).port;
    const bad = folder.write('bad.yaml', 'mod: warn\nmode: loud\n');
    const start = (...flags: readonly string[]) => runHere(['serve', ...flags, '--log-level', 'error']);
    const own = (...flags: readonly string[]) => start('--no-kube', '--tls-cert', cert, '--tls-key', key, ...flags);

    const runs = [
      await own(...LOOPBACK, '--policy', bad),
      await own(...LOOPBACK, '--policy', join(folder.path, 'none.yaml')),
      await own('--listen', `127.0.0.1:${port}`, '--admin-listen', '127.0.0.1:0'),
      await own('--listen', '127.0.0.1:0', '--admin-listen', `127.0.0.1:${port}`),
      await start('--no-kube', ...LOOPBACK, '--tls-cert', '/none.crt', '--tls-key', key),
      await start('--no-kube', ...LOOPBACK, '--tls-cert', key, '--tls-key', key),
      await start('--kubeconfig', '/none.config'),
    ];

    assert.deepEqual(
      runs.map(({ code, stdout }) => [code, stdout]),
      runs.map(() => [2, '']),
    );
    assert.deepEqual(
      runs.map(({ stderr }) => stderr.trimEnd().split('\n')),
      [
        [
          `pullguard: ${bad}:1: mod: unknown key, did you mean "mode"?`,
          `pullguard: ${bad}:2: mode: expected observe, warn or enforce, found the text "loud"`,
        ],
        [`pullguard: ${join(folder.path, 'none.yaml')} cannot be read: there is no such file or folder`],
        [`pullguard: cannot listen on 127.0.0.1:${port}: another process listens there`],
        [`pullguard: cannot listen on 127.0.0.1:${port}: another process listens there`],
        ['pullguard: /none.crt cannot be read: there is no such file or folder'],
        [`pullguard: ${key} holds no certificate in PEM`],
        ['pullguard: /none.config cannot be read as a kubeconfig: there is no such file or folder'],
      ],
    );
  });

  describe('with a policy in a ConfigMap', () => {
    let api: FakeApi;
    before(async () => {
      api = await startFakeApi();
    });
    after(() => api.close());

    /** What it says until it is ready, in order; then it is ended. */
    async function startWith(policy: string): Promise<readonly string[]> {
      const maps = '/api/v1/namespaces/pullguard/configmaps';
      api.put(maps, { metadata: { name: 'policy' }, data: { 'policy.yaml': policy } });
      const flags = { tlsCert: cert, tlsKey: key, kubeconfig: api.kubeconfig, policyConfigmap: 'pullguard/policy' };
      const ports = { listen: '127.0.0.1:0', adminListen: '127.0.0.1:0', linger: '0' };
      const config = readConfig(readSettings({ ...flags, ...ports }, {}));
      assert.ok(config.ok);
      const said: string[] = [];
      const ending = new AbortController();
      const stderr = {
        write: (line: string) => {
          const { msg, mode, inForce } = JSON.parse(line) as LogLine;
          said.push([msg, mode, inForce].filter((part) => typeof part === 'string').join(', '));
        },
      };
      const stdout = {
        write: () => {
          said.push('ready');
          ending.abort();
        },
      };
      assert.equal(await serve(config.value, { stdout, stderr, interruption: () => ending.signal }), 0);
      return said;
    }

    it('is not ready before the first policy is in force, though the API server fails at first', async () => {
      let failures = 0;
      api.failWith(({ path }) => {
        const isFirst = path.includes('/configmaps') && failures === 0;
        failures += isFirst ? 1 : 0;
        return isFirst ? 500 : undefined;
      });

      const said = await startWith('mode: observe');

      assert.deepEqual(
        said.filter((line) => line !== 'ending'),
        ['policy not read, the defaults', 'policy in force, observe', 'ready'],
      );
    });

    it('is ready with the defaults, and says so, where the first policy is bad', async () => {
      const said = await startWith('mode: loud');

      assert.deepEqual(
        said.filter((line) => line !== 'ending'),
        ['policy refused, the defaults', 'ready'],
      );
    });
  });
});
