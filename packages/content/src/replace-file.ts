import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { errnoName } from '@tbuild/errors';

/** Gives `path` this text in one step; a file that has it already is left alone. */
export function replaceFile(path: string, text: string, temporaryDirectory: string): void {
  if (readText(path) === text) return;
  mkdirSync(temporaryDirectory, { recursive: true });
  const temporary = join(
    temporaryDirectory,
    `${basename(path).slice(0, 40)}-${process.pid}-${randomBytes(6).toString('hex')}`,
  );
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o644 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** The text of a file, or undefined when there is none. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return undefined;
    throw error;
  }
}
