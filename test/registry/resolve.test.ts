import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NetworkError } from '../../webhook/registry/failure.ts';
import { createResolver } from '../../webhook/registry/resolve.ts';

const never = new AbortController().signal;
const fails = (kind: string) => (error: unknown) => error instanceof NetworkError && error.failure.kind === kind;
const settled = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

/** A resolver whose lookups wait until they are let go. */
function heldResolver() {
  const asked: string[] = [];
  const held = new Map<string, (addresses: readonly string[]) => void>();
  let running = 0;
  let most = 0;
  const resolve = createResolver(new Map(), async (name) => {
    asked.push(name);
    running += 1;
    most = Math.max(most, running);
    const addresses = await new Promise<readonly string[]>((release) => held.set(name, release));
    running -= 1;
    return addresses;
  });
  return {
    resolve,
    asked,
    most: () => most,
    release: async (name: string, addresses: readonly string[] = ['192.0.2.1']) => {
      held.get(name)?.(addresses);
      await settled();
    },
  };
}

describe('resolving names', () => {
  it('gives declared names and address literals as they are, and the system the rest', async () => {
    const resolve = createResolver(new Map([['reg.test', ['10.0.0.1', '10.0.0.2']]]));

    assert.deepEqual(await resolve('reg.test', never), ['10.0.0.1', '10.0.0.2']);
    assert.deepEqual(await resolve('192.0.2.7', never), ['192.0.2.7']);
    assert.deepEqual(await resolve('2001:db8::1', never), ['2001:db8::1']);
    assert.ok((await resolve('localhost', never)).some((address) => address === '127.0.0.1' || address === '::1'));
  });

  it('asks once however many wait for the same name', async () => {
    const { resolve, asked, release } = heldResolver();
    const waiting = Promise.all([resolve('a.test', never), resolve('a.test', never), resolve('b.test', never)]);
    await settled();
    await release('a.test', ['192.0.2.1']);
    await release('b.test', ['192.0.2.2']);

    assert.deepEqual(await waiting, [['192.0.2.1'], ['192.0.2.1'], ['192.0.2.2']]);
    assert.deepEqual(asked, ['a.test', 'b.test']);
    const again = resolve('a.test', never);
    await settled();
    await release('a.test');
    await again;
    assert.deepEqual(asked, ['a.test', 'b.test', 'a.test'], 'a lookup that is over is not remembered');
  });

  it('runs four lookups at a time, and does not begin one that nobody waits for any more', async () => {
    const { resolve, asked, most, release } = heldResolver();
    const first = ['a', 'b', 'c', 'd'].map((name) => resolve(name, never));
    const patience = new AbortController();
    const abandoned = resolve('e', patience.signal);
    const last = resolve('f', never);
    await settled();
    assert.deepEqual(asked, ['a', 'b', 'c', 'd']);

    patience.abort();
    await assert.rejects(abandoned, fails('timeout'));
    await release('a');
    await release('b');
    assert.deepEqual(asked, ['a', 'b', 'c', 'd', 'f']);
    await Promise.all(['c', 'd', 'f'].map(async (name) => await release(name)));
    await Promise.all([...first, last]);
    assert.equal(most(), 4);
  });

  it('keeps a lookup alive for the others when one gives up', async () => {
    const { resolve, release } = heldResolver();
    const patience = new AbortController();
    const impatient = resolve('a.test', patience.signal);
    const patient = resolve('a.test', never);
    await settled();
    patience.abort();
    await assert.rejects(impatient, fails('timeout'));
    await release('a.test', ['192.0.2.9']);

    assert.deepEqual(await patient, ['192.0.2.9']);
  });

  it('tells a name without addresses and a lookup that fails as DNS, and takes sixteen addresses of many', async () => {
    const many = Array.from({ length: 1000 }, (_, at) => `10.0.${at >> 8}.${at & 255}`);
    const resolve = createResolver(new Map(), async (name) => {
      if (name === 'broken.test') throw new Error('SERVFAIL');
      return name === 'many.test' ? many : [];
    });

    await assert.rejects(resolve('empty.test', never), fails('dns'));
    await assert.rejects(resolve('broken.test', never), fails('dns'));
    assert.equal((await resolve('many.test', never)).length, 16);
    await assert.rejects(resolve('many.test', AbortSignal.abort()), fails('timeout'));
  });
});
