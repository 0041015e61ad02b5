/** The parts of a path in an archive, which `/` and `..` cannot lead out of the place where it is unpacked. */
export function cleanPath(name: string): string[] {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}
