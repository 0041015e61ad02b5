import { TbuildError } from '@tbuild/errors';
import { readText, writeAtomically } from './atomic-file.ts';
import type { StoreLayout } from './layout.ts';

/** Raised whenever a program of the version before would misread the store. */
const FORMAT = 1;

/** Files have their own owners, or an attribute records them: who expects the other would misread them. */
const MARKS = { real: `${FORMAT}`, recorded: `${FORMAT} with recorded owners` };

/**
 * Checks that this program knows the format of the store, and marks a store that has no mark yet.
 * @throws TbuildError USAGE for a store of another format.
 */
export function requireFormat(
  { root, format, temporary }: Pick<StoreLayout, 'root' | 'format' | 'temporary'>,
  owners: keyof typeof MARKS = 'real',
): void {
  const expected = MARKS[owners];
  const text = readText(format)?.trim() ?? '';
  if (text === expected) return;
  if (text !== '') {
    const isOther = Object.values(MARKS).includes(text);
    throw new TbuildError(
      'USAGE',
      `The store ${JSON.stringify(root)} has format ${JSON.stringify(text)}, expected ${JSON.stringify(expected)}`,
      {
        hint: isOther
          ? 'Name another store with --root DIR: root with the capabilities CHOWN and FOWNER and root without them cannot share one'
          : 'Use the version of tbuild that made it, or name another store with --root DIR',
      },
    );
  }
  try {
    writeAtomically(format, `${expected}\n`, { temporaryDirectory: temporary });
  } catch {
    // On a read-only or full file system; whatever needs to write says so.
  }
}
