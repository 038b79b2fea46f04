import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';

/** The objects of deploy/install.yaml, with what the tests look at. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly [key: string]: unknown;
};

export async function readManifests(): Promise<readonly Manifest[]> {
  const text = await readFile(new URL('../../deploy/install.yaml', import.meta.url), 'utf8');
  return parseAllDocuments(text, { uniqueKeys: true }).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as Manifest;
  });
}

/** The value at a path of member names and indexes; fails where there is none. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const key of path) {
    assert.ok(typeof current === 'object' && current !== null && key in current, `no ${path.join('.')}: lacks ${key}`);
    current = (current as Record<string | number, unknown>)[key];
  }
  return current;
}
