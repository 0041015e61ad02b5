import { existsSync, lstatSync, readdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { errnoName } from '@tbuild/errors';
import { listDirectory } from '@tbuild/store';
import { hasProcesses } from './control-files.ts';
import { readHierarchies } from './hierarchies.ts';

/** The prefix of the names of all step groups. */
export const GROUP_PREFIX = 'tbuild-';

const REMOVAL_TRIES = 50;
const REMOVAL_PAUSE_MS = 10;

/** Returns the name of this process's group for all steps. The process id in it tells others when it is abandoned. */
export function ownGroup(): string {
  return `${GROUP_PREFIX}steps-${process.pid}`;
}

/** Removes a group whose processes have ended. The kernel may still count one for a moment. */
export async function removeWhenEmpty(directory: string): Promise<void> {
  for (let tries = 0; tries < REMOVAL_TRIES && !tryRemove(directory); tries++) await setTimeout(REMOVAL_PAUSE_MS);
}

/** Removes groups in reverse order. A group that another build uses stays. */
export function removeAll(directories: readonly string[]): void {
  for (const directory of directories.toReversed()) tryRemove(directory);
}

const ABANDONED_AFTER_MS = 60_000;
/** By then a new group has its process, which another container may not see. */
const ENTERED_AFTER_MS = 500;

/**
 * Removes the groups of killed builds beside a new group. A group with processes cannot be removed; others are kept
 * while their process exists or until they are old enough.
 */
export function removeAbandoned(directory: string): void {
  const parent = dirname(directory);
  const { mtimeMs } = lstatSync(directory);
  for (const name of readdirSync(parent).filter((each) => each.startsWith(GROUP_PREFIX))) {
    const path = join(parent, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    const age = mtimeMs - (stats?.mtimeMs ?? mtimeMs);
    if (age > (isOver(name) ? ENTERED_AFTER_MS : ABANDONED_AFTER_MS)) removeWithGroups(path);
  }
}

/**
 * Removes a group and what a build in a step of a killed build left in it. With a process in any of them they may be those
 * of running builds, whose new groups have none yet.
 */
function removeWithGroups(directory: string): void {
  if (tryRemove(directory) || hasProcesses(directory)) return;
  for (const name of listDirectory(directory).filter((each) => each.startsWith(GROUP_PREFIX)))
    removeWithGroups(join(directory, name));
  tryRemove(directory);
}

function isOver(name: string): boolean {
  const pid = /-steps-(\d+)$/.exec(name)?.[1];
  return pid !== undefined && !existsSync(`/proc/${pid}`);
}

/** Removes the groups that a killed runtime left behind. */
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
