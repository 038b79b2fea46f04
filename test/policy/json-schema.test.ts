import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { knownKeys, POLICY_JSON_SCHEMA } from '../../webhook/policy/json-schema.ts';
import { OUTCOME_KINDS } from '../../webhook/outcome/outcome.ts';

describe('the JSON Schema of a policy', () => {
  it('is published as it is generated', () => {
    const published: unknown = JSON.parse(
      readFileSync(new URL('../../deploy/policy.schema.json', import.meta.url), 'utf8'),
    );

    assert.deepEqual(published, structuredClone(POLICY_JSON_SCHEMA), 'run: node deploy/write-policy-schema.ts');
  });

  it('allows no key that the schema does not know, at any depth', () => {
    const open: string[] = [];
    const walk = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      if ('properties' in node && (!('additionalProperties' in node) || node.additionalProperties !== false))
        open.push(path);
      for (const [key, value] of Object.entries(node)) walk(value, `${path}/${key}`);
    };

    walk(POLICY_JSON_SCHEMA, '');

    assert.deepEqual(open, []);
  });

  it('knows which keys a place may have, through lists, maps and alternatives', () => {
    assert.deepEqual(knownKeys(['exempt']), ['namespaces', 'images']);
    assert.deepEqual(knownKeys(['actions']), [...OUTCOME_KINDS]);
    assert.deepEqual(knownKeys(['actions', 'damaged']), ['proven', 'unproven']);
    assert.deepEqual(knownKeys(['rules', 3, 'match']), ['namespaces', 'images', 'kinds', 'causes']);
    assert.deepEqual(knownKeys(['nodes', 'throughput']), ['default', 'hosts']);
    assert.deepEqual(knownKeys(['mode', 'deeper']), []);
  });
});
