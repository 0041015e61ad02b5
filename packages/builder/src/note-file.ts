import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoName } from '@tbuild/errors';

/** The text of a file of the store, or undefined when there is none. */
export function readNote(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Notes that a file or directory of the store was used at this time (milliseconds); false when it is not there. */
export function touch(path: string, at: number): boolean {
  try {
    utimesSync(path, at / 1000, at / 1000);
    return true;
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Gives a file of the store this text in one step; of several writers at once the last one wins. */
export function writeNote(file: string, text: string | Iterable<string>): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${randomBytes(16).toString('hex')}`;
  try {
    if (typeof text === 'string') writeFileSync(temporary, text);
    else writePieces(temporary, text);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

const PIECE = 1 << 16;

/** A note of many files never stands in memory as a whole. */
function writePieces(file: string, pieces: Iterable<string>): void {
  const fd = openSync(file, 'w');
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

/** A note of words that each end in a zero, to go through once; undefined when there is none. */
export function readWords(file: string): IterableIterator<string> | undefined {
  try {
    return wordsIn(readFileSync(file));
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return undefined;
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
