import { existsSync, mkdirSync } from 'node:fs';
import { makeDirectory } from '@tbuild/linux';
import type { Hierarchy } from './hierarchies.ts';

/** Where steps see their control groups. */
export const GROUPS = '/sys/fs/cgroup';

/** A control group and its name below {@link GROUPS}. An empty name replaces {@link GROUPS} itself. */
export interface VisibleGroup {
  readonly name: string;
  /** The directory of the group. */
  readonly source: string;
}

/**
 * Returns the groups that a step sees, as Docker shows them: its own group in each hierarchy, so that programs can
 * read their limits. `groupOf` returns the step's group in a hierarchy; undefined if it shares tbuild's.
 */
export function visibleGroups(
  hierarchies: readonly Hierarchy[],
  groupOf: (hierarchy: Hierarchy) => string | undefined,
): readonly VisibleGroup[] {
  const seen = hierarchies.flatMap((hierarchy) => {
    const { mountPoint, own } = hierarchy;
    if (mountPoint !== GROUPS && !mountPoint.startsWith(`${GROUPS}/`)) return [];
    // Docker does not show cgroup v2 beside cgroup v1.
    if (hierarchy.version === 2 && mountPoint !== GROUPS) return [];
    return [{ name: mountPoint.slice(GROUPS.length + 1), source: groupOf(hierarchy) ?? own }];
  });
  return seen.filter(({ source }) => existsSync(source));
}

/**
 * Returns whether Docker gives a step a control group namespace: with cgroup v2 alone, so that the path in
 * /proc/self/cgroup is relative to {@link GROUPS}.
 */
export function isUnified(groups: readonly VisibleGroup[]): boolean {
  return groups.some(({ name }) => name === '');
}

/** Creates a directory with a subdirectory for each named group, to bind the groups onto. */
export function makeGroupDirectory(path: string, groups: readonly VisibleGroup[]): string {
  mkdirSync(path);
  for (const { name } of groups) if (name !== '') makeDirectory(`${path}/${name}`);
  return path;
}

/** Returns the binds that show groups at {@link GROUPS}, with named groups in a directory made for them. */
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
