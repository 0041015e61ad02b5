import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { DEFAULT_NAMES } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';

/** A Dockerfile and its context, as words of a command line. */
export interface WrittenPlace {
  readonly file?: string;
  readonly context: string;
}

/** Takes a word for the Dockerfile and its directory if it names a file, else for the context. */
export function placeIn(word: string, file: string | undefined, cwd: string): WrittenPlace {
  const isFile = statSync(resolve(cwd, word), { throwIfNoEntry: false })?.isFile() === true;
  return isFile && file === undefined ? { file: word, context: dirname(word) } : { file, context: word };
}

/**
 * Finds a Dockerfile on this machine. `name` is its path from the working directory.
 * @throws TbuildError USAGE
 */
export function localDockerfile({ file, context }: WrittenPlace, cwd: string): { path: string; name: string } {
  const isElsewhere = /^(?:[a-z][\w+.-]*:\/\/|git@)/i.test(file ?? context);
  const candidates = file === undefined ? DEFAULT_NAMES.map((name) => join(context, name)) : [file];
  const path = candidates.map((name) => resolve(cwd, name)).find((one) => existsSync(one));
  if (path !== undefined && !isElsewhere) return { path, name: relative(cwd, path) };
  const place = JSON.stringify(file ?? context);
  const message = isElsewhere ? `No file on this machine: ${place}` : `There is no Dockerfile at ${place}`;
  throw new TbuildError('USAGE', message, { hint: 'Name a file with -f, or a directory that has a Dockerfile' });
}
