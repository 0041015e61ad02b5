import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Gives a file these bytes in one step; of several writers at once the last one wins. */
export function replaceFile(file: string, bytes: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = temporaryOf(file);
  try {
    writeFileSync(temporary, bytes);
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** A name beside a file that nobody else uses. */
export function temporaryOf(file: string): string {
  return `${file}.${randomBytes(6).toString('hex')}`;
}
