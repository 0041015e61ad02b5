/**
 * Returns what the map has under the key. If there is nothing yet, makes it and keeps it, so that everybody who asks for a
 * promise while it is pending gets the same one. A promise that is rejected stays.
 */
export function getOrMake<K, V>(
  map: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  make: () => V,
): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
