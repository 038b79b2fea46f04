import { editDistance } from '../outcome/edit-distance.ts';

/** The known word that a mistyped one most likely means, `undefined` where none is near. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const typed = fold(word);
  // a third of the letters, so that short words are not mistaken for one another
  const reach = Math.max(1, Math.floor(typed.length / 3));
  return known
    .map((candidate) => ({
      candidate,
      distance: editDistance(typed, fold(candidate)),
      shared: sharedStart(typed, fold(candidate)),
    }))
    .filter(({ distance }) => distance <= reach)
    .sort((a, b) => a.distance - b.distance || b.shared - a.shared)[0]?.candidate;
}

/** Of two words as near as each other the one that begins alike is meant: `node` is `nodes` rather than `mode`. */
function sharedStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/gu, '');
}
