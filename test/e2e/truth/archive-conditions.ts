import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Repository } from '../../../webhook/demo/image-store.ts';
import { packMembers, type Member } from './odd-archive.ts';
import { packedAs, packedBy, type RegistryCondition } from './registry-condition.ts';

const unique = ({ name }: Repository): Member => ({ name: 'name', body: name });

/** pull-parity F10 and F13, as rows: archives and packings that are not quite what tools write. */
export const ARCHIVE_CONDITIONS: readonly RegistryCondition[] = [
  { id: 'layer-tar-empty', rule: 'F13', fill: packedAs(() => Buffer.alloc(1024)) },
  { id: 'layer-tar-nothing', rule: 'F13', fill: packedAs(() => Buffer.alloc(0)) },
  { id: 'layer-tar-no-end', rule: 'F13', fill: packedAs((r) => packMembers([unique(r)], Buffer.alloc(0))) },
  {
    id: 'layer-tar-noise-after-end',
    rule: 'F13',
    fill: packedAs((r) => packMembers([unique(r)], Buffer.concat([Buffer.alloc(1024), Buffer.from('noise')]))),
  },
  {
    id: 'layer-tar-noise-for-end',
    rule: 'F13',
    contentOnly: true,
    fill: packedAs((r) => packMembers([unique(r)], Buffer.alloc(1024, 'noise'))),
  },
  {
    id: 'layer-tar-checksum-wrong',
    rule: 'F13',
    contentOnly: true,
    fill: packedAs((r) => packMembers([{ ...unique(r), sum: 7 }])),
  },
  {
    id: 'layer-tar-hard-link',
    rule: 'F13',
    fill: packedAs((r) => packMembers([unique(r), { name: 'link', type: '1', link: 'name' }])),
  },
  {
    id: 'layer-tar-hard-link-to-nothing',
    rule: 'F13',
    openBecause: 'what an archive means on a disk is not looked at',
    fill: packedAs((r) => packMembers([unique(r), { name: 'link', type: '1', link: 'nothing' }])),
  },
  {
    id: 'layer-tar-symlink-to-nothing',
    rule: 'F13',
    fill: packedAs((r) => packMembers([unique(r), { name: 'link', type: '2', link: '/nothing' }])),
  },
  {
    id: 'layer-tar-upwards',
    rule: 'F13',
    fill: packedAs((r) => packMembers([unique(r), { name: '../../escape', body: 'x' }])),
  },
  {
    id: 'layer-tar-absolute',
    rule: 'F13',
    fill: packedAs((r) => packMembers([unique(r), { name: '/absolute', body: 'x' }])),
  },
  { id: 'layer-tar-fifo', rule: 'F13', fill: packedAs((r) => packMembers([unique(r), { name: 'fifo', type: '6' }])) },
  { id: 'layer-tar-device', rule: 'F13', fill: packedAs((r) => packMembers([unique(r), { name: 'null', type: '3' }])) },
  {
    id: 'layer-tar-whiteout',
    rule: 'F13',
    fill: packedAs((r) => packMembers([unique(r), { name: '.wh.nothing' }, { name: 'a/.wh..wh..opq' }])),
  },
  {
    id: 'layer-tar-pax',
    rule: 'F13',
    fill: packedAs((r) => packMembers([{ name: 'pax', type: 'x', body: '14 path=other\n' }, unique(r)])),
  },
  {
    id: 'layer-tar-pax-odd',
    rule: 'F13',
    contentOnly: true,
    fill: packedAs((r) => packMembers([{ name: 'pax', type: 'x', body: '99 path=other\n' }, unique(r)])),
  },
  {
    id: 'layer-tar-global-pax',
    rule: 'F13',
    fill: packedAs((r) => packMembers([{ name: 'pax', type: 'g', body: '10 a=bcde\n' }, unique(r)])),
  },
  {
    id: 'layer-tar-halved',
    rule: 'F13',
    contentOnly: true,
    fill: packedAs((r) => packMembers([{ ...unique(r), body: 'x'.repeat(3000) }]).subarray(0, 1500)),
  },
  {
    id: 'layer-gzip-noise-after',
    rule: 'F10',
    openBecause: 'some tools read on behind the end of a stream, and some do not',
    fill: packedBy((tar) => Buffer.concat([gzipSync(tar), Buffer.from('noise')])),
  },
  {
    id: 'layer-gzip-sum-wrong',
    rule: 'F10',
    contentOnly: true,
    fill: packedBy((tar) => {
      const bytes = Buffer.from(gzipSync(tar));
      bytes[bytes.length - 8] = (bytes[bytes.length - 8] ?? 0) ^ 1;
      return bytes;
    }),
  },
  {
    id: 'layer-gzip-length-wrong',
    rule: 'F10',
    contentOnly: true,
    fill: packedBy((tar) => {
      const bytes = Buffer.from(gzipSync(tar));
      bytes[bytes.length - 1] = 7;
      return bytes;
    }),
  },
  {
    id: 'layer-gzip-without-end',
    rule: 'F10',
    contentOnly: true,
    fill: packedBy((tar) => gzipSync(tar).subarray(0, -8)),
  },
  {
    id: 'layer-zstd-two-frames',
    rule: 'F10',
    fill: packedBy(
      (tar) => Buffer.concat([zstdCompressSync(tar.subarray(0, 700)), zstdCompressSync(tar.subarray(700))]),
      'application/vnd.oci.image.layer.v1.tar+zstd',
    ),
  },
  {
    id: 'layer-zstd-halved',
    rule: 'F10',
    contentOnly: true,
    fill: packedBy((tar) => zstdCompressSync(tar).subarray(0, -20), 'application/vnd.oci.image.layer.v1.tar+zstd'),
  },
];
