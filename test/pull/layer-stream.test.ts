import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { createContentCheck } from '../../webhook/pull/content.ts';
import { streamLayer } from '../../webhook/pull/layer-stream.ts';
import type { Bend } from '../../webhook/demo/registry.ts';
import { cut, neverAnswer, reply, throttle } from '../support/bend.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import {
  describeLayer,
  noise,
  patience,
  questionOf,
  REPOSITORY,
  startLayerRig,
  verdictOf,
  type LayerRig,
} from './layer-rig.ts';

const BYTES = noise(20_000);
const LAYER = describeLayer(BYTES);
const breaksOff = (at: number): string => `breaks off after ${at} of ${BYTES.length} bytes`;

/** Answers every Range with the whole, as plain file servers may. */
const ignoreRange: Bend = () => ({ status: 200, headers: {}, body: BYTES });

describe('the transfer of a layer', () => {
  let registry: ScriptedRegistry;
  let rig: LayerRig;

  before(async () => {
    registry = await startScriptedRegistry();
    registry.store.repository(REPOSITORY).addBlob(BYTES);
    rig = startLayerRig({ answerMs: 400 });
  });
  beforeEach(() => {
    registry.straighten();
    registry.log.clear();
  });
  after(async () => {
    await rig.close();
    await registry.close();
  });

  const verdict = async (signal = patience()): Promise<string> => {
    const check = createContentCheck({ onRead: () => undefined });
    return verdictOf(await check(questionOf(rig.clientFor(registry.host), LAYER), signal));
  };
  const ranges = (): readonly (string | undefined)[] => registry.log.requests.map(({ headers }) => headers.range);

  it('is one request where nothing breaks off', async () => {
    assert.equal(await verdict(), 'sound');
    assert.deepEqual(ranges(), [undefined]);
  });

  it('goes on by Range from where it broke off', async () => {
    registry.bend({ kind: 'blob' }, cut(7_000), { times: 2 });

    assert.equal(await verdict(), 'sound');
    assert.deepEqual(ranges(), [undefined, 'bytes=7000-', 'bytes=14000-']);
  });

  it('leaves out what it has where the registry begins anew', async () => {
    registry.bend({ kind: 'blob' }, ignoreRange);
    registry.bend({ kind: 'blob' }, cut(7_000), { times: 1 });
    registry.bend({ kind: 'blob' }, cut(3_000), { times: 1, after: 1 });

    assert.equal(await verdict(), 'sound');
    assert.deepEqual(ranges(), [undefined, 'bytes=7000-', 'bytes=7000-']);
  });

  it('brings each byte once and in order, wherever it breaks off and whatever the registry makes of Range', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(BYTES.length - 1), { maxLength: 6 }), fc.boolean(), async (cuts, knowsRange) => {
        registry.straighten();
        if (!knowsRange) registry.bend({ kind: 'blob' }, ignoreRange);
        // no more than three in a row that bring nothing new
        const places = knowsRange ? cuts.map((at) => Math.max(1, at)) : cuts.slice(0, 3);
        for (const [after, at] of places.entries()) registry.bend({ kind: 'blob' }, cut(at), { times: 1, after });
        const taken: Uint8Array[] = [];
        const take = async (bytes: Uint8Array): Promise<void> => {
          taken.push(Buffer.from(bytes));
        };
        const transfer = await streamLayer(rig.clientFor(registry.host), LAYER, take, patience());

        assert.equal(transfer.ok && !transfer.value.wasCut && transfer.value.bytes, BYTES.length);
        assert.ok(Buffer.concat(taken).equals(BYTES));
      }),
      { numRuns: 60 },
    );
  });

  it('is given up after four requests that bring nothing new', async () => {
    registry.bend({ kind: 'blob' }, ignoreRange);
    registry.bend({ kind: 'blob' }, cut(1_000));

    assert.equal(await verdict(), breaksOff(1_000));
    assert.deepEqual(ranges(), [undefined, ...Array<string>(4).fill('bytes=1000-')]);
  });

  it('is given up where a Range is answered from elsewhere', async () => {
    registry.bend({ kind: 'blob' }, cut(1_000), { times: 1 });
    const elsewhere = reply(206, { 'content-range': `bytes 5-${BYTES.length - 1}/${BYTES.length}` }, BYTES.subarray(5));
    registry.bend({ kind: 'blob' }, elsewhere, { after: 1 });

    assert.equal(await verdict(), breaksOff(1_000));
  });

  it('ends where the registry has nothing behind what came', async () => {
    registry.bend({ kind: 'blob' }, cut(1_000), { times: 1 });
    registry.bend({ kind: 'blob' }, reply(416, { 'content-range': 'bytes */1000' }), { after: 1 });

    assert.equal(await verdict(), breaksOff(1_000));
  });

  it('proves nothing where the registry fails on the way', async () => {
    registry.bend({ kind: 'blob' }, cut(1_000), { times: 1 });
    registry.bend({ kind: 'blob' }, reply(503, {}), { after: 1 });

    assert.equal(await verdict(), 'registry-error');
  });

  it('proves nothing where it breaks off ever anew', async () => {
    registry.bend({ kind: 'blob' }, cut(1));

    assert.equal(await verdict(), 'not-checked');
    assert.ok(registry.log.requests.length < 100);
  });

  it('is unreachable, not damaged, where our time ends', async () => {
    registry.bend({ kind: 'blob' }, throttle(2_000));

    assert.equal(await verdict(AbortSignal.timeout(300)), 'unreachable: timeout');
  });

  it('is unreachable where no answer comes', async () => {
    registry.bend({ kind: 'blob' }, neverAnswer);

    assert.equal(await verdict(AbortSignal.timeout(300)), 'unreachable: timeout');
  });

  it('is unreachable where the registry falls silent in the middle', async () => {
    const silent = await listen(
      createServer((_request, response) => {
        response.writeHead(200, { 'content-length': BYTES.length });
        response.write(BYTES.subarray(0, 5_000));
      }),
    );
    try {
      const check = createContentCheck({ onRead: () => undefined });
      const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;

      assert.equal(verdictOf(await check(questionOf(rig.clientFor(host), LAYER), patience())), 'unreachable: timeout');
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});

async function listen(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}
