import { lstatSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errnoName, TbuildError } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import { recordsOwners } from '@tbuild/snapshot';
import { protectStore, requireFormat, storeLayout } from '@tbuild/store';
import type { Environment } from './environment.ts';

/**
 * Returns the store's directory: `--root`, `TBUILD_ROOT`, else `/var/lib/tbuild` for root and the data directory of
 * other users. A user without a home, such as that of `docker run --user 1000`, gets a directory below `TMPDIR`.
 */
export function storeRoot(option: string | undefined, env: Environment): string {
  const { variables, cwd, uid } = env;
  const named = option ?? variables.TBUILD_ROOT;
  if (named !== undefined && named !== '') return resolve(cwd, named);
  if (uid === 0) return '/var/lib/tbuild';
  const { XDG_DATA_HOME: data = '', HOME: home = '' } = variables;
  if (data !== '') return resolve(cwd, data, 'tbuild');
  // Docker and Podman set "/" for a user that the image does not know.
  return home === '' || home === '/' ? temporaryStore(env) : resolve(cwd, home, '.local/share/tbuild');
}

function temporaryStore({ variables, cwd, uid }: Environment): string {
  return resolve(cwd, variables.TMPDIR || '/tmp', `tbuild-${uid}`);
}

/**
 * Makes the store's directory if it is missing, and closes it to other users unless `TBUILD_STORE_MODE` allows them.
 * @throws TbuildError SYSTEM where the disk refuses it, as in a container with a read-only root; USAGE where it cannot be
 * made or made private.
 */
export function makeStore(root: string, env: Environment): void {
  const shared = sharedMode(env.variables.TBUILD_STORE_MODE);
  const stats = makeRoot(root);
  requireOwn(root, env);
  const store = storeLayout(root);
  protectStore(store, stats, shared);
  requireFormat(store, recordsOwners() ? 'recorded' : 'real');
}

/** Reads permissions that let the owner do everything and others write nothing; undefined when none are given. */
function sharedMode(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^0?7[0145][0145]$/.test(text)) return Number.parseInt(text, 8);
  throw new TbuildError(
    'USAGE',
    `Invalid TBUILD_STORE_MODE ${JSON.stringify(text)}: expected permissions such as 0750`,
    { hint: 'Give the owner all (7), and the group and others no permission to write (0, 1, 4 or 5)' },
  );
}

function makeRoot(root: string): Stats {
  const present = statSync(root, { throwIfNoEntry: false });
  if (present?.isDirectory() === true) return present;
  try {
    makeDirectory(dirname(root));
    mkdirSync(root, { mode: 0o700 });
  } catch (cause) {
    if (errnoName(cause) !== 'EEXIST') throw notMade(root, cause instanceof TbuildError ? cause.cause : cause);
  }
  const stats = statSync(root, { throwIfNoEntry: false });
  if (stats?.isDirectory() === true) return stats;
  throw notMade(root, undefined);
}

/** What a disk does, and not the path. */
const DISK_REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'read-only file system',
  EIO: 'input/output error',
};

function notMade(root: string, cause: unknown): TbuildError {
  const name = errnoName(cause) ?? 'error';
  const ofDisk = DISK_REASONS[name];
  const reason = cause === undefined ? 'a file has that name' : (ofDisk ?? name);
  return new TbuildError(
    ofDisk === undefined ? 'USAGE' : 'SYSTEM',
    `Cannot create the store ${JSON.stringify(root)} (${reason})`,
    {
      hint: 'Name a directory that you may write to, with --root DIR or TBUILD_ROOT=DIR',
      cause,
    },
  );
}

/**
 * Refuses a directory that somebody else made, as is possible where everybody can create files, and one that somebody else
 * may have filled under the name that everybody knows. Root may give its own to others, and mount one.
 */
function requireOwn(root: string, env: Environment): void {
  const stats = lstatSync(root);
  const isOwn = stats.uid === env.owner.uid;
  const isSafe =
    root === temporaryStore(env)
      ? isOwn && stats.isDirectory() && (stats.mode & 0o022) === 0
      : isOwn || stats.uid === 0 || !isMadeByAnybody(root);
  if (isSafe) return;
  throw new TbuildError('USAGE', `Other users may have written to the store ${JSON.stringify(root)}`, {
    hint: 'Name a directory of your own, with --root DIR or TBUILD_ROOT=DIR',
  });
}

/** Whether everybody can create what is at the path. Only root mounts. */
function isMadeByAnybody(path: string): boolean {
  const [stats, parent] = [lstatSync(path), statSync(dirname(path))];
  return (parent.mode & 0o002) !== 0 && stats.dev === parent.dev;
}
