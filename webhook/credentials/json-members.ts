/** A member of a JSON object: its name, and the text of its value. */
export type Member = readonly [name: string, value: string];

const BEFORE_NAME = /[\s,{]*/uy;
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/uy;
const MARK = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},]/gu;

/**
 * The members of an object in their order, each as often as it is written: Go's encoding/json reads every one of them,
 * where JSON.parse keeps the last of a name. `object` must be sound JSON. Linear, and no deeper than one level.
 */
export function membersOf(object: string): readonly Member[] {
  const members: Member[] = [];
  let at = 0;
  for (;;) {
    const start = endOf(BEFORE_NAME, object, at);
    const afterName = endOf(STRING, object, start);
    if (afterName === start) return members;
    const name: unknown = JSON.parse(object.slice(start, afterName));
    const from = object.indexOf(':', afterName) + 1;
    at = endOfValue(object, from);
    members.push([String(name), object.slice(from, at).trim()]);
  }
}

function endOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}

/** Where the `,` or the `}` stands that ends it. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  MARK.lastIndex = from;
  for (let mark = MARK.exec(text); mark !== null; mark = MARK.exec(text)) {
    const [token] = mark;
    if (depth === 0 && (token === ',' || token === '}')) return mark.index;
    if (token === '{' || token === '[') depth += 1;
    if (token === '}' || token === ']') depth -= 1;
  }
  return text.length;
}
