import { parseReference } from '../image/reference.ts';
import { field } from './printable.ts';
import type { RuntimeFamily } from './runtime.ts';

/** What the words need besides the outcome: whose settings files to name, and the image as it was written. */
export type Wording = { readonly family: RuntimeFamily; readonly image: string };

/** The image's host and repository, as commands and file names take them; placeholders where the name is not valid. */
export function namesOf(wording: Wording): { readonly host: string; readonly repository: string } {
  const reference = parseReference(wording.image);
  if (!reference.ok) return { host: 'HOST', repository: 'REPOSITORY' };
  return { host: field(reference.value.host, 96), repository: field(reference.value.path, 96) };
}
