import { TbuildError } from '@tbuild/errors';
import { readLink } from './changed-file.ts';
import type { FileTree } from './file-tree.ts';
import { typeOf } from './file-type.ts';

export interface ResolveOptions {
  /** Whether to follow a link in the last place. Links in parents are always followed. */
  readonly followLast: boolean;
}

/** Docker's builder follows at most so many links in one path. */
const MAX_LINKS = 255;

/**
 * Follows the symbolic links of a path inside the tree: absolute links start at its root and `..` stops there. Returns the
 * cleaned path without leading slash, the empty string for the root, and undefined if it does not exist.
 *
 * @throws TbuildError CONTEXT when links form a loop.
 */
export function resolvePath(tree: FileTree, path: string, options: ResolveOptions): string | undefined {
  const walked = walkLinks(tree, path, options.followLast);
  return walked.exists ? walked.path : undefined;
}

/**
 * Follows all links of a path that may not exist yet, like {@link resolvePath}. From the first missing element on it keeps the
 * path as it is.
 *
 * @throws TbuildError CONTEXT when links form a loop.
 */
export function resolveDestination(tree: Pick<FileTree, 'stat'>, path: string): string {
  return walkLinks(tree, path, true).path;
}

function walkLinks(tree: Pick<FileTree, 'stat'>, path: string, followLast: boolean): { path: string; exists: boolean } {
  const pending = elements(path).reverse();
  let done: string[] = [];
  let exists = true;
  for (let links = 0; pending.length > 0;) {
    const element = pending.pop() ?? '';
    if (element === '..') {
      done.pop();
      continue;
    }
    done.push(element);
    const entry = tree.stat(done.join('/'));
    if (entry === undefined) exists = false;
    else if (typeOf(entry.stats) === 'symlink' && (followLast || pending.length > 0)) {
      if (++links > MAX_LINKS) throw new TbuildError('CONTEXT', `Too many symbolic links in ${JSON.stringify(path)}`);
      const target = readLink(entry);
      done = target.startsWith('/') ? [] : done.slice(0, -1);
      pending.push(...elements(target).reverse());
    }
  }
  return { path: done.join('/'), exists };
}

function elements(path: string): string[] {
  return path.split('/').filter((element) => element !== '' && element !== '.');
}
