/** The edit distance from which names are not suggested. */
const LIMIT = 3;

/**
 * Returns the name that Docker's checks suggest for an unknown one: the first of the nearest, with fewer than three
 * insertions, deletions and replacements of letters, in the same case.
 */
export function nearName(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = LIMIT;
  for (const candidate of candidates) {
    const distance = levenshtein(name, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function levenshtein(a: string, b: string): number {
  if (Math.abs(a.length - b.length) >= LIMIT) return LIMIT;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? LIMIT;
}
