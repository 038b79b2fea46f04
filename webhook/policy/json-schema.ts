import * as z from 'zod';
import { policySchema } from './schema.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The JSON Schema (draft 7, which editors know best) of the document as it is written. */
export const POLICY_JSON_SCHEMA: JsonSchema = z.toJSONSchema(policySchema, { io: 'input', target: 'draft-7' });

/** The keys that the document may have at a path; empty where it has none of its own there. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let nodes: readonly JsonSchema[] = [POLICY_JSON_SCHEMA];
  for (const step of path) nodes = nodes.flatMap(alternatives).flatMap((node) => below(node, String(step)));
  return [...new Set(nodes.flatMap(alternatives).flatMap(keysOf))];
}

function alternatives(node: JsonSchema): readonly JsonSchema[] {
  return node.anyOf === undefined ? [node] : node.anyOf.filter((one) => typeof one === 'object');
}

function below(node: JsonSchema, step: string): readonly JsonSchema[] {
  const own = node.properties !== undefined && Object.hasOwn(node.properties, step) ? node.properties[step] : undefined;
  const next = own ?? (node.type === 'array' ? node.items : node.additionalProperties);
  return typeof next === 'object' && !Array.isArray(next) ? [next] : [];
}

function keysOf(node: JsonSchema): readonly string[] {
  const names = typeof node.propertyNames === 'object' ? (node.propertyNames.enum ?? []) : [];
  return [...Object.keys(node.properties ?? {}), ...names.filter((name) => typeof name === 'string')];
}
