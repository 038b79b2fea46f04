import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createBodyBudget, type BodyBudget } from '../../webhook/http/body-budget.ts';
import { readBody } from '../../webhook/http/body.ts';
import { createListener, type Listener } from '../../webhook/http/listener.ts';
import { isForgotten } from '../support/collect-garbage.ts';

const MAX_BYTES = 100_000;

let budget: BodyBudget;
const received = { bytes: 0 };
/** How each reading ended, and the memory that the last one took. */
let ends: string[] = [];
let memory: WeakRef<object> | undefined;
let changed = Promise.withResolvers<void>();
let listener: Listener;
let port: number;
before(async () => {
  listener = createListener(
    (app) => createServer(app),
    (request, response) => {
      request.on('data', (chunk: Buffer) => {
        received.bytes += chunk.length;
      });
      void take(request).then(() => response.end('read'));
    },
    { maxConnections: 100 },
  );
  ({ port } = await listener.listen('127.0.0.1', 0));
});
beforeEach(() => {
  budget = createBodyBudget(220_000);
  received.bytes = 0;
  ends = [];
});
after(() => listener.drain({ lingerMs: 0, limitMs: 0 }));

/** Announces a body and sends a part of it. */
function begin(declared: number, part = declared): Socket {
  const socket = connect({ host: '127.0.0.1', port }).on('error', () => undefined);
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${declared}\r\n\r\n${'x'.repeat(part)}`);
  return socket.resume();
}

/** `2 a, 3 b` for `aabbb`. */
function summaryOf(text: string): string {
  return [...text.matchAll(/(?<one>.)\k<one>*/gu)].map(([run]) => `${run.length} ${run[0]}`).join(', ');
}

async function nextEnd(): Promise<string | undefined> {
  const before = ends.length;
  while (ends.length === before) {
    changed = Promise.withResolvers();
    await changed.promise;
  }
  return ends[before];
}

async function take(request: IncomingMessage): Promise<void> {
  const read = await readBody(request, { maxBytes: MAX_BYTES, budget });
  if (read.ok) memory = new WeakRef(read.value.buffer);
  ends.push(read.ok ? summaryOf(read.value.toString()) : read.error);
  changed.resolve();
}

async function hasReceived(bytes: number): Promise<void> {
  while (received.bytes < bytes) await new Promise(setImmediate);
}

describe('reading a body', () => {
  it('takes it whole, in however many pieces it comes', async () => {
    const pieces = begin(50_000, 0);
    for (const letter of 'abcde') for (let at = 0; at < 10; at += 1) pieces.write(letter.repeat(1000));

    assert.equal(await nextEnd(), '10000 a, 10000 b, 10000 c, 10000 d, 10000 e');
    pieces.destroy();
  });

  it('ends where it is longer than said, or its sender goes', async () => {
    begin(MAX_BYTES + 1, 0);
    assert.equal(await nextEnd(), 'too-large');
    const leaving = begin(100, 50);
    await hasReceived(50);
    leaving.destroy();
    assert.equal(await nextEnd(), 'aborted');
  });

  it('takes from the one that holds most what a new one needs', async () => {
    const slow = [begin(60_000, 59_999), begin(90_000, 89_999), begin(60_000, 59_999)];
    await hasReceived(209_997);

    const crowded = nextEnd();
    const small = begin(20_000, 19_000);
    assert.equal(await crowded, 'crowded-out');
    const whole = nextEnd();
    small.write('x'.repeat(1_000));
    assert.equal(await whole, '20000 x');
    slow[0]?.write('x');
    assert.equal(await nextEnd(), '60000 x');
    for (const socket of [...slow, small]) socket.destroy();
  });

  it('counts what came, not what was announced', async () => {
    const slow = Array.from({ length: 40 }, () => begin(90_000, 1));
    await hasReceived(40);

    const small = begin(10_000);

    assert.equal(await nextEnd(), '10000 x');
    for (const socket of [...slow, small]) socket.destroy();
  });

  it('leaves nothing behind on a connection that stays open', async () => {
    const open = begin(50_000, 40_000);
    await hasReceived(40_000);
    open.write('x'.repeat(10_000));

    assert.equal(await nextEnd(), '50000 x');
    assert.ok(await isForgotten(memory));
    open.destroy();
  });
});
