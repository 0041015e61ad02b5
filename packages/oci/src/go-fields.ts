/**
 * Returns an object with the names that a struct of Go gives its fields: `encoding/json` matches names without regard to
 * case, and the last of equal ones wins. Other members keep theirs.
 */
export function goFields(
  record: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  const known = new Map(names.map((name) => [folded(name), name]));
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [known.get(folded(name)) ?? name, value]));
}

/** Equal for letters that Unicode folds to one, such as the Kelvin sign and k. */
function folded(name: string): string {
  return name.toLowerCase().toUpperCase();
}
