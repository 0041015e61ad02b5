/** Returns the same members in the order of their names, so that equal values have the same text. */
export function sortedMembers<T>(members: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(members).toSorted(([a], [b]) => compare(a, b)));
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
