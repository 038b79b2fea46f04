/** Breaks `text` at blanks into lines of at most `width` characters; a longer word gets a line of its own, whole. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').filter((part) => part !== '')) {
    if (line === '') line = word;
    else if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line];
}

/** As `wrap`, but breaks long words too, after `/`, `:`, `@` or `-` where one is near: for the cells of a table. */
export function wrapHard(text: string, width: number): readonly string[] {
  return wrap(text, width).flatMap((line) => breakWord(line, Math.max(1, width)));
}

function breakWord(word: string, width: number): readonly string[] {
  const pieces: string[] = [];
  let rest = word;
  while (rest.length > width) {
    const head = rest.slice(0, width);
    const at = Math.max(...['/', ':', '@', '-'].map((mark) => head.lastIndexOf(mark))) + 1;
    const cut = at > width / 2 ? at : width;
    pieces.push(rest.slice(0, cut));
    rest = rest.slice(cut);
  }
  return [...pieces, rest];
}

/** `label` before the first line, blanks of the same length before the others. */
export function hang(label: string, text: string, width: number): readonly string[] {
  const indent = ' '.repeat(label.length);
  return wrap(text, Math.max(1, width - label.length)).map((line, at) =>
    `${at === 0 ? label : indent}${line}`.trimEnd(),
  );
}
