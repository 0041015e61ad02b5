import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

/** The files of a project, as far as a template needs to know them. */
export interface Project {
  /** The name of its directory. */
  readonly name: string;
  /** The names in its directory, sorted. */
  readonly files: readonly string[];
  has(name: string): boolean;
  /** Returns the names in a directory of it, or none. */
  list(directory: string): readonly string[];
  /** Returns the text of a file, or an empty one if there is none or it is too large to be written by hand. */
  read(name: string): string;
}

/** No file that people write is larger. */
const LARGEST = 1 << 20;

/** Opens the project in a directory. @throws the error of Node if it cannot be listed. */
export function openProject(directory: string): Project {
  const files = readdirSync(directory).toSorted();
  return {
    name: basename(resolve(directory)),
    files,
    has: (name) => files.includes(name),
    list(name) {
      const path = join(directory, name);
      return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(path).toSorted() : [];
    },
    read(name) {
      const path = join(directory, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats?.isFile() === true && stats.size <= LARGEST ? readFileSync(path, 'utf8') : '';
    },
  };
}
