import { sep } from 'node:path';
import type { NamedContextSpec } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { isBelow, realPath } from '@tbuild/linux';
import type { OutputSpec, Permission } from '@tbuild/spec';

export interface DeletionLimits {
  readonly cwd: string;
  /** What the user allowed. */
  readonly allowed: readonly Permission[];
  /** Contexts, whose files are read in place. */
  readonly contexts: readonly NamedContextSpec[];
  /** The store's directory. */
  readonly root: string;
  readonly home?: string;
}

/**
 * Refuses a `mode=delete` that could delete too much: outside the working directory without `--allow
 * buildx.local.delete`, and always a directory that holds a context, the store, the home or everything. Links count as
 * their targets.
 * @throws TbuildError USAGE
 */
export function checkDeletion(output: OutputSpec, { cwd, allowed, contexts, root, home }: DeletionLimits): void {
  if (output.type !== 'local' || output.mode !== 'delete') return;
  const { destination } = output;
  const place = realPath(destination);
  const directories = contexts.flatMap((context) => (context.kind === 'directory' ? [context.path] : []));
  const precious = [...directories, root, ...(home === undefined ? [] : [home])].map(realPath);
  const lost = precious.find((path) => path === place || isBelow(path, place));
  if (lost !== undefined || place === sep)
    throw refused(
      destination,
      `${JSON.stringify(lost ?? sep)} is in it`,
      'Name a directory of its own, such as dest=out',
    );
  if (isBelow(place, realPath(cwd)) || allowed.includes('buildx.local.delete')) return;
  throw refused(
    destination,
    'it is not below the working directory',
    'Allow it with --allow buildx.local.delete, if nothing there is needed',
  );
}

function refused(destination: string, reason: string, hint: string): TbuildError {
  return new TbuildError('USAGE', `Output ${JSON.stringify(destination)} cannot have mode=delete: ${reason}`, { hint });
}
