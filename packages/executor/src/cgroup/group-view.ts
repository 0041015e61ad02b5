import { existsSync, mkdirSync } from 'node:fs';
import type { Hierarchy } from './hierarchies.ts';

/** Where steps find their control groups. */
export const GROUPS = '/sys/fs/cgroup';

/** A control group, and where a step sees it: below {@link GROUPS}, or instead of that when the name is empty. */
export interface VisibleGroup {
  readonly name: string;
  /** The group's directory. */
  readonly source: string;
}

/**
 * The groups of a step as Docker shows them: its own of each hierarchy, so that programs can tell what they may
 * use. `groupOf` tells the directory of its group; absent where it has none but ours.
 */
export function visibleGroups(
  hierarchies: readonly Hierarchy[],
  groupOf: (hierarchy: Hierarchy) => string | undefined,
): readonly VisibleGroup[] {
  const seen = hierarchies.flatMap((hierarchy) => {
    const { mountPoint, own } = hierarchy;
    if (mountPoint !== GROUPS && !mountPoint.startsWith(`${GROUPS}/`)) return [];
    // Beside those of the older version Docker does not show it.
    if (hierarchy.version === 2 && mountPoint !== GROUPS) return [];
    return [{ name: mountPoint.slice(GROUPS.length + 1), source: groupOf(hierarchy) ?? own }];
  });
  return seen.filter(({ source }) => existsSync(source));
}

/**
 * Whether Docker gives a step a namespace of control groups: with the newer version alone, so that the path in
 * /proc/self/cgroup is the one below {@link GROUPS}.
 */
export function isUnified(groups: readonly VisibleGroup[]): boolean {
  return groups.some(({ name }) => name === '');
}

/** Makes a directory that has one for each group with a name, to bind them onto. */
export function makeGroupDirectory(path: string, groups: readonly VisibleGroup[]): string {
  mkdirSync(path);
  for (const { name } of groups) if (name !== '') mkdirSync(`${path}/${name}`, { recursive: true });
  return path;
}

/** The binds that show groups at {@link GROUPS}, whose own names stand in a directory made for it. */
export function groupBinds(
  directory: string,
  groups: readonly VisibleGroup[],
): readonly { readonly source: string; readonly target: string }[] {
  const [first] = groups;
  if (first === undefined) return [];
  const named = groups.map(({ name, source }) => ({ source, target: `${GROUPS}/${name}` }));
  return first.name === ''
    ? [{ source: first.source, target: GROUPS }]
    : [{ source: directory, target: GROUPS }, ...named];
}
