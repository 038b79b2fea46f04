import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeImageConfig } from '../../webhook/image/image-config.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const bytes = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe('decodeImageConfig', () => {
  it('reads the platform and the layers that it was made from', () => {
    const body = { os: 'linux', architecture: 'arm', variant: 'v6', rootfs: { type: 'layers', diff_ids: [DIGEST] } };

    assert.deepEqual(decodeImageConfig(bytes(body)), {
      ok: true,
      value: { platform: { os: 'linux', architecture: 'arm', variant: 'v6', osVersion: undefined }, diffIds: [DIGEST] },
    });
  });

  it('reads the empty config of an artifact as a platform without names', () => {
    const decoded = decodeImageConfig(bytes({}));

    assert.ok(decoded.ok);
    assert.deepEqual(
      [decoded.value.platform.os, decoded.value.platform.architecture, decoded.value.diffIds],
      ['', '', []],
    );
  });

  const odd: readonly (readonly [problem: string, body: object])[] = [
    ['"created" in it is not a time', { created: 'yesterday' }],
    ['"created" in it is not a time', { created: '' }],
    ['"os" in it is not text', { os: 7 }],
    ['"Env" in it is not a list of texts', { config: { Env: 'A=1' } }],
    ['"User" in it is not text', { config: { User: 0 } }],
    ['"Labels" in it is not an object of texts', { config: { Labels: { one: 1 } } }],
    ['"diff_ids" in it is not a list of texts', { rootfs: { diff_ids: [DIGEST, 7] } }],
    ['"history" in it is not a list of objects', { history: 'long' }],
    ['"created" in it is not a time', { history: [{}, { created: 'then' }] }],
    ['"created" in it is not a time', { created: '2024-02-30T00:00:00Z' }],
    ['"empty_layer" in it is not true or false', { history: [{ empty_layer: 'yes' }] }],
    ['"ArgsEscaped" in it is not true or false', { config: { ArgsEscaped: 'yes' } }],
  ];
  for (const [problem, body] of odd) {
    it(`notes what not every runtime reads: ${JSON.stringify(body)}`, () => {
      const decoded = decodeImageConfig(bytes(body));

      assert.ok(decoded.ok && decoded.value.oddity === problem);
    });
  }

  it('finds nothing odd in what tools write', () => {
    const run = {
      User: '',
      Env: null,
      Labels: {},
      Volumes: { '/data': {} },
      Cmd: ['/app'],
      OnBuild: [],
      Healthcheck: {},
    };
    const history = [{ created: '0001-01-01T00:00:00Z', created_by: 'x', empty_layer: true }, { created: null }];
    const body = { created: '1970-01-01T00:00:00.123456789+01:00', config: run, history, container_config: 7 };
    const decoded = decodeImageConfig(bytes(body));

    assert.ok(decoded.ok && decoded.value.oddity === undefined);
  });

  it('takes null for an image that says nothing, as Go does', () => {
    const decoded = decodeImageConfig(bytes('null\n'));

    assert.ok(decoded.ok && decoded.value.diffIds.length === 0);
  });

  for (const body of ['', 'PK', '[]', '"linux"', '{', '\uFEFF{}']) {
    it(`refuses ${JSON.stringify(body)}`, () => {
      assert.ok(!decodeImageConfig(bytes(body)).ok);
    });
  }

  it('holds no more layers than a manifest may list and one', () => {
    const decoded = decodeImageConfig(bytes({ rootfs: { diff_ids: Array.from({ length: 5000 }, () => DIGEST) } }));

    assert.equal(decoded.ok && decoded.value.diffIds.length, 2049);
  });
});
