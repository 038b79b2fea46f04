import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPolicyHolder } from '../../webhook/policy/holder.ts';
import { DEFAULT_POLICY } from '../../webhook/policy/load.ts';

describe('the policy holder', () => {
  it('begins with the policy that it was given and no error', () => {
    const holder = createPolicyHolder(DEFAULT_POLICY);

    assert.equal(holder.current(), DEFAULT_POLICY);
    assert.equal(holder.lastError, undefined);
  });

  it('puts a sound document in force', () => {
    const holder = createPolicyHolder(DEFAULT_POLICY);

    const offered = holder.offer('mode: warn', 'policy.yaml');

    assert.ok(offered.ok);
    assert.equal(holder.current(), offered.value);
    assert.equal(holder.current().mode, 'warn');
  });

  it('keeps the last good policy, tells the mistakes, and forgets them with the next good one', () => {
    const holder = createPolicyHolder(DEFAULT_POLICY);
    holder.offer('mode: warn', 'policy.yaml');

    const offered = holder.offer('mode: block', 'ConfigMap a/b');

    assert.equal(offered.ok, false);
    assert.equal(holder.current().mode, 'warn');
    assert.equal(holder.lastError?.name, 'ConfigMap a/b');
    assert.deepEqual(
      holder.lastError.mistakes.map(({ path }) => path),
      ['mode'],
    );

    holder.offer('mode: observe', 'policy.yaml');
    assert.equal(holder.lastError, undefined);
    assert.equal(holder.current().mode, 'observe');
  });
});
