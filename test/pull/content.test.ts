import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { createImageStore, packTar, sha256 } from '../../webhook/demo/image-store.ts';
import { parseDigest } from '../../webhook/image/digest.ts';
import { createContentCheck } from '../../webhook/pull/content.ts';
import type { ContentCheck, LayerQuestion } from '../../webhook/pull/content-check.ts';
import { reply, withHeaders } from '../support/bend.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import {
  describeLayer,
  noise,
  OCI_TAR,
  patience,
  questionOf,
  REPOSITORY,
  startLayerRig,
  verdictOf,
  type LayerRig,
} from './layer-rig.ts';

const TAR = packTar({ 'etc/name': 'pullguard\n', 'usr/bin/app': noise(5_000) });
const GZIP = gzipSync(TAR);
const DIFF_ID = sha256(TAR);
/** Skipped by every zstd decoder (RFC 8878, 3.1.2): where zstd:chunked keeps its table of contents. */
const SKIPPABLE = Buffer.concat([Buffer.from('502a4d1804000000', 'hex'), Buffer.from('toc!')]);
const CONTAINERD = { checksSize: true, gzipLabelledTar: 'fails', unpacksZstd: true } as const;
const DOCKER = { checksSize: false, gzipLabelledTar: 'unpacks', unpacksZstd: true } as const;

type Case = {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly mediaType?: string;
  readonly diffId?: string;
  readonly containerd: string;
  /** Where it differs. */
  readonly docker?: string;
};

const SOUND: readonly Case[] = [
  { name: 'gzip', bytes: GZIP, containerd: 'sound' },
  {
    name: 'gzip in several members',
    bytes: Buffer.concat([gzipSync(TAR.subarray(0, 700)), gzipSync(TAR.subarray(700))]),
    containerd: 'sound',
  },
  { name: 'zstd', bytes: zstdCompressSync(TAR), mediaType: `${OCI_TAR}+zstd`, containerd: 'sound' },
  {
    name: 'zstd in several frames, some to be skipped',
    bytes: Buffer.concat([
      SKIPPABLE,
      zstdCompressSync(TAR.subarray(0, 9)),
      zstdCompressSync(TAR.subarray(9)),
      SKIPPABLE,
    ]),
    mediaType: `${OCI_TAR}+zstd`,
    containerd: 'sound',
  },
  { name: 'zstd under a gzip type', bytes: zstdCompressSync(TAR), containerd: 'sound' },
  { name: 'plain tar', bytes: TAR, mediaType: OCI_TAR, containerd: 'sound' },
  { name: 'plain tar under a gzip type', bytes: TAR, containerd: 'sound' },
  {
    name: 'a tar without its last zero blocks',
    bytes: gzipSync(TAR.subarray(0, -1024)),
    diffId: sha256(TAR.subarray(0, -1024)),
    containerd: 'sound',
  },
  { name: 'an empty tar', bytes: gzipSync(''), diffId: sha256(Buffer.alloc(0)), containerd: 'sound' },
  {
    name: 'gzip with padding after it, which tools read differently',
    bytes: Buffer.concat([GZIP, Buffer.alloc(512)]),
    containerd: 'sound',
  },
  {
    name: 'gzip under the plain type of docker',
    bytes: GZIP,
    mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
    containerd: 'sound',
  },
  {
    name: 'an encrypted layer, of which only the content is compared',
    bytes: noise(900),
    mediaType: `${OCI_TAR}+gzip+encrypted`,
    containerd: 'sound',
  },
  {
    name: 'a layer of an unknown type',
    bytes: noise(900),
    mediaType: 'application/vnd.example.data',
    containerd: 'sound',
  },
];

const BROKEN: readonly Case[] = [
  {
    name: 'gzip under the plain tar type',
    bytes: GZIP,
    mediaType: OCI_TAR,
    containerd: 'is packed with gzip, but its media type says plain tar',
    docker: 'sound',
  },
  { name: 'no archive at all', bytes: noise(4_096), containerd: 'is no gzip or tar stream' },
  { name: 'something shorter than a tar header', bytes: Buffer.from('hello'), containerd: 'is no gzip or tar stream' },
  {
    name: 'bzip2',
    bytes: Buffer.concat([Buffer.from('BZh9'), noise(600)]),
    containerd: 'is no gzip or tar stream',
    docker: 'sound',
  },
  { name: 'gzip of no tar', bytes: gzipSync('hello'), containerd: 'unpacks to no tar archive' },
  {
    name: 'gzip that ends early',
    bytes: GZIP.subarray(0, -300),
    containerd: 'cannot be unpacked: its gzip stream is broken',
  },
  {
    name: 'gzip with a wrong checksum',
    bytes: flipped(GZIP, GZIP.length - 8),
    containerd: 'cannot be unpacked: its gzip stream is broken',
  },
  {
    name: 'zstd that ends early',
    bytes: zstdCompressSync(TAR).subarray(0, -5),
    mediaType: `${OCI_TAR}+zstd`,
    containerd: 'cannot be unpacked: its zstd stream is broken',
  },
  {
    name: 'a tar that ends in the middle of a file',
    bytes: gzipSync(TAR.subarray(0, -3_000)),
    containerd: 'is a tar archive that is cut short (unexpected EOF)',
  },
  {
    name: 'a tar with a spoilt second header',
    bytes: gzipSync(flipped(TAR, 1_024 + 130)),
    containerd: 'is a broken tar archive (archive/tar: invalid tar header)',
  },
  {
    name: 'another tar than the config says',
    bytes: gzipSync(packTar({ other: 'file' })),
    containerd: "unpacks to other content than the config's diff id says",
  },
  {
    name: 'a diff id that is none',
    bytes: GZIP,
    diffId: 'sha256:x',
    containerd: "unpacks to other content than the config's diff id says",
  },
];

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 0x10 : byte));
}

function unpacksToTar(bytes: Uint8Array): boolean {
  try {
    return gunzipSync(bytes).equals(TAR);
  } catch {
    return false;
  }
}

describe('a layer read whole', () => {
  let registry: ScriptedRegistry;
  let rig: LayerRig;
  let check: ContentCheck;

  before(async () => {
    registry = await startScriptedRegistry({ store: createImageStore() });
    rig = startLayerRig();
  });
  beforeEach(() => {
    check = createContentCheck({ onRead: () => undefined });
    registry.straighten();
  });
  after(async () => {
    await rig.close();
    await registry.close();
  });

  const judge = async (
    bytes: Uint8Array,
    {
      mediaType,
      ...more
    }: Partial<Omit<LayerQuestion, 'client' | 'layer'>> & { readonly mediaType?: string | undefined },
  ): Promise<string> => {
    registry.store.repository(REPOSITORY).addBlob(bytes);
    const question = questionOf(rig.clientFor(registry.host), describeLayer(bytes, mediaType), more);
    return verdictOf(await check(question, patience()));
  };

  for (const { name, bytes, mediaType, diffId = DIFF_ID, containerd, docker = containerd } of [...SOUND, ...BROKEN]) {
    it(`${containerd === 'sound' ? 'passes' : 'fails'} as ${name}`, async () => {
      assert.equal(await judge(bytes, { mediaType, diffId, ...CONTAINERD }), containerd);
      assert.equal(await judge(bytes, { mediaType, diffId, ...DOCKER }), docker);
    });
  }

  it('fails as zstd for a dockerd that unpacks none, whatever its type says', async () => {
    const ask = async (bytes: Uint8Array, mediaType: string): Promise<string> =>
      await judge(bytes, { mediaType, diffId: DIFF_ID, ...DOCKER, unpacksZstd: false });

    const cannot = 'is packed with zstd, which this runtime cannot unpack';
    assert.equal(await ask(zstdCompressSync(TAR), `${OCI_TAR}+zstd`), cannot);
    assert.equal(await ask(zstdCompressSync(TAR), `${OCI_TAR}+gzip`), cannot);
    assert.equal(await ask(GZIP, `${OCI_TAR}+zstd`), 'sound');
  });

  it('is compared by digest and size alone where the config gives no diff id', async () => {
    assert.equal(await judge(noise(4_096), { diffId: undefined }), 'sound');
  });

  it('is compared by the algorithm that its digest names', async () => {
    const digest = parseDigest(`sha512:${createHash('sha512').update(GZIP).digest('hex')}`);
    assert.ok(digest.ok);
    const layer = { ...describeLayer(GZIP), digest: digest.value };
    registry.bend({ kind: 'blob' }, reply(200, {}, GZIP));

    assert.equal(verdictOf(await check(questionOf(rig.clientFor(registry.host), layer), patience())), 'sound');
  });

  it('names the blob, and that it has other bytes', async () => {
    registry.bend({ kind: 'blob' }, reply(200, {}, flipped(GZIP, 40)));
    const layer = describeLayer(GZIP);
    const result = await check(questionOf(rig.clientFor(registry.host), layer, { diffId: DIFF_ID }), patience());

    assert.deepEqual(result, {
      ok: false,
      error: {
        kind: 'damaged',
        part: 'layer',
        digest: layer.digest,
        problem: 'has other content than its digest says',
        evidence: {
          endpoint: registry.origin,
          method: 'GET',
          path: `/v2/${REPOSITORY}/blobs/${layer.digest}`,
          status: 200,
          code: undefined,
          askedAs: { by: 'anonymous' },
          declaredBy: undefined,
        },
      },
    });
  });

  it('tells how much is missing of one that is shorter, for every runtime', async () => {
    registry.bend({ kind: 'blob' }, reply(200, {}, GZIP.subarray(0, 100)));
    for (const runtime of [CONTAINERD, DOCKER]) {
      const question = questionOf(rig.clientFor(registry.host), describeLayer(GZIP), runtime);
      const expected = `is shorter than its descriptor says: 100 of ${GZIP.length} bytes`;
      // oxlint-disable-next-line no-await-in-loop -- one runtime after the other
      assert.equal(verdictOf(await check(question, patience())), expected);
    }
  });

  it('may have another size than its descriptor says where the runtime pays that no heed', async () => {
    registry.store.repository(REPOSITORY).addBlob(GZIP);
    const layer = { ...describeLayer(GZIP), size: GZIP.length - 7 };
    const ask = async (runtime: typeof CONTAINERD | typeof DOCKER): Promise<string> =>
      verdictOf(
        await check(questionOf(rig.clientFor(registry.host), layer, { diffId: DIFF_ID, ...runtime }), patience()),
      );

    const expected = `is longer than its descriptor says: ${GZIP.length} instead of ${GZIP.length - 7} bytes`;
    assert.equal(await ask(CONTAINERD), expected);
    assert.equal(await ask(DOCKER), 'sound');
  });

  it('is not called damaged where a web page comes in its place', async () => {
    registry.bend({ kind: 'blob' }, reply(200, { 'content-type': 'text/html; charset=utf-8' }, '<html>Sign in</html>'));

    assert.equal(await verdict(GZIP), 'registry-error');
  });

  for (const [status, code, expected] of [
    [404, 'BLOB_UNKNOWN', 'is absent from the registry'],
    [403, 'DENIED', 'access-denied'],
    [429, 'TOOMANYREQUESTS', 'rate-limited'],
    [502, 'UNKNOWN', 'registry-error'],
  ] as const) {
    it(`ends as ${expected} where the registry answers ${status}`, async () => {
      const body = JSON.stringify({ errors: [{ code, message: 'no' }] });
      registry.bend({ kind: 'blob' }, reply(status, { 'content-type': 'application/json' }, body));

      assert.equal(await verdict(GZIP), expected);
    });
  }

  it('is absent only by the word of a registry', async () => {
    registry.bend({ kind: 'blob' }, reply(404, { 'content-type': 'text/html' }, '<h1>Not Found</h1>'));

    assert.equal(await verdict(GZIP), 'registry-error');
  });

  it('proves nothing where it comes in an encoding that nobody asked for', async () => {
    registry.store.repository(REPOSITORY).addBlob(GZIP);
    registry.bend({ kind: 'blob' }, withHeaders({ 'content-encoding': 'gzip' }));

    assert.equal(await verdict(GZIP), 'registry-error');
  });

  it('is found out whichever of its bits is turned', async () => {
    const packed = [GZIP, zstdCompressSync(TAR), Buffer.from(TAR)];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...packed),
        fc.nat(),
        fc.integer({ min: 0, max: 7 }),
        async (bytes, place, bit) => {
          const at = place % bytes.length;
          const turned = bytes.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte));
          registry.straighten();
          registry.bend({ kind: 'blob' }, reply(200, {}, turned));
          const fresh = createContentCheck({ onRead: () => undefined });
          const question = questionOf(rig.clientFor(registry.host), describeLayer(bytes), { diffId: DIFF_ID });

          assert.equal(verdictOf(await fresh(question, patience())), 'has other content than its digest says');
        },
      ),
      { numRuns: 100 },
    );
  });

  it('passes under its own digest only while it unpacks to what the config says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 0, max: 7 }), async (place, bit) => {
        const at = place % GZIP.length;
        const turned = GZIP.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte));

        // some bits of a gzip header mean nothing: its time, the system it was made on
        assert.equal((await judge(turned, { diffId: DIFF_ID })) === 'sound', unpacksToTar(turned));
      }),
      { numRuns: 100 },
    );
  });

  const verdict = async (bytes: Uint8Array): Promise<string> =>
    verdictOf(
      await check(questionOf(rig.clientFor(registry.host), describeLayer(bytes), { diffId: DIFF_ID }), patience()),
    );
});
