#!/usr/bin/env node
// The `pullguard` command: the sources where they are at hand, the compiled program where the package was installed.
import { existsSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `pullguard needs Node.js 22.19 or newer, this is ${process.versions.node}; in a checkout, "npx pullguard" brings its own\n`,
  );
  process.exit(2);
}
const sources = new URL('./cli.ts', import.meta.url);
await import(existsSync(sources) ? sources.href : new URL('../dist/webhook/cli.js', import.meta.url).href);
