import {
  existsSync,
  lstatSync,
  lutimesSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, posix } from 'node:path';
import { openDirectory, resolvePath } from '@tbuild/context';
import { hasCode, TbuildError, withoutCredentials } from '@tbuild/errors';
import { timeIn } from './commit-time.ts';
import { checkFiles, limitGrowth } from './limited.ts';
import { formatOption } from './mirror.ts';
import type { Commit } from './resolve-commit.ts';
import { runGit, type GitRemote } from './run-git.ts';

export interface CheckOutOptions {
  readonly commit: Commit;
  /** The bare repository that has the commit. */
  readonly mirror: string;
  /** An empty directory on the file system of `target`. The caller removes what is left there. */
  readonly scratch: string;
  /** The directory that receives the files. */
  readonly target: string;
  readonly subdirectory?: string;
  readonly keepGitDir: boolean;
  readonly submodules: boolean;
  readonly commitTime?: boolean;
}

/**
 * Writes the files of a commit to `target`. Keeps `.git` only on request, and never with a subdirectory.
 * @throws TbuildError NOT_FOUND for a missing subdirectory; as {@link runGit} for submodules.
 */
export async function checkOut(remote: GitRemote, options: CheckOutOptions): Promise<void> {
  const { commit, mirror, scratch, target, subdirectory, submodules } = options;
  const tree = join(scratch, 'tree');
  const keep = options.keepGitDir && isRoot(subdirectory);
  const gitFor = (limited: GitRemote) => (args: readonly string[]) =>
    runGit(['-C', tree, ...args], limited, { cwd: scratch });
  const git = gitFor(remote);
  await runGit(['init', '--quiet', '--template=', ...formatOption(commit.id), tree], remote, { cwd: scratch });
  await git(['remote', 'add', 'origin', withoutCredentials(remote.url)]);
  if (keep)
    await git([
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--update-head-ok',
      '--depth=1',
      '--',
      `file://${mirror}`,
      refspec(commit),
    ]);
  // Read objects from the mirror: a copy would be thrown away.
  else writeFileSync(join(tree, '.git/objects/info/alternates'), `${join(mirror, 'objects')}\n`);
  await checkFiles(commit.id, mirror, remote);
  const checkout = ['checkout', '--quiet', '--detach', commit.id];
  // Git LFS keeps what it fetches beside the objects.
  await limitGrowth(join(tree, '.git'), remote, (limited) => gitFor(limited)(checkout));
  const seconds = options.commitTime ? await timeIn(mirror, commit.id, remote) : undefined;
  const hasSubmodules = submodules && existsSync(join(tree, '.gitmodules'));
  if (hasSubmodules) await limitGrowth(tree, remote, (limited) => updateSubmodules(gitFor(limited)));
  if (keep) rmSync(join(tree, '.git/logs'), { recursive: true, force: true });
  else if (hasSubmodules) removeGitFiles(tree);
  else rmSync(join(tree, '.git'), { recursive: true });
  if (seconds !== undefined) setTimes(tree, seconds);
  moveContents(findSubdirectory(tree, subdirectory, remote), target);
}

/** A plain web server has no shallow history: git then needs all of it. */
async function updateSubmodules(git: (args: readonly string[]) => Promise<string>): Promise<void> {
  const update = ['submodule', '--quiet', 'update', '--init', '--recursive'];
  try {
    await git([...update, '--depth=1']);
  } catch (error) {
    if (!hasCode(error, 'PROCESS_FAILED')) throw error;
    await git(update);
  }
}

function isRoot(subdirectory = ''): boolean {
  return posix.resolve('/', subdirectory) === '/';
}

function refspec({ id, ref }: Commit): string {
  return `+${id}:${ref ?? `refs/tbuild/${id}`}`;
}

/**
 * Sets the times of a directory and everything in it. The directory itself comes last, since its time changes with its
 * entries.
 */
function setTimes(directory: string, seconds: number): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) setTimes(path, seconds);
    else lutimesSync(path, seconds, seconds);
  }
  utimesSync(directory, seconds, seconds);
}

/** Removes `.git` from every directory. Git allows no such name in a commit. */
function removeGitFiles(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.name === '.git') rmSync(path, { recursive: true });
    else if (entry.isDirectory()) removeGitFiles(path);
  }
}

function findSubdirectory(tree: string, subdirectory = '', { url }: GitRemote): string {
  const inside = resolvePath(openDirectory(tree), subdirectory, { followLast: true });
  const path = inside === undefined ? undefined : join(tree, inside);
  if (path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw new TbuildError(
    'NOT_FOUND',
    `Directory ${JSON.stringify(subdirectory)} is not in the git repository ${JSON.stringify(withoutCredentials(url))}`,
  );
}

function moveContents(from: string, to: string): void {
  const { atime, mtime } = lstatSync(from);
  for (const name of readdirSync(from)) renameSync(join(from, name), join(to, name));
  utimesSync(to, atime, mtime);
}
