/**
 * Returns the positions of the layers of a stack (bottom first) that an overlay mount needs. The kernel refuses the
 * same directory twice (ELOOP), so only the topmost of equal layers is mounted. The tree stays the same: whatever the
 * lower copy has at a path, the upper copy has too and either hides it or shows the same names.
 */
export function mountedLayers(stack: readonly string[]): readonly number[] {
  const topmost = new Map(stack.map((layer, index) => [layer, index]));
  return [...topmost.values()].sort((a, b) => a - b);
}
