import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { FileType, mknod } from '@tbuild/linux';
import type { Random } from '../../support/random.ts';
import type { KnownStates } from './known-states.ts';

/** A change of a path in a directory. */
export interface Change {
  readonly kind: keyof typeof CHANGES;
  readonly path: string;
  /** When it happens: a share of the time that a build takes. */
  readonly moment: number;
  /** New content is made of it. */
  readonly number: number;
}

/** A directory that changes. */
export interface Changing {
  readonly directory: string;
  /** A free name on the same file system. */
  readonly aside: string;
  readonly states: KnownStates;
}

type Make = (change: Change, changing: Changing) => void;

export function randomChange(random: Random, paths: readonly string[]): Change {
  return {
    kind: random.pick(Object.keys(CHANGES) as (keyof typeof CHANGES)[]),
    path: random.pick(paths),
    moment: random.int(1000) / 1000,
    number: random.int(2 ** 31),
  };
}

/** Makes a change. Returns false where an earlier one has made it impossible. */
export function makeChange(change: Change, changing: Changing): boolean {
  try {
    CHANGES[change.kind](change, changing);
    return true;
  } catch (error) {
    const name = errnoName(error) ?? '';
    // The file system has crashed.
    if (['ENOTCONN', 'ECONNABORTED'].includes(name)) return false;
    if (!['ENOENT', 'ENOTDIR', 'EISDIR'].includes(name)) throw error;
    rmSync(changing.aside, { recursive: true, force: true });
    return false;
  }
}

/** A new content, or the changed part of one, is written in one call and within a page, so that nobody sees half of it. */
const CHANGES = {
  rewrite: changing((_, change) => [contentOf(change), writeFileSync]),
  grow: changing((before, change) => {
    const more = contentOf(change).subarray(0, 64);
    return [Buffer.concat([before, more]), (path) => appendFileSync(path, more)];
  }),
  shrink: changing((before) => {
    const half = before.subarray(0, before.length >> 1);
    return [half, (path) => truncateSync(path, half.length)];
  }),
  'change a byte': changing((before, change) => {
    const after = withOtherByte(before, change);
    return [after, (path) => writeByte(path, after)];
  }),
  'change a byte and keep the time': changing((before, change) => {
    const after = withOtherByte(before, change);
    return [
      after,
      (path) => {
        const { atime, mtime } = statSync(path);
        writeByte(path, after);
        utimesSync(path, atime, mtime);
      },
    ];
  }),
  vanish({ path }, { directory, states }) {
    states.addAbsent(path);
    rmSync(join(directory, path), { recursive: true, force: true });
  },
  'rename over'(change, { directory, aside, states }) {
    const content = contentOf(change);
    states.add(change.path, content);
    writeFileSync(aside, content);
    renameSync(aside, join(directory, change.path));
  },
  'become a directory': replacing((change, { directory, aside, states }) => {
    const content = contentOf(change);
    states.addType(change.path, 'directory');
    states.add(`${change.path}/inner`, content);
    mkdirSync(aside);
    writeFileSync(join(aside, 'inner'), content);
    renameSync(aside, join(directory, change.path));
  }),
  'become a link': replacing(({ path, number }, { directory, states }) => {
    const target = number % 2 === 0 ? 'nowhere' : '/etc/passwd';
    states.addType(path, `link to ${target}`);
    symlinkSync(target, join(directory, path));
  }),
  'become a FIFO': replacing(({ path }, { directory, states }) => {
    states.addType(path, 'FIFO');
    mknod(join(directory, path), FileType.fifo | 0o644, 0);
  }),
} as const satisfies Readonly<Record<string, Make>>;

/** Returns a change of what is a file now. */
function changing(
  change: (before: Buffer, change: Change) => [after: Buffer, make: (path: string, after: Buffer) => void],
): Make {
  return (given, { directory, states }) => {
    const before = states.contentOf(given.path);
    if (before === undefined) return;
    const [after, make] = change(before, given);
    // A file that is written again is empty for a moment.
    if (make === writeFileSync) states.add(given.path, '');
    states.add(given.path, after);
    make(join(directory, given.path), after);
  };
}

/** Returns a change that first removes what has the name. */
function replacing(make: Make): Make {
  return (change, place) => {
    CHANGES.vanish(change, place);
    make(change, place);
  };
}

function withOtherByte(before: Buffer, { number }: Change): Buffer {
  const after = Buffer.from(before);
  if (after.length > 0) after[after.length >> 1] = number % 256;
  return after;
}

/** Writes the byte in the middle. */
function writeByte(path: string, content: Buffer): void {
  const at = content.length >> 1;
  const file = openSync(path, 'r+');
  try {
    writeSync(file, content, at, Math.min(1, content.length), at);
  } finally {
    closeSync(file);
  }
}

/** Returns at most 800 bytes. */
function contentOf({ number }: Change): Buffer {
  return Buffer.from(`${number.toString(36)}\n`.repeat(1 + (number % 100)));
}
