/** A seeded pseudo-random generator. */
export interface Random {
  /** Returns an integer below `limit`. */
  int(limit: number): number;
  pick<T>(values: readonly T[]): T;
}

export function seededRandom(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1);
  const int = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  return { int, pick: (values) => values[int(values.length)]! };
}

/** Picks a kind first, so that values of a rare one are as likely as those of a frequent one. */
export function pickKindFirst<T>(values: readonly T[], kindOf: (value: T) => string, random: Random): T | undefined {
  const kinds = [...new Set(values.map(kindOf))].toSorted();
  if (kinds.length === 0) return undefined;
  const kind = random.pick(kinds);
  return random.pick(values.filter((value) => kindOf(value) === kind));
}

/** Returns the values in another order. */
export function shuffled<T>(values: readonly T[], random: Random): readonly T[] {
  const rest = [...values];
  return values.map(() => rest.splice(random.int(rest.length), 1)[0]!);
}
