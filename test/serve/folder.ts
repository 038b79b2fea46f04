import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, type Authority } from '../support/pki.ts';

/** A folder with what `serve` is started with: a certificate for loopback, and whatever is written into it. */
export type ServeFolder = {
  readonly path: string;
  readonly authority: Authority;
  /** `--tls-cert FILE --tls-key FILE` */
  readonly certificate: readonly [string, string, string, string];
  /** The path of the file. */
  readonly write: (name: string, text: string) => string;
  readonly remove: () => void;
};

/** Ports of loopback that the system chooses. */
export const LOOPBACK: readonly string[] = ['--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'];

export function createServeFolder(): ServeFolder {
  const path = mkdtempSync(join(tmpdir(), 'pullguard-serve-'));
  const write = (name: string, text: string): string => {
    const file = join(path, name);
    writeFileSync(file, text);
    return file;
  };
  const authority = createAuthority();
  const { chain, key } = authority.issue({ addresses: ['127.0.0.1'] });
  return {
    path,
    authority,
    certificate: ['--tls-cert', write('tls.crt', chain), '--tls-key', write('tls.key', key)],
    write,
    remove: () => rmSync(path, { recursive: true }),
  };
}
