/**
 * Does Go's encoding/json read the member `name` into the struct field `field` (letters only)? It compares under
 * Unicode's simple case folding, which is what the flags "iu" do.
 */
export function isField(name: string, field: string): boolean {
  return name === field || (name.length === field.length && new RegExp(`^${field}$`, 'iu').test(name));
}

/** Go's sentence for a member of the wrong type; `target` as Go names it. Quotes nothing of the value. */
export function describeMismatch(value: unknown, target: string): string {
  return `json: cannot unmarshal ${kindOf(value)} into ${target}`;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
