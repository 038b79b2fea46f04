import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { packTar } from '../../webhook/demo/image-store.ts';
import { parseDigest, type Digest } from '../../webhook/image/digest.ts';
import { createContentCheck } from '../../webhook/pull/content.ts';
import { collectGarbage } from '../support/collect-garbage.ts';
import { noise, OCI_TAR, patience, questionOf, startLayerRig, verdictOf } from './layer-rig.ts';

const MIB = 1024 * 1024;
const FILE_MIB = 48;
/** Between two looks at the memory, as collecting garbage takes long beside the heap of many tests. */
const LOOK_EVERY = 8 * MIB;

/** A tar with one large file, made anew each time it is wanted: it is never held. */
function* largeTar(block: Uint8Array): Generator<Uint8Array> {
  yield headerOf(FILE_MIB * MIB);
  for (let count = 0; count < FILE_MIB; count += 1) yield block;
  yield Buffer.alloc(1_024);
}

const unpacked = (block: Uint8Array): Readable => Readable.from(largeTar(block));

/** Header of a file of that size: a small file's, with the size and the sum written anew. */
function headerOf(size: number): Uint8Array {
  const header = Buffer.from(packTar({ 'large.bin': '' }).subarray(0, 512));
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

async function measure(stream: () => Readable): Promise<{ readonly digest: Digest; readonly size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of stream() as AsyncIterable<Buffer>) {
    size += piece.length;
    hash.update(piece);
  }
  const digest = parseDigest(`sha256:${hash.digest('hex')}`);
  assert.ok(digest.ok);
  return { digest: digest.value, size };
}

describe('the memory that reading a layer takes', () => {
  const cases = [
    { name: 'as large as its content', block: noise(MIB), mediaType: OCI_TAR, packs: false },
    { name: 'a thousandth of what it unpacks to', block: Buffer.alloc(MIB), mediaType: `${OCI_TAR}+gzip`, packs: true },
  ];
  for (const { name, block, mediaType, packs } of cases) {
    it(`stays small for a layer that is ${name}`, async () => {
      const packed = (): Readable => (packs ? unpacked(block).pipe(createGzip({ level: 1 })) : unpacked(block));
      const [{ digest: diffId }, { digest, size }] = [await measure(() => unpacked(block)), await measure(packed)];
      const server = createServer((_request, response) => {
        response.writeHead(200, { 'content-length': size });
        pipeline(packed(), response).catch(() => response.destroy());
      });
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      const rig = startLayerRig();
      try {
        collectGarbage();
        const before = process.memoryUsage().rss;
        let peak = before;
        let lookedAt = 0;
        const check = createContentCheck({
          onRead: (total) => {
            if (total < lookedAt + LOOK_EVERY) return;
            lookedAt = total;
            collectGarbage();
            peak = Math.max(peak, process.memoryUsage().rss);
          },
        });
        const client = rig.clientFor(`127.0.0.1:${(server.address() as AddressInfo).port}`);
        const layer = { mediaType, digest, size, urls: [], platform: undefined };
        const result = await check(questionOf(client, layer, { diffId }), patience());
        peak = Math.max(peak, process.memoryUsage().rss);

        assert.equal(verdictOf(result), 'sound');
        const grown = (peak - before) / MIB;
        assert.ok(grown < FILE_MIB * 0.75, `memory grew by ${Math.round(grown)} MiB`);
      } finally {
        await rig.close();
        server.closeAllConnections();
        server.close();
      }
    });
  }
});
