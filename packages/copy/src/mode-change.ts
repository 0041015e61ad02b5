import { constants } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import type { ModeChange } from '@tbuild/graph';

/** Maps a mode, with or without file type bits, to the 12 permission bits after a change. */
export type ModeFunction = (mode: number) => number;

/**
 * Compiles the value of `--chmod`. A number replaces the mode; chmod(1)'s symbolic form changes it. Follows BSD, as
 * Docker does: no umask, `=` clears the set-id bits of its classes, and `X` tests the original mode.
 *
 * @throws TbuildError DOCKERFILE_SEMANTICS for an invalid mode.
 */
export function compileModeChange(change: ModeChange | undefined): ModeFunction {
  if (change === undefined) return (mode) => mode & PERMISSIONS;
  if (typeof change === 'number') return () => change & PERMISSIONS;
  const clauses = change.split(',').map((clause) => parseClause(change, clause));
  return (mode) => clauses.reduce((current, apply) => apply(current, mode), mode & PERMISSIONS);
}

const PERMISSIONS = 0o7777;
/** The bits that belong to each class. */
const CLASSES: Record<string, number> = { u: 0o4700, g: 0o2070, o: 0o0007, a: 0o6777 };
const BITS: Record<string, number> = { r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000 };
/** The offset of each class's bits. */
const SHIFTS: Record<string, number> = { u: 6, g: 3, o: 0 };

type Clause = (current: number, original: number) => number;

function parseClause(change: string, clause: string): Clause {
  const match = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/u.exec(clause);
  if (match === null)
    throw new TbuildError(
      'DOCKERFILE_SEMANTICS',
      `Invalid mode ${JSON.stringify(change)}: expected an octal or symbolic mode`,
    );
  const [, who = '', text = ''] = match;
  const classes = [...who].reduce((mask, letter) => mask | (CLASSES[letter] ?? 0), 0);
  const actions = [...text.matchAll(/([-+=])([ugo]|[rwxXst]*)/gu)].map(([, operator = '', letters = '']) => ({
    operator,
    letters,
  }));
  return (current, original) =>
    actions.reduce((mode, { operator, letters }) => {
      const onlyOthers = classes !== 0 && (classes & ~0o007) === 0;
      const governed = (classes === 0 ? 0o6777 : classes) | (letters.includes('t') && !onlyOthers ? 0o1000 : 0);
      const bits = bitsOf(letters, mode, original) & governed;
      if (operator === '+') return mode | bits;
      if (operator === '-') return mode & ~bits;
      return (mode & ~governed) | bits;
    }, current);
}

/** Returns the bits for letters, in all classes. `u`, `g` and `o` copy the bits of that class. */
function bitsOf(letters: string, mode: number, original: number): number {
  const shift = SHIFTS[letters];
  if (shift !== undefined) return ((mode >> shift) & 0o7) * 0o111;
  const isSearchable = (original & constants.S_IFMT) === constants.S_IFDIR || (original & 0o111) !== 0;
  return [...letters].reduce(
    (bits, letter) => bits | (letter === 'X' ? (isSearchable ? 0o111 : 0) : (BITS[letter] ?? 0)),
    0,
  );
}
