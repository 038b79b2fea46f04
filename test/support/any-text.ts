import * as fc from 'fast-check';

const ASCII = 0x80;
const CODE_POINTS = 0x110000;
const SURROGATES_FROM = 0xd800;
const SURROGATES = 0x800;

/**
 * Any whole code point, every other one ASCII. Like fast-check's unit `binary`, which takes most of a second to be made
 * in each process, and of which one in thirty is ASCII.
 */
export const anyCodePoint: fc.Arbitrary<string> = fc
  .oneof(fc.nat(ASCII - 1), fc.nat(CODE_POINTS - SURROGATES - 1))
  .map((nth) => String.fromCodePoint(nth < SURROGATES_FROM ? nth : nth + SURROGATES));

/** Any text but halves of surrogate pairs; `maxLength` counts code points. */
export const anyText = (maxLength?: number): fc.Arbitrary<string> =>
  fc.string({ unit: anyCodePoint, ...(maxLength === undefined ? {} : { maxLength }) });
