import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { realPath } from '@tbuild/linux';
import { explaining } from './destination.ts';
import type { Exporter } from './exporter.ts';

/**
 * Checks whether an output can be written, before the build takes its time. `path` is absolute, or `-` for standard
 * output.
 * @throws TbuildError USAGE when something else is there, or the directory is not open to the user.
 */
export async function checkDestination(path: string, wanted: 'file' | 'directory'): Promise<void> {
  if (path === '-') return;
  await explaining(path, async () => {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there !== undefined && there.isDirectory() !== (wanted === 'directory'))
      throw new TbuildError(
        'USAGE',
        `Cannot write the output ${JSON.stringify(path)}: it is a ${there.isDirectory() ? 'directory' : 'file'}`,
        { hint: `Name a ${wanted} that is new, or may be replaced` },
      );
    accessSync(there === undefined ? existingParent(path) : path, constants.W_OK);
  });
}

/** Returns the nearest directory that exists; missing ones are made. */
function existingParent(path: string): string {
  for (let parent = dirname(path); ; parent = dirname(parent)) {
    const stats = statSync(parent, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true || parent === '/') return parent;
    if (stats !== undefined) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
  }
}

/**
 * Returns the exporter for a path, which refuses to write when the path leads elsewhere by then: another output of the build may
 * have put a link into its way. `path` is absolute, or `-`.
 */
export function whereItLeadsNow(path: string, exporter: Exporter): Exporter {
  if (path === '-') return exporter;
  const place = realPath(path);
  return {
    ...exporter,
    export(...run) {
      const now = realPath(path);
      if (now === place) return exporter.export(...run);
      throw new TbuildError(
        'USAGE',
        `Cannot write the output ${JSON.stringify(path)}: a link that came during the build leads to ${JSON.stringify(now)}`,
        { hint: 'Name a place that is not in another output' },
      );
    },
  };
}
