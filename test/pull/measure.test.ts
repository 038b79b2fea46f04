import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createImageStore } from '../../webhook/demo/image-store.ts';
import { createMeter } from '../../webhook/pull/measure.ts';
import type { RegistryClient } from '../../webhook/registry/client.ts';
import type { Transport } from '../../webhook/registry/wire.ts';
import { createClient, createWire, endpointAt } from '../registry/rig.ts';
import { cut, neverAnswer, status, throttle } from '../support/bend.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';

const MIB = 1024 * 1024;

const store = createImageStore();
const image = store.repository('team/app').addImage({ paddingBytes: 3 * MIB, tags: ['1'] });
const layer = image.layers[1] ?? image.config;

let registry: ScriptedRegistry;
let transport: Transport;
let client: RegistryClient;
let nowMs: number;
before(async () => {
  registry = await startScriptedRegistry({ store });
  transport = createWire();
  client = createClient({ transport, endpoint: endpointAt(registry.host) });
});
after(() => Promise.all([transport.close(), registry.close()]));
beforeEach(() => {
  registry.straighten();
  registry.log.clear();
  nowMs = 0;
});

/** A clock by which each piece that comes takes ten milliseconds. */
const ticking = (): number => (nowMs += 10);
const signal = (): AbortSignal => AbortSignal.timeout(10_000);

/** By a real clock: a machine that stands still for the half second is asked once more. */
async function measureInTime(tries = 10): Promise<number | undefined> {
  const meter = createMeter({ now: () => performance.now() });
  const rate = await meter.measure({ host: 'reg.test', client, layer }, signal());
  return rate === undefined && tries > 1 ? measureInTime(tries - 1) : rate;
}

describe('a short read of a layer', () => {
  it('tells how fast a registry is, once in ten minutes', async () => {
    const meter = createMeter({ now: ticking });
    const source = { host: 'reg.test', client, layer };

    const rate = await meter.measure(source, signal());
    const again = await meter.measure(source, signal());

    assert.ok(rate !== undefined && rate > 0);
    assert.equal(meter.rateOf('reg.test'), rate);
    assert.equal(meter.rateOf('other.test'), undefined);
    assert.equal(again, undefined);
    assert.deepEqual(registry.log.lines(), [`GET /v2/team/app/blobs/${layer.digest}`]);

    nowMs += 10 * 60_000;
    assert.equal(meter.rateOf('reg.test'), undefined);
    assert.ok((await meter.measure(source, signal())) !== undefined);
    assert.equal(registry.log.requests.length, 2);
  });

  it('ends at half a second, whatever has come by then', async () => {
    registry.bend({ kind: 'blob' }, throttle(400_000));

    const rate = await measureInTime();

    // nothing is said of how near it comes: only that it is no megabyte a second
    assert.ok(rate !== undefined && rate > 0 && rate < 4_000_000, String(rate));
  });

  for (const [name, bend] of [
    ['refuses', status(403, 'DENIED')],
    ['fails', status(500, 'UNKNOWN')],
    ['breaks off at once', cut(1000)],
    ['never answers', neverAnswer],
  ] as const) {
    it(`says nothing of a registry that ${name}`, async () => {
      registry.bend({ kind: 'blob' }, bend);
      const meter = createMeter({ now: ticking });
      const source = { host: 'reg.test', client, layer };

      assert.equal(await meter.measure(source, AbortSignal.timeout(200)), undefined);
      assert.equal(meter.rateOf('reg.test'), undefined);
    });
  }

  it('tells of a registry that is slower than buffers are large', async () => {
    registry.bend({ kind: 'blob' }, throttle(20_000));

    const rate = await measureInTime();

    assert.ok(rate !== undefined && rate > 0 && rate < 200_000, String(rate));
  });

  it('tells of a registry that begins and then is silent, for a minute', async () => {
    const hanging = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': String(layer.size) });
      response.flushHeaders();
    });
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    const { port } = hanging.address() as AddressInfo;
    const silent = createClient({ transport, endpoint: endpointAt(`127.0.0.1:${port}`) });
    const meter = createMeter({ now: () => nowMs });

    const rate = await meter.measure({ host: 'reg.test', client: silent, layer }, signal());
    hanging.closeAllConnections();
    hanging.close();

    assert.equal(rate, undefined);
    assert.equal(meter.rateOf('reg.test'), undefined);
    assert.equal(meter.silenceOf('reg.test'), 1);
    assert.equal(meter.isDue('reg.test'), false);
    nowMs += 60_000;
    assert.equal(meter.silenceOf('reg.test'), undefined);
    assert.equal(meter.isDue('reg.test'), true);
  });

  it('is made once, however many ask at a time', async () => {
    const meter = createMeter({ now: ticking });
    const source = { host: 'reg.test', client, layer };

    await Promise.all(Array.from({ length: 8 }, () => meter.measure(source, signal())));

    assert.equal(registry.log.requests.length, 1);
  });
});
