import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Certificate } from './certificate.ts';
import { startCountingRegistry } from './counting-registry.ts';
import type { ManyResult } from './many-process.ts';
import { aim, mebibytes, table } from './table.ts';

const IMAGES = 1000;
/** So long that requests which may overlap do. */
const DELAY_MS = 5;
/** What `check` allows itself at one host. */
const MOST_AT_ONCE = 8;

/** One `check` of many distinct images of one registry: nothing may grow with their number, and nothing may be left. */
export async function checkManyImages(options: {
  readonly certificate: Certificate;
  readonly write: (text: string) => void;
}): Promise<void> {
  const { certificate, write } = options;
  const registry = await startCountingRegistry(certificate.tls);
  try {
    for (let at = 0; at < IMAGES; at += 1) {
      registry.store.repository(`many/app-${at}`).addImage({ tags: ['1'] });
    }
    registry.slowDown(DELAY_MS);
    const child = fork(join(import.meta.dirname, 'many-process.ts'), [
      registry.host,
      certificate.files.authority,
      String(IMAGES),
    ]);
    const ended = once(child, 'exit');
    const [result]: readonly (ManyResult | number | null)[] = await Promise.race([once(child, 'message'), ended]);
    if (typeof result !== 'object' || result === null) throw new Error('the check of many images failed');
    const left = registry.gate.open() + result.sockets;
    await ended;
    if (result.pullable !== IMAGES) throw new Error(`${result.pullable} of ${IMAGES} images were found pullable`);
    write(`\nA check of ${IMAGES} images of one registry, whose answers take ${DELAY_MS} ms\n`);
    write(
      table([
        ['', 'seconds', 'requests', 'most at once', 'connections', 'RSS before MiB', 'peak RSS MiB', 'sockets left'],
        [
          'pullguard check',
          result.seconds.toFixed(1),
          String(registry.requests().length),
          String(registry.mostAtOnce()),
          String(registry.gate.opened()),
          mebibytes(result.startedRss),
          mebibytes(result.peakRss),
          String(left),
        ],
      ]),
    );
    write(
      aim(
        `at most ${MOST_AT_ONCE} requests at once, no socket left`,
        registry.mostAtOnce() <= MOST_AT_ONCE && left === 0,
      ),
    );
    write(aim(`at most ${MOST_AT_ONCE} connections`, registry.gate.opened() <= MOST_AT_ONCE));
  } finally {
    await registry.close();
  }
}
