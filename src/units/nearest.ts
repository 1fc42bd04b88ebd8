/*
 * Written by hand on purpose. leven and fastest-levenshtein count two letters that changed places, the commonest slip of all, as two, so
 * "etx4" would be no nearer to "ext4" than to words with two wrong letters, and beyond the limit of one for short words.
 */

const LONGEST_COMPARED = 64;

/**
 * The known word that was probably meant, undefined when none is near: at most one slip per three letters, and at
 * least one. A slip is a letter missing, extra, wrong or swapped with its neighbour; case does not count. Of two that are as near, the one
 * that begins more like it.
 */
export function nearest(wanted: string, known: Iterable<string>): string | undefined {
  if (wanted.length === 0 || wanted.length > LONGEST_COMPARED) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3));
  for (const candidate of known) {
    if (Math.abs(candidate.length - wanted.length) > bestDistance) continue;
    const distance = slips(wanted.toLowerCase(), candidate.toLowerCase());
    if (distance > bestDistance) continue;
    if (distance === bestDistance && commonStart(wanted, candidate) <= commonStart(wanted, best)) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** Damerau-Levenshtein distance (optimal string alignment). */
function slips(left: string, right: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const differs = left[row - 1] === right[column - 1] ? 0 : 1;
      const isSwap = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current.push(
        Math.min(
          at(current, column - 1) + 1,
          at(previous, column) + 1,
          at(previous, column - 1) + differs,
          isSwap ? at(before, column - 2) + 1 : Infinity,
        ),
      );
    }
    before = previous;
    previous = current;
  }
  return at(previous, right.length);
}

/** Letters at the beginning that both have; -1 where there is no other. */
function commonStart(wanted: string, other: string | undefined): number {
  if (other === undefined) return -1;
  const [left, right] = [wanted.toLowerCase(), other.toLowerCase()];
  let length = 0;
  while (length < Math.min(left.length, right.length) && left[length] === right[length]) length += 1;
  return length;
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
