import { isAlias, isMap, isNode, isScalar, isSeq, type Document, type Pair, type YAMLMap } from 'yaml';
import { quote } from './quote.ts';

/** The way to a value: keys and list positions. */
export type DocumentPath = readonly PropertyKey[];

/** Finds where a path stands in a document: an offset into its text, of the place itself or of the nearest above it. */
export function createLocator(document: Document.Parsed): (path: DocumentPath) => number | undefined {
  // a map with thousands of mistyped keys is searched once, not once a key
  const indexes = new Map<YAMLMap, ReadonlyMap<string, Pair>>();
  const pairOf = (map: YAMLMap, key: string): Pair | undefined => {
    const index = indexes.get(map) ?? new Map(map.items.map((pair) => [keyText(pair), pair]));
    indexes.set(map, index);
    return index.get(key);
  };
  return (path) => {
    let node: unknown = document.contents;
    let offset: number | undefined;
    for (const step of path) {
      const collection = isAlias(node) ? node.resolve(document) : node;
      let place: unknown;
      if (isMap(collection)) {
        const pair = pairOf(collection, String(step));
        place = pair?.key;
        node = pair?.value;
      } else if (isSeq(collection)) {
        node = collection.items[Number(step)];
        place = node;
      } else {
        return offset;
      }
      offset = isNode(place) ? (place.range?.[0] ?? offset) : offset;
    }
    return offset;
  };
}

/** The path of a node, from what the yaml package's `visit` gives: the document, its maps, pairs and lists, the node. */
export function pathThrough(chain: readonly unknown[]): DocumentPath {
  return chain.flatMap((node, at): DocumentPath => {
    const child = chain[at + 1];
    if (isSeq(node)) return child === undefined ? [] : [node.items.indexOf(child)];
    const pair = isMap(node) ? node.items.find((one) => one === child) : undefined;
    return pair === undefined ? [] : [keyText(pair)];
  });
}

export function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

/** `rules[0].match.causes[1]`; keys that are no plain words stand in quotes. */
export function formatPath(path: DocumentPath): string {
  return path
    .map((step, at) => {
      if (typeof step === 'number') return `[${step}]`;
      const key = String(step);
      if (!/^[\w-]{1,60}$/u.test(key)) return `[${quote(key)}]`;
      return at === 0 ? key : `.${key}`;
    })
    .join('');
}
