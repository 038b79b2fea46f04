import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { createReplyRoom, type ReplyShare } from '../../webhook/registry/reply-room.ts';

const { signal } = new AbortController();
const QUICK = { bytesPerSecond: Infinity, now: () => 0 };

/** Takes, and writes down who was let in. */
function taker(admitted: string[]) {
  return (share: ReplyShare, name: string, bytes: number, until = signal): Promise<void> =>
    share.take(bytes, until).then(
      () => void admitted.push(name),
      () => void admitted.push(`${name} gave up`),
    );
}

describe('the room for long answers', () => {
  it('lets in what fits, and the others in their order as somebody leaves', async () => {
    const room = createReplyRoom({ ...QUICK, maxBytes: 10 });
    const [a, b, c, d] = [room.enter(), room.enter(), room.enter(), room.enter()];
    const admitted: string[] = [];
    const take = taker(admitted);

    const all = [take(a, 'a', 6), take(b, 'b', 6), take(c, 'c', 2), take(d, 'd', 2)];
    await nextTurn();
    assert.deepEqual(admitted, ['a']);
    a.leave();
    await Promise.all(all);

    assert.deepEqual(admitted, ['a', 'b', 'c', 'd']);
  });

  it('lets nobody wait for what he holds himself', async () => {
    const room = createReplyRoom({ ...QUICK, maxBytes: 10 });
    const [a, b] = [room.enter(), room.enter()];
    const admitted: string[] = [];
    const take = taker(admitted);

    await take(a, 'a', 8);
    await take(a, 'a again', 8);
    const waiting = [take(b, 'b', 12)];
    await nextTurn();
    assert.deepEqual(admitted, ['a', 'a again']);
    a.leave();
    await Promise.all(waiting);

    assert.deepEqual(admitted, ['a', 'a again', 'b']);
  });

  it('lets in no more in a second than it is told to', async () => {
    let nowMs = 0;
    const room = createReplyRoom({ maxBytes: 1000, bytesPerSecond: 500, now: () => nowMs });
    const admitted: string[] = [];
    const take = taker(admitted);

    const all = [take(room.enter(), 'a', 5), take(room.enter(), 'b', 5), take(room.enter(), 'c', 5)];
    await nextTurn();
    assert.deepEqual(admitted, ['a']);
    nowMs = 10;
    room.enter().leave();
    await nextTurn();
    assert.deepEqual(admitted, ['a', 'b']);
    nowMs = 20;
    await Promise.all(all);

    assert.deepEqual(admitted, ['a', 'b', 'c']);
  });

  it('is not held by who gave up, or had left before', async () => {
    const room = createReplyRoom({ ...QUICK, maxBytes: 10 });
    const [a, b, c] = [room.enter(), room.enter(), room.enter()];
    const admitted: string[] = [];
    const take = taker(admitted);
    const giving = new AbortController();

    await take(a, 'a', 10);
    const waiting = [take(b, 'b', 10, giving.signal), take(c, 'c', 10)];
    giving.abort();
    c.leave();
    a.leave();
    a.leave();
    await Promise.all(waiting);
    await take(b, 'b too late', 10, giving.signal);
    await take(room.enter(), 'last', 10);

    assert.deepEqual(admitted, ['a', 'b gave up', 'c', 'b too late gave up', 'last']);
  });
});
