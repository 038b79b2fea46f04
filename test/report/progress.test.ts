import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createProgress } from '../../webhook/report/progress.ts';

function recorder(
  isTTY: boolean | undefined,
  columns?: number,
): { stream: Parameters<typeof createProgress>[0]; written: string[] } {
  const written: string[] = [];
  return { stream: { isTTY, columns, write: (text: string) => written.push(text) }, written };
}

describe('the progress line', () => {
  it('is written over on a terminal and wiped at the end', () => {
    const { stream, written } = recorder(true, 80);
    const progress = createProgress(stream);
    progress.update(0, 2, 'nginx');
    progress.update(1, 2, 'reg/app');
    progress.clear();
    progress.clear();

    assert.deepEqual(written, [
      '\r\u001b[2Kchecked 0 of 2: nginx',
      '\r\u001b[2Kchecked 1 of 2: reg/app',
      '\r\u001b[2K',
    ]);
  });

  it('carries a remark, before and beside what was checked', () => {
    const { stream, written } = recorder(true, 60);
    const progress = createProgress(stream);
    progress.note('1 MiB of layers read');
    progress.update(1, 2, 'reg/app');
    progress.note('2 MiB of layers read\n');
    progress.update(2, 2, 'registry.example/a/long/name');

    assert.deepEqual(
      written.map((line) => line.slice('\r\u001b[2K'.length)),
      [
        '1 MiB of layers read',
        'checked 1 of 2, 1 MiB of layers read: reg/app',
        'checked 1 of 2, 2 MiB of layers read: reg/app',
        'checked 2 of 2, 2 MiB of layers read: registry.example/a...',
      ],
    );
  });

  it('never reaches the last column, and carries no control characters of an image', () => {
    const { stream, written } = recorder(true, 30);
    createProgress(stream).update(1, 2, `\u001b[31m\n${'x'.repeat(200)}`);

    const shown = (written[0] ?? '').slice('\r\u001b[2K'.length);
    assert.equal(shown.length, 29);
    assert.match(shown, /^[\x20-\x7e]+$/u);
  });

  for (const isTTY of [false, undefined]) {
    it(`writes nothing where isTTY is ${isTTY}`, () => {
      const { stream, written } = recorder(isTTY);
      const progress = createProgress(stream);
      progress.update(1, 2, 'nginx');
      progress.note('1 MiB read');
      progress.clear();

      assert.deepEqual(written, []);
    });
  }
});
