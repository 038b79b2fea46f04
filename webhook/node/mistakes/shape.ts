import { isJsonObject, isTextList } from '../../image/json.ts';
import { err, ok, type Result } from '../../image/result.ts';
import { mistake, type Mistake } from './mistake.ts';

/** A table of TOML or an object of JSON. */
export type Table = Readonly<Record<string, unknown>>;

export function isTable(value: unknown): value is Table {
  return isJsonObject(value) && !(value instanceof Date);
}

/** The value under a key of the table's own, so that `constructor` is no key of every table. */
export function valueOf(table: Table, key: string): unknown {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/**
 * The table with its keys as `known` spells them: Go's TOML readers take `Server` for `server` where the document has no
 * key of exactly that name (go-toml v2 `structField`, BurntSushi/toml `unifyStruct`). go-toml v1 takes only `SERVER` for
 * it (`valueFromTree`).
 */
export function withKnownKeys(table: Table, known: readonly string[], spellings: 'any' | 'capitals' = 'any'): Table {
  const spelled = new Map(known.map((key) => [key.toLowerCase(), key]));
  const strangers = Object.entries(table).filter(([key]) => !known.includes(key));
  const renamed = strangers.flatMap(([key, value]) => {
    const exact = spellings === 'any' || key === key.toUpperCase() ? spelled.get(key.toLowerCase()) : undefined;
    return exact === undefined ? [] : [[exact, value] as const];
  });
  return renamed.length === 0 ? table : { ...Object.fromEntries(renamed), ...table };
}

/** A text, `undefined` where the key is absent. */
export function readText(table: Table, key: string): Result<string | undefined, Mistake> {
  const value = valueOf(table, key);
  if (value === undefined || typeof value === 'string') return ok(value);
  return err(mistake(`expected ${key} to be a string`, key));
}

/** `true` or `false`, `undefined` where the key is absent. */
export function readFlag(table: Table, key: string): Result<boolean | undefined, Mistake> {
  const value = valueOf(table, key);
  if (value === undefined || typeof value === 'boolean') return ok(value);
  return err(mistake(`expected ${key} to be true or false, without quotes`, key));
}

/** A list of texts, `undefined` where the key is absent, or `null` in JSON as Go has it. */
export function readTexts(table: Table, key: string): Result<readonly string[] | undefined, Mistake> {
  const value = valueOf(table, key) ?? undefined;
  if (value === undefined) return ok(undefined);
  return isTextList(value) ? ok(value) : err(mistake(`expected ${key} to be a list of strings`, key));
}

/** A list of tables, `undefined` where the key is absent: `[[registry]]`. */
export function readTables(table: Table, key: string): Result<readonly Table[] | undefined, Mistake> {
  const value = valueOf(table, key);
  if (value === undefined) return ok(undefined);
  if (Array.isArray(value) && value.every(isTable)) return ok(value);
  return err(mistake(`expected ${key} to be a list of tables, written [[${key}]]`, key));
}
