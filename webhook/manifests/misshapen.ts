import { fieldAt } from '../admission/field.ts';
import { isJsonObject } from '../image/json.ts';

/** A field that cannot be what it should, where `at` is its path in the object. */
export type Misshapen = { readonly at: readonly string[]; readonly reason: string };

type Shape = { readonly fits: (value: unknown) => boolean; readonly expected: string };

/** Of what says as whom images are pulled: read as nothing, a mistake there would be taken for no login. */
const SHAPES: readonly (readonly [name: string, shape: Shape])[] = Object.entries({
  imagePullSecrets: {
    fits: (value) => Array.isArray(value) && value.every(isJsonObject),
    expected: 'a list of names, as in [{ name: ci }]',
  },
  serviceAccountName: { fits: (value) => typeof value === 'string', expected: 'a name' },
  serviceAccount: { fits: (value) => typeof value === 'string', expected: 'a name' },
} satisfies Record<string, Shape>);

/**
 * What the API server would refuse in the Pod spec at `path` of a manifest, or in a ServiceAccount itself. Missing fields
 * are none: a folder may hold patches.
 */
export function findMisshapen(object: unknown, path: readonly string[]): Misshapen | undefined {
  for (const [name, { fits, expected }] of SHAPES) {
    const at = [...path, name];
    const value = fieldAt(object, at);
    if (value !== undefined && value !== null && !fits(value)) return { at, reason: `${name} is not ${expected}` };
  }
  return undefined;
}
