#!/usr/bin/env node
// The `pullguard` command: the sources where they are at hand, the compiled program where the package was installed.
import { existsSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `pullguard needs Node.js 22.19 or newer, this is ${process.versions.node}; in a checkout, "npx pullguard" brings its own\n`,
  );
  process.exit(2);
}
keepCompiled();
const sources = new URL('./cli.ts', import.meta.url);
await import(existsSync(sources) ? sources.href : new URL('../dist/webhook/cli.js', import.meta.url).href);

/** Loading the program takes longer than most checks: what is compiled of it is kept, where nobody else may write. */
function keepCompiled() {
  try {
    const { XDG_CACHE_HOME: declared = '' } = process.env;
    // a relative one is passed over (XDG Base Directory Specification): it would litter whatever folder one stands in
    const caches = isAbsolute(declared) ? declared : join(homedir(), '.cache');
    const own = join(caches, 'pullguard');
    // a level at a time: Node would try for ever where a file system has no room for a folder (node 24.21, /proc)
    for (const folder of [caches, own]) if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
    module.enableCompileCache(own);
  } catch {
    // a system without a home, or read-only: compiled anew each time
  }
}
