/** An element of a well-formed document, as far as the tests need it. */
export type XmlElement = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
};

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/**
 * A strict reader of the XML that has a declaration, elements, attributes in double quotes, text and the five entities.
 * Throws for whatever is not well formed.
 */
export function readXml(source: string): XmlElement {
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>';
  if (!source.startsWith(declaration)) throw new Error('no XML declaration');
  let at = declaration.length;

  const fail = (what: string): never => {
    throw new Error(`${what} at ${at}: ${JSON.stringify(source.slice(at, at + 40))}`);
  };
  const skipBlanks = (): void => {
    while (source[at] === ' ' || source[at] === '\n') at += 1;
  };
  const expect = (text: string): void => {
    if (!source.startsWith(text, at)) fail(`expected ${text}`);
    at += text.length;
  };
  const readName = (): string => {
    const start = at;
    while (/[a-z-]/u.test(source[at] ?? '')) at += 1;
    return at === start ? fail('expected a name') : source.slice(start, at);
  };
  const readText = (end: string): string => {
    let text = '';
    while (source[at] !== end) {
      const character = source[at] ?? fail('unexpected end');
      if (character === '<' || character === '>' || character < '\n') fail('unescaped character');
      at += 1;
      if (character !== '&') {
        text += character;
        continue;
      }
      const name = source.slice(at, source.indexOf(';', at));
      text += ENTITIES.get(name) ?? fail('unknown entity');
      at += name.length + 1;
    }
    return text;
  };
  const readElement = (): XmlElement => {
    expect('<');
    const name = readName();
    const attributes = new Map<string, string>();
    for (skipBlanks(); source[at] !== '>' && source[at] !== '/'; skipBlanks()) {
      const key = readName();
      if (attributes.has(key)) fail(`attribute ${key} twice`);
      expect('="');
      attributes.set(key, readText('"'));
      expect('"');
    }
    if (source[at] === '/') {
      expect('/>');
      return { name, attributes, children: [], text: '' };
    }
    expect('>');
    const children: XmlElement[] = [];
    let text = readText('<');
    while (!source.startsWith('</', at)) {
      children.push(readElement());
      text += readText('<');
    }
    expect(`</${name}>`);
    return { name, attributes, children, text };
  };

  skipBlanks();
  const root = readElement();
  skipBlanks();
  if (at !== source.length) fail('text after the root');
  return root;
}
