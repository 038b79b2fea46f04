import { isScalar, LineCounter, parseDocument, visit, type Document, type Pair } from 'yaml';
import { createLocator, formatPath, keyText, pathThrough, type DocumentPath } from './document-path.ts';
import type { Located, PolicyMistake } from './mistake.ts';
import { quote } from './quote.ts';

/** A policy's text as YAML. */
export type PolicyDocument = {
  /** As written; `undefined` where the text is no YAML. Keys without a value are `null`. */
  readonly value: unknown;
  /** The same without the keys that have no value: a key whose lines are all commented out is not set. */
  readonly withoutEmpty: unknown;
  readonly mistakes: readonly PolicyMistake[];
  /** Gives a mistake the line of its path, or of the nearest place above it. */
  locate(mistake: Located): PolicyMistake;
};

/** Room for an anchored certificate used in many places; an alias bomb multiplies beyond it at once. */
const MAX_ALIASES = 100;
/** Where the parser's own words are for programmers. */
const PLAIN: ReadonlyMap<string, string> = new Map([
  ['RESOURCE_EXHAUSTION', 'is nested too deep'],
  ['MULTIPLE_DOCS', 'begins a second document: a policy is one, so take out the line --- or what follows it'],
]);
const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/u;
const keyRemedy = (name: string): string =>
  `holds a private key: many can read ${name}, so put the key into a Secret of the namespace of Pullguard and name that Secret in nodes.containerd.clientCertificates`;

/** Reads YAML 1.2. Never throws; a text that is no YAML has mistakes and no value. Linear in the length of `text`. */
export function readDocument(text: string, name: string): PolicyDocument {
  const lines = new LineCounter();
  // the package compares each key with all before it, which takes seconds for a map of thousands: see findRepeatedKeys
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const offsetOf = createLocator(document);
  const at = (offset: number | undefined, message: string, path = ''): PolicyMistake => ({
    path,
    line: offset === undefined ? undefined : lines.linePos(offset).line,
    message,
  });
  const locate = ({ path, message }: Located): PolicyMistake => at(offsetOf(path), message, formatPath(path));
  const keys = findPrivateKeys(document);
  const anywhere = PRIVATE_KEY.exec(text);
  const mistakes = [
    ...[...document.errors, ...document.warnings].map(({ code, message, pos }) =>
      at(pos[0], PLAIN.get(code) ?? `is no sound YAML: ${quote(message, 200).slice(1, -1)}`),
    ),
    ...findRepeatedKeys(document).map(({ key, offset }) =>
      at(offset, `the key ${quote(key)} is there twice: keep one`),
    ),
    ...keys.map((path) => locate({ path, message: keyRemedy(name) })),
    // in a comment, or in a text that is no YAML
    ...(anywhere !== null && keys.length === 0 ? [at(anywhere.index, keyRemedy(name))] : []),
  ];
  if (document.errors.length > 0) return { value: undefined, withoutEmpty: undefined, mistakes, locate };
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    const filled = document.clone();
    visit(filled, { Pair: (_, pair) => (isEmpty(pair) ? visit.REMOVE : undefined) });
    return { value, withoutEmpty: filled.toJS({ maxAliasCount: MAX_ALIASES }), mistakes, locate };
  } catch (error) {
    const reason = error instanceof ReferenceError ? quote(error.message, 200) : 'it is nested too deep';
    const broken = at(undefined, `cannot be read as YAML: ${reason}`);
    return { value: undefined, withoutEmpty: undefined, mistakes: [...mistakes, broken], locate };
  }
}

function isEmpty(pair: Pair): boolean {
  return pair.value === null || (isScalar(pair.value) && pair.value.value === null);
}

function findPrivateKeys(document: Document): readonly DocumentPath[] {
  const found: DocumentPath[] = [];
  visit(document, {
    Scalar: (_, scalar, ancestors) => {
      if (typeof scalar.value !== 'string' || !PRIVATE_KEY.test(scalar.value)) return;
      found.push(pathThrough([...ancestors, scalar]));
    },
  });
  return found;
}

function findRepeatedKeys(
  document: Document,
): readonly { readonly key: string; readonly offset: number | undefined }[] {
  const found: { readonly key: string; readonly offset: number | undefined }[] = [];
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<string>();
      for (const pair of map.items) {
        const key = keyText(pair);
        if (seen.has(key)) found.push({ key, offset: isScalar(pair.key) ? pair.key.range?.[0] : undefined });
        seen.add(key);
      }
    },
  });
  return found;
}
