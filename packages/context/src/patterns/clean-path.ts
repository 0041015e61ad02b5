/** Cleans a path as Go's `filepath.Clean` does: removes empty and `.` elements, resolves `..` lexically. Returns `.` for an empty path. */
export function cleanPath(path: string): string {
  const absolute = path.startsWith('/');
  const elements: string[] = [];
  for (const element of path.split('/')) {
    if (element === '' || element === '.') continue;
    if (element !== '..') elements.push(element);
    else if (elements.length > 0 && elements.at(-1) !== '..') elements.pop();
    else if (!absolute) elements.push('..');
  }
  const cleaned = elements.join('/');
  return absolute ? `/${cleaned}` : cleaned === '' ? '.' : cleaned;
}
