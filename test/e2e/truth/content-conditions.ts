import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Bend } from '../../../webhook/demo/registry.ts';
import { cut, raw, redirect, reply, status, withHeaders, withoutHeader } from '../../support/bend.ts';
import {
  ABSENT,
  blobHeadsSay,
  blobsSay,
  configText,
  configWith,
  image,
  index,
  linux,
  OCI_LAYER,
  ofConfigs,
  ofLayers,
  packedBy,
  type RegistryCondition,
} from './registry-condition.ts';

const CHUNKED = withHeaders({ 'transfer-encoding': 'chunked' });
const PAGE = reply(200, { 'content-type': 'text/html' }, '<html>log in</html>');
const twoLayers: RegistryCondition['fill'] = (r) =>
  void r.addImage({ tags: ['1'], layers: [{ a: `a of ${r.name}` }, { b: `b of ${r.name}` }] });

/** One bit of it. */
const flipped: Bend = (_question, answer) => ({
  ...answer,
  body: answer.body.map((byte, at) => (at === answer.body.length >> 1 ? byte ^ 1 : byte)),
});

/** pull-parity D12, F10 and F13, as rows: configs and layers, how they are served and what they hold. */
export const CONTENT_CONDITIONS: readonly RegistryCondition[] = [
  { id: 'child-absent', rule: 'J68', fill: index(linux('amd64')), damage: 'child' },
  { id: 'config-absent', rule: 'J69', fill: image, damage: 'config' },
  { id: 'layer-absent', rule: 'J70', fill: image, damage: 'layer' },
  { id: 'layer-absent-of-two', rule: 'J70', fill: twoLayers, damage: 'layer' },
  { id: 'layers-absent-both', rule: 'J70', fill: twoLayers, bends: blobsSay(ofLayers(status(404, 'BLOB_UNKNOWN'))) },
  { id: 'blob-head-404', rule: 'design 5.6', fill: image, bends: blobHeadsSay(status(404, 'BLOB_UNKNOWN')) },
  { id: 'blob-head-403', rule: 'design 5.6', fill: image, bends: blobHeadsSay(status(403, 'DENIED')) },
  { id: 'blob-head-401', rule: 'design 5.6', fill: image, bends: blobHeadsSay(status(401, 'UNAUTHORIZED')) },
  { id: 'blob-head-405', rule: 'design 5.6', fill: image, bends: blobHeadsSay(status(405, 'UNSUPPORTED')) },
  { id: 'blob-head-429', rule: 'design 5.6', fill: image, bends: blobHeadsSay(status(429, 'TOOMANYREQUESTS')) },
  { id: 'blob-head-500', rule: 'design 5.6', fill: image, bends: blobHeadsSay(status(500, 'UNKNOWN')) },
  { id: 'blob-head-204', rule: 'design 5.6', fill: image, bends: blobHeadsSay(reply(204, {})) },
  { id: 'blob-head-page', rule: 'design 5.6', fill: image, bends: blobHeadsSay(PAGE) },
  { id: 'blob-head-breaks-off', rule: 'design 5.6', fill: image, bends: blobHeadsSay(cut('start')) },
  { id: 'blob-head-no-http', rule: 'design 5.6', fill: image, bends: blobHeadsSay(raw('nothing\r\n\r\n')) },
  {
    id: 'blob-head-length-zero',
    rule: 'design 5.6',
    fill: image,
    bends: blobHeadsSay(withHeaders({ 'content-length': '0' })),
  },
  {
    id: 'blob-head-length-other',
    rule: 'design 5.6',
    fill: image,
    bends: blobHeadsSay(withHeaders({ 'content-length': '123456' })),
  },
  {
    id: 'blob-head-redirect-dead',
    rule: 'design 5.6',
    fill: image,
    bends: blobHeadsSay(redirect('http://127.0.0.1:1/x')),
  },
  {
    id: 'blob-head-redirect-no-host',
    rule: 'design 5.6',
    fill: image,
    bends: blobHeadsSay(redirect('http://cdn.truth.invalid/x')),
  },
  { id: 'blob-get-403', rule: 'J81', fill: image, bends: blobsSay(status(403, 'DENIED')) },
  { id: 'blob-get-429', rule: 'J81', fill: image, bends: blobsSay(status(429, 'TOOMANYREQUESTS')) },
  { id: 'blob-get-500', rule: 'J81', fill: image, bends: blobsSay(status(500, 'UNKNOWN')) },
  { id: 'blob-get-502', rule: 'J81', fill: image, bends: blobsSay(status(502, 'UNKNOWN')) },
  { id: 'blob-get-206', rule: 'D12', fill: image, bends: blobsSay((_q, a) => ({ ...a, status: 206 })) },
  { id: 'blob-get-203', rule: 'D12', fill: image, bends: blobsSay((_q, a) => ({ ...a, status: 203 })) },
  { id: 'blob-get-page', rule: 'J81', fill: image, bends: blobsSay(ofLayers(PAGE)) },
  {
    id: 'blob-404-page',
    rule: 'J70',
    fill: image,
    bends: blobsSay(reply(404, { 'content-type': 'text/html' }, '<p>')),
  },
  { id: 'blob-breaks-off', rule: 'J72', fill: image, bends: blobsSay(cut('start')) },
  { id: 'layer-403', rule: 'J81', fill: image, bends: blobsSay(ofLayers(status(403, 'DENIED'))) },
  { id: 'layer-401', rule: 'J82', fill: image, bends: blobsSay(ofLayers(status(401, 'UNAUTHORIZED'))) },
  { id: 'config-403', rule: 'J81', fill: image, bends: blobsSay(ofConfigs(status(403, 'DENIED'))) },
  { id: 'config-page', rule: 'J81', fill: image, bends: blobsSay(ofConfigs(PAGE)) },
  { id: 'blob-redirect-dead', rule: 'J80', fill: image, bends: blobsSay(redirect('http://127.0.0.1:1/gone')) },
  { id: 'blob-redirect-no-host', rule: 'J80', fill: image, bends: blobsSay(redirect('http://cdn.truth.invalid/blob')) },
  { id: 'blob-redirect-no-location', rule: 'D15', fill: image, bends: blobsSay(reply(307, {})) },
  { id: 'blob-no-length', rule: 'D12', fill: image, bends: blobsSay(CHUNKED) },
  { id: 'blob-no-ranges', rule: 'D12', fill: image, bends: blobsSay(withoutHeader('accept-ranges')) },
  {
    id: 'blob-other-digest-header',
    rule: 'D12',
    fill: image,
    bends: blobsSay(withHeaders({ 'docker-content-digest': ABSENT })),
  },
  { id: 'blob-type-html', rule: 'D12', fill: image, bends: blobsSay(withHeaders({ 'content-type': 'text/html' })) },

  { id: 'layer-plain-tar', rule: 'F10', fill: packedBy((tar) => tar, 'application/vnd.oci.image.layer.v1.tar') },
  { id: 'layer-zstd', rule: 'F10', fill: packedBy(zstdCompressSync, 'application/vnd.oci.image.layer.v1.tar+zstd') },
  {
    id: 'layer-zstd-docker',
    rule: 'F10',
    fill: packedBy(zstdCompressSync, 'application/vnd.docker.image.rootfs.diff.tar.zstd'),
  },
  { id: 'layer-tar-called-gzip', rule: 'F10', contentOnly: true, fill: packedBy((tar) => tar) },
  { id: 'layer-zstd-called-gzip', rule: 'F10', contentOnly: true, fill: packedBy(zstdCompressSync) },
  {
    id: 'layer-gzip-called-tar',
    rule: 'I1',
    contentOnly: true,
    fill: packedBy(gzipSync, 'application/vnd.oci.image.layer.v1.tar'),
  },
  {
    id: 'layer-nondistributable',
    rule: 'F11',
    fill: packedBy(gzipSync, 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'),
  },
  { id: 'layer-encrypted', rule: 'F10', fill: packedBy(gzipSync, `${OCI_LAYER}+encrypted`) },
  { id: 'layer-two-gzip-members', rule: 'F10', contentOnly: true, fill: packedBy(inTwoMembers) },
  { id: 'layer-no-archive', rule: 'J74', contentOnly: true, fill: packedBy(() => gzipSync('no archive at all')) },
  {
    id: 'layer-other-archive',
    rule: 'J75',
    contentOnly: true,
    fill: packedBy((tar) => gzipSync(tar.subarray(0, 512))),
  },
  { id: 'layer-flipped', rule: 'J71', contentOnly: true, fill: image, bends: blobsSay(ofLayers(flipped)) },
  { id: 'layer-cut', rule: 'J72', contentOnly: true, fill: image, bends: blobsSay(ofLayers(cut(40))) },
  {
    id: 'layer-shorter',
    rule: 'J72',
    fill: image,
    bends: blobsSay(ofLayers((_q, a) => ({ ...a, body: a.body.subarray(0, 60) }))),
  },

  { id: 'config-not-json', rule: 'J76', fill: configText(() => 'not json') },
  { id: 'config-list', rule: 'J76', fill: configText(() => '[]') },
  { id: 'config-null', rule: 'J76', fill: configText(() => 'null') },
  { id: 'config-byte-order-mark', rule: 'J76', fill: configText((config) => `\u{FEFF}${JSON.stringify(config)}`) },
  { id: 'config-goes-on', rule: 'J76', fill: configText((config) => `${JSON.stringify(config)} {}`) },
  { id: 'diff-ids-too-few', rule: 'J76', fill: configWith({ rootfs: { type: 'layers', diff_ids: [] } }) },
  {
    id: 'diff-ids-too-many',
    rule: 'J76',
    fill: configText(({ rootfs, ...rest }) =>
      JSON.stringify({ ...rest, rootfs: { ...rootfs, diff_ids: [...rootfs.diff_ids, ABSENT] } }),
    ),
  },
  { id: 'diff-ids-of-no-digest', rule: 'J75', contentOnly: true, fill: configWith({ rootfs: { diff_ids: ['abc'] } }) },
  { id: 'diff-ids-other', rule: 'J75', contentOnly: true, fill: configWith({ rootfs: { diff_ids: [ABSENT] } }) },
  { id: 'diff-ids-numbers', rule: 'J76', fill: configWith({ rootfs: { diff_ids: [7] } }) },
  { id: 'rootfs-absent', rule: 'J76', fill: configWith({ rootfs: undefined }) },
  {
    id: 'rootfs-untyped',
    rule: 'J76',
    fill: configText(({ rootfs, ...rest }) => JSON.stringify({ ...rest, rootfs: { diff_ids: rootfs.diff_ids } })),
  },
  {
    id: 'config-upper-case-keys',
    rule: 'J76',
    fill: configText(({ rootfs, os, architecture }) =>
      JSON.stringify({ OS: os, Architecture: architecture, RootFS: { Type: 'layers', Diff_IDs: rootfs.diff_ids } }),
    ),
  },
  { id: 'config-without-platform', rule: 'F6', fill: configWith({ os: undefined, architecture: undefined }) },
  { id: 'config-created-odd', rule: 'J76', fill: configWith({ created: 'yesterday' }) },
  { id: 'config-created-empty', rule: 'J76', fill: configWith({ created: '' }) },
  { id: 'config-created-null', rule: 'J76', fill: configWith({ created: null }) },
  { id: 'config-created-sound', rule: 'J76', fill: configWith({ created: '1970-01-01T00:00:00.123456789+01:00' }) },
  { id: 'config-history-odd', rule: 'J76', fill: configWith({ history: 'long' }) },
  { id: 'config-env-odd', rule: 'J76', fill: configWith({ config: { Env: 'A=1' } }) },
  { id: 'config-user-number', rule: 'J76', fill: configWith({ config: { User: 0 } }) },
  { id: 'config-os-number', rule: 'J76', fill: configWith({ os: 7 }) },
  { id: 'config-odd-utf8', rule: 'J76', fill: configText((config) => oddUtf8(JSON.stringify(config))) },
  { id: 'config-of-9-mib', rule: 'F13', fill: configWith({ padding: 'x'.repeat(9 * 1024 * 1024) }) },
];

function inTwoMembers(tar: Uint8Array): Uint8Array {
  return Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]);
}

function oddUtf8(text: string): Uint8Array {
  return Buffer.from(`${text.slice(0, -1)},"author":"\u{FF}"}`, 'latin1');
}
