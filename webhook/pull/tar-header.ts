/** The part of a tar header that says where the next one begins. */
export type TarHeader = {
  /** One character: `0` is a file, `x` are records about the next header. */
  readonly type: string;
  /** Bytes of content as the header gives them, before padding. */
  readonly size: number;
  /** Blocks of GNU's sparse map stand between this header and its content. */
  readonly hasSparseMap: boolean;
};

/** Reads a block as Go's archive/tar does; `undefined` where that says "invalid tar header". */
export function readTarHeader(block: Buffer): TarHeader | undefined {
  if (!hasTrueChecksum(block)) return undefined;
  const size = numberAt(block, 124, 12);
  if (size === undefined || size < 0) return undefined;
  const name = cString(block.subarray(0, 100));
  const flag = block.toString('latin1', 156, 157);
  // before POSIX a directory was a plain file whose name ends in a slash
  const type = flag === '\0' && name.endsWith('/') ? '5' : flag;
  return { type, size, hasSparseMap: type === 'S' && block[482] !== 0 };
}

/** The sum of all bytes, its own field counted as spaces; old tars took the bytes as signed. */
function hasTrueChecksum(block: Buffer): boolean {
  const written = octal(block.subarray(148, 156));
  let unsigned = 0;
  let signed = 0;
  for (const [at, byte] of block.entries()) {
    const value = at >= 148 && at < 156 ? 0x20 : byte;
    unsigned += value;
    signed += value > 127 ? value - 256 : value;
  }
  return written === unsigned || written === signed;
}

/** Octal digits, or base 256 where the first bit is set: sizes beyond 8 GiB. `undefined` is no number at all. */
function numberAt(block: Buffer, at: number, length: number): number | undefined {
  const field = block.subarray(at, at + length);
  const first = field[0] ?? 0;
  if ((first & 0x80) === 0) return octal(field);
  if ((first & 0x40) !== 0) return -1;
  return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, first & 0x3f);
}

function octal(field: Buffer): number | undefined {
  const text = cString(Buffer.from(field.toString('latin1').replaceAll(/^[ \0]+|[ \0]+$/gu, ''), 'latin1'));
  if (text === '') return 0;
  return /^[0-7]+$/u.test(text) ? Number.parseInt(text, 8) : undefined;
}

function cString(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? field.length : end);
}

/** The `size` of PAX records (`18 size=123456789\n`), `undefined` where none gives it. */
export function sizeRecord(records: Buffer): number | undefined | 'invalid' {
  let size: number | undefined;
  for (let at = 0; at < records.length;) {
    const digits = /^(?<length>\d{1,7}) /u.exec(records.toString('latin1', at, at + 8))?.groups?.['length'];
    const length = Number(digits);
    const end = at + length;
    if (digits === undefined || length < digits.length + 4 || end > records.length || records[end - 1] !== 0x0a)
      return 'invalid';
    const record = records.toString('latin1', at + digits.length + 1, end - 1);
    const value = record.startsWith('size=') ? record.slice('size='.length) : undefined;
    if (value !== undefined && value !== '') {
      if (!/^\d+$/u.test(value)) return 'invalid';
      size = Number(value);
    }
    at = end;
  }
  return size;
}
