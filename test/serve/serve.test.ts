import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { Agent, request } from 'undici';
import { readConfig, readSettings } from '../../webhook/config.ts';
import { serve } from '../../webhook/main.ts';
import { container, pod, reviewOf } from '../admission/builders.ts';
import { runHere } from '../cli/run-here.ts';
import { startFakeApi, type FakeApi } from '../kube/fake-api.ts';
import { status } from '../support/bend.ts';
import { createAuthority, type Authority } from '../support/pki.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';

const CLI = join(import.meta.dirname, '../../webhook/cli.ts');

let folder = '';
let authority: Authority;
let registry: ScriptedRegistry;
let certificate: readonly string[];
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pullguard-serve-'));
  authority = createAuthority();
  const { chain, key } = authority.issue({ addresses: ['127.0.0.1'] });
  certificate = ['--tls-cert', write('tls.crt', chain), '--tls-key', write('tls.key', key)];
  registry = await startScriptedRegistry();
  registry.store.repository('app').addImage({ tags: ['1', 'odd'] });
});
after(async () => {
  await registry.close();
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const LOOPBACK = ['--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'];

type LogLine = { readonly msg: string; readonly [field: string]: unknown };

/** `pullguard serve` as a process of its own, once it is ready. */
async function startServe(...flags: readonly string[]) {
  const child = spawn(process.execPath, [CLI, 'serve', '--no-kube', ...LOOPBACK, ...certificate, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>;
  const log: LogLine[] = [];
  const waiting = new Set<() => void>();
  createInterface(child.stderr).on('line', (line) => {
    log.push(JSON.parse(line) as LogLine);
    for (const look of waiting) look();
  });
  const [ready] = (await once(createInterface(child.stdout), 'line')) as [string];
  const ports = [...ready.matchAll(/(?:port |:)(?<port>\d+)/gu)].map((match) => Number(match.groups?.['port']));
  return {
    ready,
    log,
    origin: `https://127.0.0.1:${ports[0]}`,
    admin: `http://127.0.0.1:${ports[1]}`,
    stop: () => child.kill('SIGTERM'),
    ended,
    /** Resolves with the first line of the log that `isMeant`. */
    heard: (isMeant: (line: LogLine) => boolean): Promise<LogLine> => {
      const { promise, resolve } = Promise.withResolvers<LogLine>();
      const look = (): void => {
        const line = log.find(isMeant);
        if (line !== undefined) resolve(line);
      };
      waiting.add(look);
      look();
      return promise;
    },
  };
}

type Answer = {
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly status?: { readonly code: number; readonly message: string };
    readonly warnings?: readonly string[];
  };
};

describe('pullguard serve', () => {
  it('answers reviews by its policy, takes a changed one over, keeps it from a bad one, and drains on SIGTERM', async (t) => {
    const host = `reg.test:${registry.port}`;
    registry.bend({ kind: 'manifest', reference: 'odd' }, status(500, 'UNKNOWN'));
    const policyText = (mode: string): string => `mode: ${mode}
network: { allow: ['${host}'] }
nodes:
  settings: complete
  containerd: { certsD: { '${host}/hosts.toml': "server = 'http://${host}'\\n[host]" } }
`;
    const policy = write('policy.yaml', policyText('enforce'));
    const flags = ['--policy', policy, '--add-host', 'reg.test:127.0.0.1', '--linger', '1s'];
    const server = await startServe(...flags);
    t.after(() => server.stop());
    const dispatcher = new Agent({ connect: { ca: authority.certificate } });
    t.after(() => dispatcher.close());
    const review = async (image: string): Promise<Answer['response']> => {
      // what a node may hold already is not known without a cluster, so the pull has to be certain
      const containers = [container('c0', image, { imagePullPolicy: 'Always' })];
      const body = JSON.stringify(reviewOf(pod({ containers })));
      const headers = { 'content-type': 'application/json' };
      const answer = await request(`${server.origin}/validate?timeout=5s`, {
        method: 'POST',
        headers,
        body,
        dispatcher,
      });
      return ((await answer.body.json()) as Answer).response;
    };
    const probe = async (path: string): Promise<number> => {
      const answer = await request(`${server.admin}${path}`);
      await answer.body.dump();
      return answer.statusCode;
    };

    assert.match(
      server.ready,
      /^pullguard: ready on https:\/\/127\.0\.0\.1:\d+\/validate, probes and metrics on port \d+$/u,
    );
    assert.deepEqual([await probe('/healthz'), await probe('/readyz'), await probe('/metrics')], [200, 200, 200]);

    assert.deepEqual(await review(`${host}/app:1`).then(({ allowed, warnings }) => [allowed, warnings ?? []]), [
      true,
      [],
    ]);
    const warned = await review(`${host}/app:odd`);
    assert.ok(warned.allowed);
    assert.match(warned.warnings?.join() ?? '', /answered 500/u);
    const denied = await review(`${host}/app:2`);
    assert.deepEqual([denied.uid, denied.allowed, denied.status?.code], ['uid-1', false, 403]);
    assert.match(denied.status?.message ?? '', /container "c0".*tag "2" does not exist in the registry/u);
    // the guard: nothing but what the policy allows by name
    const blocked = await review(`127.0.0.1:${registry.port}/app:2`);
    assert.ok(blocked.allowed);

    write('policy.yaml', policyText('warn'));
    await server.heard(({ msg, mode }) => msg === 'policy in force' && mode === 'warn');
    const tolerated = await review(`${host}/app:2`);
    assert.ok(tolerated.allowed);
    assert.match(tolerated.warnings?.join() ?? '', /does not exist/u);
    write('policy.yaml', policyText('loud'));
    const refused = await server.heard(({ msg }) => msg === 'policy refused');
    assert.equal(refused['inForce'], 'the last good one');
    assert.ok((await review(`${host}/app:2`)).allowed);

    server.stop();
    await server.heard(({ msg }) => msg === 'ending');
    assert.equal(await probe('/readyz'), 503);
    assert.ok((await review(`${host}/app:1`)).allowed);
    assert.deepEqual(await server.ended, [0, null]);
    assert.deepEqual(
      server.log.filter(({ level }) => level === 'error').map(({ msg }) => msg),
      ['policy refused'],
    );
  });

  it('says in a line each why it cannot start, opens nothing, and ends with 2', async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    t.after(() => taken.close());
    const port = (taken.address() as AddressInfo).port;
    const [, cert = '', , key = ''] = certificate;
    const bad = write('bad.yaml', 'mod: warn\nmode: loud\n');
    const start = (...flags: readonly string[]) => runHere(['serve', ...flags, '--log-level', 'error']);
    const own = (...flags: readonly string[]) => start('--no-kube', '--tls-cert', cert, '--tls-key', key, ...flags);

    const runs = [
      await own(...LOOPBACK, '--policy', bad),
      await own(...LOOPBACK, '--policy', join(folder, 'none.yaml')),
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
        [`pullguard: ${join(folder, 'none.yaml')}: cannot be read`],
        [`pullguard: cannot listen on 127.0.0.1:${port}: another process listens there`],
        [`pullguard: cannot listen on 127.0.0.1:${port}: another process listens there`],
        ['pullguard: /none.crt cannot be read: there is no such file'],
        [`pullguard: ${key} holds no certificate in PEM`],
        ['pullguard: /none.config cannot be read as a kubeconfig: there is no such file'],
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
      const [, cert = '', , key = ''] = certificate;
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
