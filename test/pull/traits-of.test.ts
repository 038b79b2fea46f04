import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRuntime } from '../../webhook/outcome/runtime.ts';
import { traitsOf } from '../../webhook/pull/traits-of.ts';
import type { RuntimeTraits } from '../../webhook/pull/traits.ts';

function traitsOfAll(text: string): readonly RuntimeTraits[] {
  const parsed = parseRuntime(text);
  assert.ok(parsed.ok, text);
  return parsed.value.map(traitsOf);
}

describe('versions that pull alike', () => {
  // the tables of runtimes have a column for one of each
  const alike: readonly (readonly string[])[] = [
    ['containerd@2.1/transfer', 'containerd@2.2/transfer', 'containerd@2.4/transfer'],
    ['containerd@2.1/local', 'containerd@2.2/local', 'containerd@2.4/local'],
    ['docker@23/graph', 'docker@25/graph'],
    ['docker@26/graph', 'docker@27/graph'],
  ];
  for (const [first = '', ...others] of alike) {
    it(`${first} and ${others.join(', ')}`, () => {
      for (const other of others) assert.deepEqual(traitsOfAll(other), traitsOfAll(first), other);
    });
  }
});
