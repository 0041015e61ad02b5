import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { errnoName } from '@tbuild/errors';

/**
 * Makes a directory or an empty file, and its missing parents, below a directory in which others may rename and link at the
 * same time. Follows no symbolic link below `root`. Leaves alone what exists.
 *
 * @throws the system's error, ELOOP or ENOTDIR for a parent that is a link.
 */
export function makeWithin(root: string, path: string, kind: 'file' | 'directory'): void {
  const names = path.split('/');
  const last = kind === 'file' ? names.pop() : undefined;
  let place = root;
  let parent = openSync(root, DIRECTORY);
  const inParent = (name: string): string => {
    place += `/${name}`;
    return `/proc/self/fd/${parent}/${name}`;
  };
  try {
    for (const name of names) {
      const directory = inParent(name);
      unlessThere(() => mkdirSync(directory, { mode: 0o755 }));
      const next = openSync(directory, DIRECTORY | constants.O_NOFOLLOW);
      closeSync(parent);
      parent = next;
    }
    if (last !== undefined) unlessThere(() => closeSync(openSync(inParent(last), 'wx', 0o644)));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw Object.assign(error, { path: place, message: error.message.replace(/\/proc\/self\/fd\/[^']*/, place) });
  } finally {
    closeSync(parent);
  }
}

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

function unlessThere(make: () => void): void {
  try {
    make();
  } catch (error) {
    if (errnoName(error) !== 'EEXIST') throw error;
  }
}
