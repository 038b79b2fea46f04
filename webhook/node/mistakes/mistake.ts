import type { SettingsProblem } from '../endpoint.ts';
import { toPrintable } from '../../outcome/printable.ts';
import { lineOf } from './line.ts';

/** Something in a settings file that is not as expected, before the file and the line are known. */
export type Mistake = {
  /** `expected ...`. Never a value that may be a secret: no header, no user or password of a URL. */
  readonly expected: string;
  /** Texts that lead to the line, in their order in the file: the table's name, then the key. */
  readonly at: readonly string[];
};

export const mistake = (expected: string, ...at: readonly string[]): Mistake => ({ expected, at });

/** Names the place of a mistake. `consequence` says what the runtime makes of it. */
export function toProblem(
  found: Mistake,
  file: { readonly name: string; readonly text: string },
  consequence: string,
): SettingsProblem {
  const line = lineOf(file.text, ...found.at) ?? lineOf(file.text, ...found.at.slice(-1));
  return { file: file.name, line, reason: toPrintable(`${found.expected}; ${consequence}`) };
}
