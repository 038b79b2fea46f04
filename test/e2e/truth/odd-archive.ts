export type Member = {
  readonly name: string;
  /** The type flag; `0` is a file. */
  readonly type?: string;
  readonly link?: string;
  readonly body?: string;
  /** In place of the right one. */
  readonly sum?: number;
};
/** A ustar archive of members of any kind, sound or not; `end` stands for the two blocks of zeros. */
export function packMembers(members: readonly Member[], end: Uint8Array = Buffer.alloc(1024)): Uint8Array {
  const parts = members.flatMap(({ name, type = '0', link = '', body = '', sum }) => {
    const header = Buffer.alloc(512);
    const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
    header.write(name, 0);
    header.write(octal(0o755, 7) + octal(0, 7) + octal(0, 7) + octal(Buffer.byteLength(body), 11) + octal(0, 11), 100);
    header.write(`        ${type}${link}`, 148);
    header.write('ustar\u000000', 257);
    const total = sum ?? header.reduce((one, two) => one + two, 0);
    header.write(`${octal(total, 6)} `, 148);
    const bytes = Buffer.from(body);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, end]);
}
