/** What the import rules look at in a TypeScript or JavaScript source. */
export type SourceCode = {
  /** The specifier of every import, re-export and `import()`, type imports too. */
  readonly imports: readonly string[];
  /** The source with comments, texts and regular expressions blanked, place by place as it was. */
  readonly code: string;
};

export function readSourceCode(source: string): SourceCode {
  const code = blank(source);
  const starts = [...code.matchAll(/(?<![.\w$])(?:from\s*|import\s*\(?\s*)(?=['"])/gu)].map(
    (match) => match.index + match[0].length,
  );
  const imports = starts.map((at) => source.slice(at + 1, source.indexOf(source.charAt(at), at + 1)));
  return { imports, code };
}

type Span = { readonly from: number; readonly to: number };

/** Blanks what is not code and keeps quotes and line ends, so that positions and lines stay true. */
function blank(source: string): string {
  let code = '';
  /** For each open `${`, how many braces are open inside it. */
  const templates: number[] = [];
  let at = 0;
  const skip = ({ from, to }: Span): void => {
    code += source.slice(at, from) + source.slice(from, to).replaceAll(/[^\n]/gu, ' ');
    at = to;
  };
  while (at < source.length) {
    const char = source.charAt(at);
    const pair = source.slice(at, at + 2);
    const open = templates.at(-1);
    if (pair === '//' || pair === '/*') skip({ from: at, to: commentEnd(source, at, pair) });
    else if (char === "'" || char === '"') skipText(quoteEnd(source, at, char));
    else if (char === '`' || (char === '}' && open === 0)) {
      if (char === '}') templates.pop();
      const end = templateEnd(source, at);
      if (source.charAt(end - 1) === '{') templates.push(0);
      skipText(end);
    } else if (char === '/' && startsRegex(code)) skipText(regexEnd(source, at));
    else {
      if (open !== undefined && (char === '{' || char === '}'))
        templates[templates.length - 1] = open + (char === '{' ? 1 : -1);
      code += char;
      at += 1;
    }
  }
  return code;

  /** Keeps the first and the last character of a text, so that it still reads as one. */
  function skipText(end: number): void {
    skip({ from: at + 1, to: Math.max(at + 1, end - 1) });
    code += source.slice(at, end);
    at = end;
  }
}

function commentEnd(source: string, at: number, opening: string): number {
  const end = opening === '//' ? source.indexOf('\n', at) : source.indexOf('*/', at + 2) + 2;
  return end < at + 2 ? source.length : end;
}

function quoteEnd(source: string, at: number, quote: string): number {
  let end = at + 1;
  while (end < source.length && source.charAt(end) !== quote) end += source.charAt(end) === '\\' ? 2 : 1;
  return Math.min(end + 1, source.length);
}

/** The end of a template's text: after the closing backtick, or after the `${` that interrupts it. */
function templateEnd(source: string, at: number): number {
  let end = at + 1;
  while (end < source.length && source.charAt(end) !== '`') {
    if (source.startsWith('${', end)) return end + 2;
    end += source.charAt(end) === '\\' ? 2 : 1;
  }
  return Math.min(end + 1, source.length);
}

/** After a value a slash divides; elsewhere it opens a regular expression. */
function startsRegex(before: string): boolean {
  const text = before.slice(-40).trimEnd();
  return !/[\w$)\]}'"`]$/u.test(text) || /\b(?:return|typeof|case|in|of|yield|await)$/u.test(text);
}

function regexEnd(source: string, at: number): number {
  let end = at + 1;
  let isClass = false;
  while (end < source.length && (isClass || source.charAt(end) !== '/')) {
    const char = source.charAt(end);
    if (char === '[') isClass = true;
    if (char === ']') isClass = false;
    end += char === '\\' ? 2 : 1;
  }
  return Math.min(end + 1, source.length);
}
