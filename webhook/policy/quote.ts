const MAX_QUOTED = 60;

/**
 * A piece of the user's document as a message may hold it: in quotes, on one line, printable ASCII, cut after 60
 * characters, and never the inside of a PEM block.
 */
export function quote(text: string, maxCharacters = MAX_QUOTED): string {
  const pem = text.indexOf('-----BEGIN');
  const visible = pem < 0 ? text : text.slice(0, pem + '-----BEGIN'.length);
  const cut =
    visible.length > maxCharacters ? `${visible.slice(0, maxCharacters)}...` : `${visible}${pem < 0 ? '' : '...'}`;
  return JSON.stringify(cut).replaceAll(/[^ -~]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
