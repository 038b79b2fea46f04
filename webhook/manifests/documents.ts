import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type YAMLParseError } from 'yaml';
import { isJsonObject } from '../image/json.ts';
import { err, ok, type Result } from '../image/result.ts';
import { toPrintable } from '../outcome/printable.ts';

/** One object out of a file, `List`s taken apart. */
export type ManifestObject = {
  /** As it was named, `-` for standard input. */
  readonly file: string;
  readonly object: Readonly<Record<string, unknown>>;
  /** The line, from 1, of a JSON field path within the object, or of the object itself. */
  readonly lineOf: (path: string | readonly (string | number)[]) => number;
};

/** Room for a manifest that repeats its anchors; an alias bomb multiplies beyond it at once. */
const MAX_ALIASES = 1000;
const CHART_HINT = 'a chart is rendered first: helm template . | pullguard check -f -';

/** How messages name a place: `pod.yaml:7`. */
export function placeIn(file: string, line: number): string {
  return `${file === '-' ? 'standard input' : toPrintable(file)}:${line}`;
}

/**
 * Reads the YAML or JSON documents of one file. Every mistake is one line that names file and line. Empty documents are
 * passed over.
 */
export function readDocuments(text: string, file: string): Result<readonly ManifestObject[], readonly string[]> {
  const lines = new LineCounter();
  const mistakes: string[] = [];
  const objects: ManifestObject[] = [];
  for (const document of parse(text, lines)) {
    const [problem] = document.errors;
    if (problem !== undefined) {
      const hint = text.includes('{{') ? `; ${CHART_HINT}` : '';
      mistakes.push(`${placeIn(file, lines.linePos(problem.pos[0]).line)}: ${describe(problem)}${hint}`);
      continue;
    }
    const place = placeIn(file, lines.linePos(document.contents?.range?.[0] ?? 0).line);
    const value = toValue(document);
    if (!value.ok) mistakes.push(`${place}: ${value.error}`);
    else if (isJsonObject(value.value)) {
      const found = takeApart({ document, lines, file }, value.value, []);
      objects.push(...found.objects);
      mistakes.push(...found.mistakes);
    } else if (value.value !== null && value.value !== undefined) mistakes.push(`${place}: ${NO_OBJECT}`);
  }
  return mistakes.length > 0 ? err(mistakes) : ok(objects);
}

const TOO_DEEP = 'it is nested too deep';
const NO_OBJECT = 'expected a Kubernetes object with apiVersion and kind';

function parse(text: string, lineCounter: LineCounter): readonly Document[] {
  // kubectl reads YAML 1.1, where "<<" merges maps
  const documents = parseAllDocuments(text, { lineCounter, merge: true, logLevel: 'silent' });
  return 'empty' in documents ? [] : documents;
}

function toValue(document: Document): Result<unknown> {
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return ok(value);
  } catch (error) {
    return err(error instanceof ReferenceError ? sentence(error.message) : TOO_DEEP);
  }
}

type Source = { readonly document: Document; readonly lines: LineCounter; readonly file: string };
type TakenApart = { readonly objects: readonly ManifestObject[]; readonly mistakes: readonly string[] };

function takeApart(
  source: Source,
  object: Readonly<Record<string, unknown>>,
  at: readonly (string | number)[],
): TakenApart {
  const { kind, items } = object;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) {
    const lineOf: ManifestObject['lineOf'] = (path) =>
      lineAt(source, [...at, ...(typeof path === 'string' ? keysOf(path) : path)]);
    return { objects: [{ file: source.file, object, lineOf }], mistakes: [] };
  }
  const parts = items.map((item: unknown, index): TakenApart => {
    const inside = [...at, 'items', index];
    if (isJsonObject(item)) return takeApart(source, asListed(item, object), inside);
    return { objects: [], mistakes: [`${placeIn(source.file, lineAt(source, inside))}: ${NO_OBJECT}`] };
  });
  return { objects: parts.flatMap(({ objects }) => objects), mistakes: parts.flatMap(({ mistakes }) => mistakes) };
}

/** The items of a typed list, such as a `PodList`, leave kind and apiVersion to the list. */
function asListed(
  item: Readonly<Record<string, unknown>>,
  list: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const kind = String(list['kind']).slice(0, -'List'.length);
  return kind === '' || item['kind'] !== undefined ? item : { apiVersion: list['apiVersion'], ...item, kind };
}

/** `spec.containers[0].image` as the keys that lead there. */
function keysOf(path: string): readonly (string | number)[] {
  return [...path.matchAll(/(?<name>[^.[\]]+)|\[(?<index>\d+)\]/gu)].map((match) =>
    match.groups?.['index'] === undefined ? (match.groups?.['name'] ?? '') : Number(match.groups['index']),
  );
}

/** The line of the nearest node that is there: what an alias or a merge brings in stands elsewhere. */
function lineAt({ document, lines }: Source, keys: readonly (string | number)[]): number {
  for (let depth = keys.length; depth >= 0; depth -= 1) {
    const node: unknown = depth === 0 ? document.contents : document.getIn(keys.slice(0, depth), true);
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function describe({ code, message }: YAMLParseError): string {
  // else it is the engine that speaks, of its stack
  return code === 'RESOURCE_EXHAUSTION' ? TOO_DEEP : sentence(message);
}

/** The first line of the parser's message, without the place that we name ourselves. */
function sentence(message: string): string {
  return toPrintable(message.split('\n', 1)[0]?.replace(/ at line \d+, column \d+:?$/u, '') ?? message);
}
