import { type Call, withoutWorkingDirectory } from '../strace.ts';

/** A call that changes something in a site. A command that dies at its n-th call of this name dies here. */
export interface Strike extends Call {
  readonly kind: string;
  /** The line of strace, without what differs between two runs. */
  readonly line: string;
}

/** The kinds of calls that change a file system, each as likely as the others. */
const KINDS: Readonly<Record<string, RegExp>> = {
  rename: /^rename/,
  link: /^(sym)?link/,
  unlink: /^(unlink|rmdir)/,
  mkdir: /^mk(dir|nod)/,
  'open to write': /^open.*(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC)/,
  write: /^(p?write|ftruncate|fallocate|copy_file_range|sendfile|splice)/,
  sync: /^(f|fdata|sync)sync|^syncfs/,
  'change of attributes': /^(f?ch(mod|own)|utimens|l?f?setxattr|lchown)/,
};

/** The calls of {@link KINDS}, for strace. Not every architecture has all. */
export const CHANGES = [
  '?rename,?renameat,?renameat2,?link,?linkat,?symlink,?symlinkat,?unlink,?unlinkat,?rmdir,?mkdir,?mkdirat,?mknod,?mknodat',
  '?open,?openat,?openat2,?write,?pwrite64,?ftruncate,?fallocate,?copy_file_range,?sendfile,?splice,?fsync,?fdatasync,?syncfs',
  '?chmod,?fchmod,?fchmodat,?fchmodat2,?chown,?fchown,?lchown,?fchownat,?utimensat,?setxattr,?lsetxattr,?fsetxattr',
].join();

/**
 * Returns the changes of a directory in the log of strace that a kill can be aimed at: their thread is the first one that
 * makes so many calls of the name.
 */
export function strikesIn(log: string, directory: string): readonly Strike[] {
  const main = /^\d+/.exec(log)?.[0];
  const counts = new Map<string, number>();
  const reached = new Set<string>();
  let isOver = false;
  return log.split('\n').flatMap((line) => {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (thread === main && rest.startsWith('+++')) isOver = true;
    const name = /^\w+(?=\()/.exec(rest)?.[0];
    if (name === undefined) return [];
    const n = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, n);
    if (reached.has(`${name} ${n}`)) return [];
    reached.add(`${name} ${n}`);
    const kind = Object.keys(KINDS).find((each) => KINDS[each]!.test(rest));
    if (kind === undefined || !withoutWorkingDirectory(rest).includes(directory)) return [];
    return [{ name, n, kind: isOver ? `${kind} in the background` : kind, line: withoutNumbers(rest) }];
  });
}

/** Process ids, times, descriptors, and names that are random. */
function withoutNumbers(call: string): string {
  return call
    .replace(/\)? +(=|<unfinished).*/, '')
    .replaceAll(/[\da-f]{8,}|(?<=builds\/)\w+|(?<=-)\w{6}(?=[/">])/g, '#')
    .replaceAll(/\d+/g, '#');
}
