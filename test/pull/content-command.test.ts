import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkCommand } from '../../webhook/check/command.ts';
import type { CheckFlags } from '../../webhook/check/flags.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';

type Run = { readonly exitCode: number; readonly out: string; readonly progress: string };

describe('pullguard check --verify content', () => {
  let registry: ScriptedRegistry;
  let certsD: string;

  before(async () => {
    registry = await startScriptedRegistry();
    certsD = await mkdtemp(join(tmpdir(), 'pullguard-content-'));
    const repository = registry.store.repository('team/app');
    repository.addImage({ tags: ['sound'], paddingBytes: 2 * 1024 * 1024 });
    const altered = repository.addImage({ tags: ['altered'], layers: [{ 'etc/name': 'altered' }] });
    registry.store.damage(altered.layers[0]?.digest ?? altered.digest, 'flipped');
  });
  after(async () => {
    await registry.close();
    await rm(certsD, { recursive: true });
  });

  const run = async (tags: readonly string[], flags: CheckFlags): Promise<Run> => {
    const text = { out: '', progress: '' };
    const exitCode = await checkCommand(
      tags.map((tag) => `${registry.host}/team/app:${tag}`),
      { ...flags, certsD },
      {
        stdout: { write: (part) => (text.out += part) },
        stderr: { isTTY: true, columns: 100, write: (part) => (text.progress += part) },
        stdin: { [Symbol.asyncIterator]: async function* nothing() {} },
        environment: {},
      },
    );
    return { exitCode, ...text };
  };

  it('finds the altered layer that headers do not show, and names it', async () => {
    const shallow = await run(['altered'], {});
    const deep = await run(['altered'], { verify: 'content', output: 'json' });

    assert.equal(shallow.exitCode, 0);
    assert.equal(deep.exitCode, 1);
    assert.match(deep.out, /the layer sha256:[0-9a-f]{12} has other content than its digest says/u);
  });

  it('says so where it read everything, and shows how much while it does', async () => {
    const { exitCode, out, progress } = await run(['sound', 'sound'], { verify: 'content', output: 'json' });

    assert.equal(exitCode, 0);
    const { results } = JSON.parse(out) as { readonly results: readonly { readonly depth: string }[] };
    assert.deepEqual(
      results.map(({ depth }) => depth),
      ['content', 'content'],
    );
    assert.match(progress, /MiB of layers read/u);
  });
});
