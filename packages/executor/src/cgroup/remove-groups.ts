import { existsSync, lstatSync, readdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { errnoName } from '@tbuild/errors';
import { readHierarchies } from './hierarchies.ts';

/** What the names of all groups of steps begin with. */
export const GROUP_PREFIX = 'tbuild-';

const REMOVAL_TRIES = 50;
const REMOVAL_PAUSE_MS = 10;

/** The name of the group of all steps of this process, which tells others when it is not needed any more. */
export function ownGroup(): string {
  return `${GROUP_PREFIX}steps-${process.pid}`;
}

/** Removes a group whose processes have ended: one of them may be counted for a moment more. */
export async function removeWhenEmpty(directory: string): Promise<void> {
  for (let tries = 0; tries < REMOVAL_TRIES && !tryRemove(directory); tries++) await setTimeout(REMOVAL_PAUSE_MS);
}

/** Removes groups, the last one first. One that another build is using now stays. */
export function removeAll(directories: readonly string[]): void {
  for (const directory of directories.toReversed()) tryRemove(directory);
}

const ABANDONED_AFTER_MS = 60_000;
/** By then a new group has its process, which another container may not see. */
const ENTERED_AFTER_MS = 500;

/**
 * Removes what killed builds have left beside a new group: one with processes cannot be removed, and of others the
 * process is there, or they are not as old.
 */
export function removeAbandoned(directory: string): void {
  const parent = dirname(directory);
  const { mtimeMs } = lstatSync(directory);
  for (const name of readdirSync(parent).filter((each) => each.startsWith(GROUP_PREFIX))) {
    const path = join(parent, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    const age = mtimeMs - (stats?.mtimeMs ?? mtimeMs);
    if (age > (isOver(name) ? ENTERED_AFTER_MS : ABANDONED_AFTER_MS)) tryRemove(path);
  }
}

function isOver(name: string): boolean {
  const pid = /-steps-(\d+)$/.exec(name)?.[1];
  return pid !== undefined && !existsSync(`/proc/${pid}`);
}

/** Removes the groups that a runtime made by itself and, because it was killed, did not remove. */
export function removeRuntimeGroups(name: string): void {
  for (const { own } of readHierarchies())
    removeAll([dirname(dirname(own)), dirname(own), own].map((parent) => join(parent, name)));
}

function tryRemove(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return errnoName(error) === 'ENOENT';
  }
}
