import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openLogFile } from '../../webhook/telemetry/log-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'pullguard-log-'));
after(() => rmSync(folder, { recursive: true }));

describe('openLogFile', () => {
  it('has written every line, in order, once it is closed', async () => {
    const name = join(folder, 'all.log');
    const file = openLogFile(openSync(name, 'a'));
    const lines = Array.from({ length: 2000 }, (_, at) => `line ${at}\n`);

    for (const line of lines) file.write(line);
    await file.close();

    assert.equal(readFileSync(name, 'utf8'), lines.join(''));
  });

  it('neither blocks nor fails its caller while nobody reads the pipe', { timeout: 60_000 }, async () => {
    const name = join(folder, 'pipe');
    execFileSync('mkfifo', [name]);
    // held open at both ends, so that opening waits for nobody
    const reader = await open(name, 'r+');
    const file = openLogFile(openSync(name, 'a'));
    const lines = Array.from({ length: 200 }, (_, at) => `${at} ${'x'.repeat(4096)}\n`).join('');

    for (const line of lines.split(/(?<=\n)/u)) file.write(line);
    await file.close();

    let text = '';
    while (text.length < lines.length) {
      // oxlint-disable-next-line no-await-in-loop
      const { buffer, bytesRead } = await reader.read({ buffer: Buffer.alloc(65_536) });
      text += buffer.toString('latin1', 0, bytesRead);
    }
    await reader.close();
    assert.equal(text, lines);
  });
});
