import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { Agent, request } from 'undici';
import { container, pod, reviewOf } from '../admission/builders.ts';
import { status } from '../support/bend.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import { createServeFolder, LOOPBACK } from './folder.ts';

const CLI = join(import.meta.dirname, '../../webhook/cli.ts');

const folder = createServeFolder();
let registry: ScriptedRegistry;
before(async () => {
  registry = await startScriptedRegistry();
  registry.store.repository('app').addImage({ tags: ['1', 'odd'] });
});
after(async () => {
  await registry.close();
  folder.remove();
});

type LogLine = { readonly msg: string; readonly [field: string]: unknown };

/** `pullguard serve` as a process of its own, once it is ready. */
async function startServe(...flags: readonly string[]) {
  const child = spawn(process.execPath, [CLI, 'serve', '--no-kube', ...LOOPBACK, ...folder.certificate, ...flags], {
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

describe('pullguard serve as a process', () => {
  it('answers reviews by its policy, takes a changed one over, keeps it from a bad one, and drains on SIGTERM', async (t) => {
    const host = `reg.test:${registry.port}`;
    registry.bend({ kind: 'manifest', reference: 'odd' }, status(500, 'UNKNOWN'));
    const policyText = (mode: string): string => `mode: ${mode}
network: { allow: ['${host}'] }
nodes:
  settings: complete
  containerd: { certsD: { '${host}/hosts.toml': "server = 'http://${host}'\\n[host]" } }
`;
    const policy = folder.write('policy.yaml', policyText('enforce'));
    const flags = ['--policy', policy, '--add-host', 'reg.test:127.0.0.1', '--linger', '1s'];
    const server = await startServe(...flags);
    t.after(() => server.stop());
    const dispatcher = new Agent({ connect: { ca: folder.authority.certificate } });
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

    folder.write('policy.yaml', policyText('warn'));
    await server.heard(({ msg, mode }) => msg === 'policy in force' && mode === 'warn');
    const tolerated = await review(`${host}/app:2`);
    assert.ok(tolerated.allowed);
    assert.match(tolerated.warnings?.join() ?? '', /does not exist/u);
    folder.write('policy.yaml', policyText('loud'));
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
});
