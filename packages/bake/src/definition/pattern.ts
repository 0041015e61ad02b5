/** Returns an expression for a pattern with `*`, `?` and `[…]`, as a shell has them. */
export function patternOf(pattern: string): RegExp {
  const escaped = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped.replace(/\[!/g, '[^')}$`);
}
