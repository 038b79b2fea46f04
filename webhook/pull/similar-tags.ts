import { editDistance } from '../outcome/edit-distance.ts';

/** As many as a sentence can hold. */
const MOST = 3;
/** The work for one comparison grows with the square; longer tags are hashes that nobody mistypes. */
const MAX_COMPARED_LENGTH = 48;

/**
 * How a tag is like another, the likeliest mistake first: spelt another way (`v1.2`, `1-2`, `RC1`), one the other with
 * something behind it (`1.2-alpine`), or a slip of the finger away.
 */
const KINDS = ['spelling', 'longer', 'slip'] as const;
type Likeness = { readonly kind: (typeof KINDS)[number]; readonly distance: number };

/** The tags that somebody who wrote `wanted` most likely means, nearest first, at most three. */
export function similarTags(wanted: string, tags: readonly string[]): readonly string[] {
  const found = [...new Set(tags)]
    .filter((tag) => tag !== wanted)
    .flatMap((tag) => {
      const likeness = likenessOf(wanted, tag);
      return likeness === undefined ? [] : [{ tag, likeness }];
    });
  // beside another spelling of the very tag nobody needs a slip
  const isSpelt = found.some(({ likeness }) => likeness.kind === 'spelling');
  return found
    .filter(({ likeness }) => !isSpelt || likeness.kind !== 'slip')
    .sort((a, b) => compare(a.likeness, b.likeness) || a.tag.length - b.tag.length || (a.tag < b.tag ? -1 : 1))
    .slice(0, MOST)
    .map(({ tag }) => tag);
}

/** Whether one is the other in another spelling: there is no likelier one to look for. */
export function isSpellingOf(wanted: string, tag: string): boolean {
  return tag !== wanted && fold(tag) === fold(wanted);
}

function likenessOf(wanted: string, tag: string): Likeness | undefined {
  const [a, b] = [fold(wanted), fold(tag)];
  if (a === b) return { kind: 'spelling', distance: editDistance(cut(wanted), cut(tag)) };
  if (b.startsWith(`${a}.`)) return { kind: 'longer', distance: b.length - a.length };
  if (a.startsWith(`${b}.`) && b.length > 1) return { kind: 'longer', distance: a.length - b.length };
  if (Math.max(a.length, b.length) > MAX_COMPARED_LENGTH) return undefined;
  // a third of the letters, so that short tags are not mistaken for one another
  const reach = Math.min(2, Math.floor(Math.min(a.length, b.length) / 3));
  if (Math.abs(a.length - b.length) > reach) return undefined;
  const distance = editDistance(a, b);
  return distance <= reach ? { kind: 'slip', distance } : undefined;
}

function compare(a: Likeness, b: Likeness): number {
  return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || a.distance - b.distance;
}

const cut = (tag: string): string => tag.slice(0, MAX_COMPARED_LENGTH);

/** Without the `v` before a version, in small letters, with one separator for all. */
function fold(tag: string): string {
  return tag
    .toLowerCase()
    .replace(/^v(?=\d)/u, '')
    .replaceAll(/[-_.]+/gu, '.');
}
