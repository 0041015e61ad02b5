/** The number of characters of a path that a message shows. */
const SHOWN = 200;

/** Quotes a path for a message. Shows only the beginning and the end of a very long one. */
export function quotePath(path: string): string {
  if (path.length <= SHOWN) return JSON.stringify(path);
  return JSON.stringify(`${path.slice(0, SHOWN / 2)}…${path.slice(-SHOWN / 2)}`);
}
