import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createIdentityHasher } from '../../webhook/credentials/identity.ts';

const hash = createIdentityHasher(new Uint8Array(32).fill(7));

describe('createIdentityHasher', () => {
  it('calls every login without a username anonymous', () => {
    assert.equal(hash(undefined), 'anonymous');
    assert.equal(hash({ username: '', password: '' }), 'anonymous');
    assert.equal(hash({ username: '', password: 'p' }), 'anonymous');
  });

  it('gives the same name to the same login, and another under another key', () => {
    const other = createIdentityHasher(new Uint8Array(32).fill(8));

    assert.match(hash({ username: 'u', password: 'p' }), /^[0-9a-f]{64}$/u);
    assert.equal(hash({ username: 'u', password: 'p' }), hash({ username: 'u', password: 'p' }));
    assert.notEqual(hash({ username: 'u', password: 'p' }), other({ username: 'u', password: 'p' }));
  });

  it('keeps user and password apart', () => {
    const pairs = [
      ['ab', 'c'],
      ['a', 'bc'],
      ['abc', ''],
      ['a:b', 'c'],
      ['a', 'b:c'],
      ['a\0', 'b'],
      ['a', '\0b'],
      ['c', 'ab'],
    ] as const;
    const names = pairs.map(([username, password]) => hash({ username, password }));

    assert.equal(new Set(names).size, pairs.length);
  });

  it('tells any two logins apart and shows neither', () => {
    const login = fc.record({
      username: fc.string({ minLength: 1, unit: 'grapheme' }),
      password: fc.string({ unit: 'grapheme' }),
    });
    fc.assert(
      fc.property(login, login, (one, two) => {
        const isSame = one.username === two.username && one.password === two.password;
        assert.equal(hash(one) === hash(two), isSame);
        assert.ok(one.password.length < 4 || !hash(one).includes(one.password));
      }),
      { numRuns: 300 },
    );
  });

  it('does not look at the key again, and takes no short one', () => {
    const key = new Uint8Array(32).fill(7);
    const own = createIdentityHasher(key);
    key.fill(0);

    assert.equal(own({ username: 'u', password: 'p' }), hash({ username: 'u', password: 'p' }));
    assert.throws(() => createIdentityHasher(new Uint8Array(15)), RangeError);
  });
});
