import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';

/** Returns the text of a file, or undefined when it does not exist or is a directory. */
export function readText(file: string): string | undefined {
  try {
    // Where Node decodes the text itself, it aborts the process if a failing disk lets the file not be closed.
    return readFileSync(file).toString();
  } catch (error) {
    if (isNoFile(error)) return undefined;
    throw error;
  }
}

/** Reports whether an error means that no file has the name: nothing, or what the store does not have there. */
export function isNoFile(error: unknown): boolean {
  return ['ENOENT', 'EISDIR', 'ENOTDIR', 'ELOOP'].includes(errnoName(error) ?? '');
}

/** Renames an unfinished file to its name and replaces whatever had it. */
export function renameOver(temporary: string, file: string): void {
  try {
    renameSync(temporary, file);
  } catch (error) {
    if (errnoName(error) !== 'EISDIR') throw error;
    rmSync(file, { recursive: true, force: true });
    renameSync(temporary, file);
  }
}

/** Renames a file or directory. Returns false when it, or the directory that it moves to, does not exist. */
export function renameIfThere(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Returns the time of the last change of a file or directory (milliseconds), or 0 when it does not exist. */
export function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Sets the time of last use of a file or directory (milliseconds). Returns false when it does not exist. */
export function touch(path: string, at: number): boolean {
  try {
    utimesSync(path, at / 1000, at / 1000);
    return true;
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return false;
    throw error;
  }
}

export interface AtomicOptions {
  /** The directory of the unfinished file, on the same file system. Default: the directory of the file. */
  readonly temporaryDirectory?: string;
  readonly mode?: number;
}

/** A long text is given as a function, which returns its pieces anew each time. */
type Content = string | Uint8Array | (() => Iterable<string>);

/** Writes a temporary file and renames it. The last of several writers wins. Makes missing parent directories. */
export function writeAtomically(file: string, content: Content, options: AtomicOptions = {}): void {
  for (let left = ATTEMPTS; ; left--) {
    try {
      return tryWrite(file, content, options);
    } catch (error) {
      // A prune may have removed the directory, or a note's directory with the temporary file in it.
      if (left === 1 || errnoName(error) !== 'ENOENT') throw naming(file, error);
    }
  }
}

const ATTEMPTS = 5;

function tryWrite(file: string, content: Content, { temporaryDirectory = dirname(file), mode }: AtomicOptions): void {
  makeDirectory(temporaryDirectory);
  const name = `${basename(file).slice(0, LONGEST_STEM)}.${randomBytes(12).toString('hex')}`;
  const temporary = join(temporaryDirectory, name);
  try {
    if (typeof content === 'function') writePieces(temporary, content(), mode);
    else writeFileSync(temporary, content, { flag: 'wx', mode });
    renameOver(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Returns the error with the name of the file, which the system's own error about a descriptor lacks. */
function naming(file: string, error: unknown): unknown {
  if (error instanceof Error && errnoName(error) !== undefined && !('path' in error))
    Object.assign(error, { path: file });
  return error;
}

/** Leaves room for the random part in the 255 bytes that a file name may have. */
const LONGEST_STEM = 100;

const PIECE = 1 << 16;

/** Writes a long text without holding it in memory. */
function writePieces(file: string, pieces: Iterable<string>, mode: number | undefined): void {
  const fd = openSync(file, 'wx', mode);
  try {
    let pending = '';
    for (const piece of pieces) {
      pending += piece;
      if (pending.length < PIECE) continue;
      writeFileSync(fd, pending);
      pending = '';
    }
    writeFileSync(fd, pending);
  } finally {
    closeSync(fd);
  }
}

/** Returns an iterator over the zero-terminated words of a file, or undefined like {@link readText}. */
export function readWords(file: string): IterableIterator<string> | undefined {
  try {
    return wordsIn(readFileSync(file));
  } catch (error) {
    if (isNoFile(error)) return undefined;
    throw error;
  }
}

function* wordsIn(bytes: Buffer): Generator<string, void> {
  for (let at = 0; ;) {
    const end = bytes.indexOf(0, at);
    if (end === -1) return;
    yield bytes.toString('utf8', at, end);
    at = end + 1;
  }
}
