/** Colours for terminals; without colour the texts stay as they are. */
export type Paint = (style: Style, text: string) => string;
export type Style = 'good' | 'caution' | 'bad' | 'faint' | 'strong';

const CODE = Object.freeze({ good: 32, caution: 33, bad: 31, faint: 2, strong: 1 } as const satisfies Record<
  Style,
  number
>);

export function createPaint(color: boolean): Paint {
  return (style, text) => (color && text !== '' ? `\u001b[${CODE[style]}m${text}\u001b[0m` : text);
}
