import { getSystemErrorMap } from 'node:util';
import { errnoName } from '@tbuild/errors';

/** What people read of an error that nobody foresaw. */
export interface UnexpectedText {
  readonly message: string;
  readonly hint: string;
}

/**
 * Turns an error that is no TbuildError into a message: a refusal by the operating system into what was refused, of
 * which file and why, anything else into a defect of tbuild and how to report it.
 */
export function describeUnexpected(error: unknown): UnexpectedText {
  const refusal = systemErrorOf(error);
  if (refusal !== undefined) return describeRefusal(refusal);
  const detail = error instanceof Error ? error.message : String(error);
  return {
    message: `tbuild failed in a way that it should not: ${detail.split('\n', 1)[0] ?? ''}`,
    hint: 'This is a defect of tbuild: please report it, with what the same command prints with --debug',
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

function systemErrorOf(error: unknown): SystemError | undefined {
  const code = errnoName(error);
  if (code === undefined || !(error instanceof Error) || !/^E[A-Z0-9]+$/.test(code)) return undefined;
  const text = (key: string): string | undefined => {
    const value: unknown = Reflect.get(error, key);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const number: unknown = Reflect.get(error, 'errno');
  const reason = (typeof number === 'number' ? getSystemErrorMap().get(number)?.[1] : undefined) ?? error.message;
  return { code, reason, syscall: text('syscall'), path: text('path'), dest: text('dest') };
}

/** What system calls do, for those that people's mistakes make fail. */
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
};

const CHECK_PATH = 'Check the path; if it is right, please report this, with what --debug prints';

/** What can be done about it. */
const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'Free some space; "tbuild du" shows what the store holds, and "tbuild prune" removes what no image needs',
  EDQUOT: 'Free some space; "tbuild du" shows what the store holds, and "tbuild prune" removes what no image needs',
  EROFS: 'Name a store that can be written to with --root DIR or TBUILD_ROOT=DIR, or another destination',
  EACCES: 'Check who owns it and its mode',
  EPERM: 'Check who owns it and its mode',
  EMFILE: 'Raise the limit of open files: ulimit -n',
  ENFILE: 'The whole machine has too many files open',
  ENOENT: CHECK_PATH,
  ENOTDIR: CHECK_PATH,
  EISDIR: CHECK_PATH,
  EEXIST: CHECK_PATH,
  ELOOP: CHECK_PATH,
  ENAMETOOLONG: CHECK_PATH,
  EIO: 'The disk may be failing: see dmesg',
};

function describeRefusal({ code, reason, syscall = '', path, dest }: SystemError): UnexpectedText {
  const [call = ''] = syscall.split(' ', 1);
  const verb = VERBS[call] ?? call;
  const object = path === undefined ? '' : ` ${JSON.stringify(path)}`;
  const target = dest === undefined ? '' : ` to ${JSON.stringify(dest)}`;
  return {
    message: verb === '' ? capitalized(reason) : `Cannot ${verb}${object}${target}: ${reason}`,
    hint: HINTS[code] ?? 'If you think that this should work, please report it, with what --debug prints',
  };
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
