/** The known word that a mistyped one most likely means, `undefined` where none is near. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const typed = fold(word);
  // a third of the letters, so that short words are not mistaken for one another
  const reach = Math.max(1, Math.floor(typed.length / 3));
  return known
    .map((candidate) => ({
      candidate,
      distance: distanceBetween(typed, fold(candidate)),
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

/** Optimal string alignment: insertions, deletions, changed letters and two neighbours swapped. */
function distanceBetween(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (isSame ? 0 : 1),
          isSwap ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
