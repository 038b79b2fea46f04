import { parse, TomlError } from 'smol-toml';
import { err, ok, type Result } from '../../image/result.ts';
import { isTable, type Table } from './shape.ts';

export type SyntaxMistake = { readonly line: number | undefined; readonly expected: string };

/** No settings file nests deeper; the limit keeps a hostile one from the end of the stack. */
const MAX_DEPTH = 64;

/** Reads TOML 1.0. The parser's excerpt of the file is left out of the error: a line may hold a header with a secret. */
export function parseToml(text: string): Result<Table, SyntaxMistake> {
  try {
    const value: unknown = parse(text, { maxDepth: MAX_DEPTH });
    return isTable(value) ? ok(value) : err({ line: 1, expected: 'expected valid TOML' });
  } catch (error) {
    if (!(error instanceof TomlError)) return err({ line: undefined, expected: 'expected valid TOML' });
    const first = error.message.split('\n', 1)[0] ?? '';
    const fault = first.replace(/^Invalid TOML document: /u, '');
    return err({ line: error.line, expected: `expected valid TOML, but column ${error.column}: ${fault}` });
  }
}
