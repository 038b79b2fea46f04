import { readFileSync } from 'node:fs';

/** The version in package.json, which lies one folder up in a checkout and two in the compiled program. */
export function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (typeof manifest === 'object' && manifest !== null && 'name' in manifest && manifest.name === 'pullguard') {
        return 'version' in manifest ? String(manifest.version) : 'unknown';
      }
    } catch {
      // not there: the next place
    }
  }
  return 'unknown';
}
