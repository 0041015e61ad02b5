import { getSystemErrorMap } from 'node:util';
import { capitalized, errnoName, messageOf } from '@tbuild/errors';

/** The text about an unexpected error. */
export interface UnexpectedText {
  readonly message: string;
  readonly hint: string;
}

/**
 * Turns an error without a code into a message. A refusal by the system says what failed on which file and why; any
 * other error is a defect of tbuild, with a request to report it. `store` is its directory, which a full disk concerns.
 */
export function describeUnexpected(error: unknown, store?: string): UnexpectedText {
  const refusal = systemErrorOf(error);
  if (refusal !== undefined) return describeRefusal(refusal, store);
  return {
    message: `Internal error: ${messageOf(error).split('\n', 1)[0] ?? ''}`,
    hint: 'Report this defect of tbuild, with the output of the same command with --debug',
  };
}

interface SystemError {
  readonly code: string;
  /** The system's words, e.g. `no such file or directory`. */
  readonly reason: string;
  readonly syscall?: string;
  readonly path?: string;
  readonly dest?: string;
}

/** Returns the system's words for a system error, e.g. `no such file or directory`, or undefined for another one. */
export function systemReason(error: unknown): string | undefined {
  return systemErrorOf(error)?.reason;
}

function systemErrorOf(error: unknown): SystemError | undefined {
  const code = errnoName(error);
  if (code === undefined || !(error instanceof Error) || !/^E[A-Z0-9]+$/.test(code)) return undefined;
  const text = (key: string): string | undefined => {
    const value: unknown = Reflect.get(error, key);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const number: unknown = Reflect.get(error, 'errno');
  const known = typeof number === 'number' ? getSystemErrorMap().get(number)?.[1] : undefined;
  const reason = known ?? UNKNOWN_TO_NODE[code] ?? error.message;
  return { code, reason, syscall: text('syscall'), path: text('path'), dest: text('dest') };
}

const UNKNOWN_TO_NODE: Readonly<Record<string, string>> = {
  EDQUOT: 'disk quota exceeded',
  ESTALE: 'stale file handle',
};

/** The actions of system calls that users' mistakes can make fail. */
const VERBS: Readonly<Record<string, string>> = {
  open: 'open',
  read: 'read',
  write: 'write',
  close: 'close',
  mkdir: 'make the directory',
  mkdtemp: 'make a directory like',
  scandir: 'read the directory',
  opendir: 'read the directory',
  stat: 'look at',
  lstat: 'look at',
  statfs: 'look at the file system of',
  access: 'look at',
  readlink: 'read the link',
  realpath: 'resolve',
  unlink: 'remove',
  rm: 'remove',
  rmdir: 'remove the directory',
  rename: 'rename',
  symlink: 'make the link',
  link: 'make the link',
  chmod: 'change the mode of',
  fchmod: 'change a mode',
  chown: 'change the owner of',
  lchown: 'change the owner of',
  fchown: 'change an owner',
  utime: 'change the times of',
  futime: 'change times',
  lutime: 'change the times of',
  copyfile: 'copy',
  ftruncate: 'resize a file',
  fsync: 'write to the disk',
  connect: 'connect to',
  spawn: 'start',
  posix_spawn: 'start',
  pipe2: 'make a pipe',
};

const CHECK_PATH = 'Check the path; if it is right, report this with the output of --debug';

/** Hints by error code. */
const HINTS: Readonly<Record<string, string>> = {
  EROFS: 'Name a writable store with --root DIR or TBUILD_ROOT=DIR, or another destination',
  EACCES: 'Check its owner and mode',
  EPERM: 'Check its owner and mode',
  EMFILE: 'Raise the limit of open files: ulimit -n',
  ENFILE: 'Close other programs: the whole machine has too many files open',
  ENOENT: CHECK_PATH,
  ENOTDIR: CHECK_PATH,
  EISDIR: CHECK_PATH,
  EEXIST: CHECK_PATH,
  ELOOP: CHECK_PATH,
  ENAMETOOLONG: CHECK_PATH,
  EIO: 'Check dmesg: the disk may be failing',
};

function describeRefusal({ code, reason, syscall = '', path, dest }: SystemError, store?: string): UnexpectedText {
  const [call = ''] = syscall.split(' ', 1);
  const verb = VERBS[call] ?? call;
  const object = path === undefined ? '' : ` ${JSON.stringify(path)}`;
  const target = dest === undefined ? '' : ` to ${JSON.stringify(dest)}`;
  return {
    message: verb === '' ? capitalized(reason) : `Cannot ${verb}${object}${target}: ${reason}`,
    hint:
      (FULL.has(code) ? fullHint(store) : HINTS[code]) ??
      'Report this with the output of --debug if you think that it should work',
  };
}

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** Returns whether an error, or one that it is caused by, says that a disk is full. */
export function saysFull(error: unknown): boolean {
  return isCausedBy(FULL, error);
}

const OF_DISK = new Set([...FULL, 'EIO', 'EROFS', 'EMFILE', 'ENFILE', 'ENOMEM']);

/** Returns whether an error, or one that it is caused by, is about a disk or a limit, and not about one file. */
export function isOfDisk(error: unknown): boolean {
  return isCausedBy(OF_DISK, error);
}

function isCausedBy(names: ReadonlySet<string>, error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (names.has(errnoName(cause) ?? '')) return true;
  return false;
}

/** Returns how to free space in the store. */
export function fullHint(store: string | undefined): string {
  const place = store === undefined ? '' : ` ${JSON.stringify(store)}`;
  return `Free some space: "tbuild du" shows what the store${place} holds, and "tbuild prune" removes build cache`;
}
