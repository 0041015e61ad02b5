import { TbuildError } from '@tbuild/errors';
import { readText, writeAtomically } from './atomic-file.ts';
import type { StoreLayout } from './layout.ts';

/** Raised whenever a program of the version before would misread the store. */
const FORMAT = 1;

/**
 * Checks that this program knows the format of the store, and marks a store that has no mark yet.
 * @throws TbuildError USAGE for a store of another format.
 */
export function requireFormat({ root, format, temporary }: Pick<StoreLayout, 'root' | 'format' | 'temporary'>): void {
  const text = readText(format);
  if (text?.trim() === String(FORMAT)) return;
  if (text !== undefined && text.trim() !== '') {
    throw new TbuildError(
      'USAGE',
      `The store ${JSON.stringify(root)} has format ${JSON.stringify(text.trim())}, expected "${FORMAT}"`,
      { hint: 'Use the version of tbuild that made it, or name another store with --root DIR' },
    );
  }
  try {
    writeAtomically(format, `${FORMAT}\n`, { temporaryDirectory: temporary });
  } catch {
    // On a read-only or full file system; whatever needs to write says so.
  }
}
