import { err, ok, type Result } from '../image/result.ts';
import { quote } from './quote.ts';

const SHAPE = /^(?<number>\d{1,9}(?:\.\d{1,6})?) ?(?<prefix>[kKMG]i?)?(?<unit>B|bit)\/s$/u;
const FACTOR: Readonly<Record<string, number>> = Object.freeze({
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  ki: 1024,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
});

/** Reads `20MB/s`, `100Mbit/s` or `8MiB/s` as bytes a second. `Mb/s` is refused: half of its readers take it for bytes. */
export function parseThroughput(text: string): Result<number> {
  const groups = SHAPE.exec(text)?.groups;
  const prefix = groups?.['prefix'];
  const factor = prefix === undefined ? 1 : FACTOR[prefix];
  const bytes = (Number(groups?.['number']) * (factor ?? Number.NaN)) / (groups?.['unit'] === 'bit' ? 8 : 1);
  return bytes >= 1
    ? ok(bytes)
    : err(`${quote(text)} is no throughput: expected for example 20MB/s (bytes) or 100Mbit/s (bits)`);
}
