/** Splits a path in an archive into elements. `/` and `..` cannot lead out of the root. */
export function cleanPath(name: string): string[] {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}
