import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readText } from '../../webhook/file/read-text.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'pullguard-file-'));
});
after(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('the text of a file', () => {
  it('is read whole, longer than a piece too, with what begins it', () => {
    const text = `\u{FEFF}${'é'.repeat(100_000)}`;

    assert.deepEqual(readText(write('long.txt', text)), { ok: true, value: text });
    assert.deepEqual(readText(write('empty.txt', '')), { ok: true, value: '' });
  });

  it('is not there for a reason that ends a sentence', () => {
    const unread = [join(folder, 'none'), join(write('a', ''), 'below'), folder, write('binary', Buffer.from([0xff]))];

    assert.deepEqual(
      unread.map((path) => readText(path)),
      [
        { ok: false, error: 'there is no such file or folder' },
        { ok: false, error: 'there is no such file or folder' },
        { ok: false, error: 'it is a folder' },
        { ok: false, error: 'it is no text in UTF-8' },
      ],
    );
  });

  it('ends somewhere', { skip: !existsSync('/dev/zero') && 'needs /dev/zero' }, () => {
    const error = 'it is larger than 64 MiB, as no manifest or settings file is';

    assert.deepEqual(readText('/dev/zero'), { ok: false, error });
  });
});
