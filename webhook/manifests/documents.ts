import { isMap, isScalar, LineCounter, parseAllDocuments, type Document } from 'yaml';
import { err, ok, type Result } from '../image/result.ts';

/** One object out of a file, `List`s taken apart. */
export type ManifestObject = {
  readonly file: string;
  readonly object: Readonly<Record<string, unknown>>;
  /** The line, from 1, of a JSON field path within the object, or of the object itself. */
  readonly lineOf: (path: string) => number;
};

/** Far beyond any manifest; a file that large is something else. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_ALIASES = 1000;

/**
 * Reads the YAML or JSON documents of one file. Every mistake is one line that names file and line. Empty documents are
 * passed over.
 */
export function readDocuments(text: string, file: string): Result<readonly ManifestObject[], readonly string[]> {
  if (text.length > MAX_BYTES) return err([`${file}: larger than ${MAX_BYTES / 1024 / 1024} MiB, this is no manifest`]);
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, logLevel: 'silent' });
  const mistakes: string[] = [];
  const objects: ManifestObject[] = [];
  for (const document of documents) {
    const [problem] = document.errors;
    if (problem !== undefined) {
      mistakes.push(`${file}:${lines.linePos(problem.pos[0]).line}: ${firstLine(problem.message)}`);
      continue;
    }
    const line = lines.linePos(document.contents?.range?.[0] ?? 0).line;
    const value = toValue(document);
    if (!value.ok) mistakes.push(`${file}:${line}: ${value.error}`);
    else if (isObject(value.value)) objects.push(...takeApart({ document, lines, file }, value.value, []));
    else if (value.value !== null && value.value !== undefined) {
      mistakes.push(`${file}:${line}: expected a Kubernetes object with apiVersion and kind`);
    }
  }
  return mistakes.length > 0 ? err(mistakes) : ok(objects);
}

function toValue(document: Document): Result<unknown> {
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return ok(value);
  } catch (error) {
    return err(error instanceof Error ? firstLine(error.message) : 'cannot be read');
  }
}

type Source = { readonly document: Document; readonly lines: LineCounter; readonly file: string };

function takeApart(
  source: Source,
  object: Readonly<Record<string, unknown>>,
  at: readonly (string | number)[],
): readonly ManifestObject[] {
  const { kind, items } = object;
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) {
    return items.flatMap((item: unknown, index) =>
      isObject(item) ? takeApart(source, withListKind(item, kind), [...at, 'items', index]) : [],
    );
  }
  return [{ file: source.file, object, lineOf: (path) => lineAt(source, [...at, ...keysOf(path)]) }];
}

/** The items of a typed list, such as a `PodList`, leave their kind to the list. */
function withListKind(item: Readonly<Record<string, unknown>>, listKind: string): Readonly<Record<string, unknown>> {
  const kind = listKind.slice(0, -'List'.length);
  return kind === '' || item['kind'] !== undefined ? item : { ...item, kind };
}

/** `spec.containers[0].image` as the keys that lead there. */
function keysOf(path: string): readonly (string | number)[] {
  return [...path.matchAll(/(?<name>[^.[\]]+)|\[(?<index>\d+)\]/gu)].map((match) =>
    match.groups?.['index'] === undefined ? (match.groups?.['name'] ?? '') : Number(match.groups['index']),
  );
}

/** The line of the nearest node that is there: a `List` may be JSON on one line. */
function lineAt({ document, lines }: Source, keys: readonly (string | number)[]): number {
  for (let depth = keys.length; depth >= 0; depth -= 1) {
    const node: unknown = depth === 0 ? document.contents : document.getIn(keys.slice(0, depth), true);
    if ((isScalar(node) || isMap(node)) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.replace(/ at line \d+, column \d+:?$/u, '') ?? text;
}
