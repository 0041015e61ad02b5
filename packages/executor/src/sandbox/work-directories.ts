import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { describeFailure } from '@tbuild/snapshot';
import type { Sandbox } from '../executor.ts';

/** Returns the directories that the kernel makes for the writable overlays of a step, and leaves there. */
export function workDirectories({ root, mounts }: Pick<Sandbox, 'root' | 'mounts'>): readonly string[] {
  const trees = [root.mount, ...mounts.flatMap((mount) => (mount.type === 'overlay' ? [mount.mount] : []))];
  return trees.flatMap(({ directory, options }) =>
    options.flatMap((option) => (option.startsWith(WORK) ? [join(directory, option.slice(WORK.length), 'work')] : [])),
  );
}

const WORK = 'workdir=';

/**
 * Checks that the overlays of a step were writable. Where the kernel cannot make its directory, since the disk is full for
 * instance, it says so in its own log only, and mounts the overlay read-only.
 *
 * @throws TbuildError SNAPSHOT if one was not.
 */
export function requireWritableOverlays(sandbox: Sandbox): void {
  for (const path of workDirectories(sandbox)) {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) continue;
    const place = JSON.stringify(path);
    describeFailure(
      () => `make ${place} for the step`,
      () => mkdirSync(path),
    );
    throw new TbuildError('SNAPSHOT', `Could not make ${place} for the step, whose files were read-only`, {
      hint: 'Build again: for a moment there may have been no space left on the disk, or in a quota',
    });
  }
}
