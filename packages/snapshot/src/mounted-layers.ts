/**
 * The positions of those layers of a stack (bottom first) that an overlay is mounted with. The kernel refuses one directory twice
 * (ELOOP), so only the topmost of equal layers is mounted. The tree is the same: whatever a lower one has at a path, be it a
 * file, a whiteout or a directory, the upper one has there too and hides it or shows the same names.
 */
export function mountedLayers(stack: readonly string[]): readonly number[] {
  const topmost = new Map(stack.map((layer, index) => [layer, index]));
  return [...topmost.values()].sort((a, b) => a - b);
}
