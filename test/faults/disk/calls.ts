import type { Operation, Site } from '../operations.ts';
import { rehearseCalls } from '../rehearse.ts';
import { type Call, withoutWorkingDirectory } from '../strace.ts';

/** The calls by which programs read and write files. */
const TRACED =
  '%file,read,pread64,write,pwrite64,ftruncate,fallocate,fsync,fdatasync,syncfs,flock,getdents64,fchmod,fchown,copy_file_range,sendfile,splice';

/**
 * Returns the system calls on files of a site that an operation makes, and what it starts: those that every thread which makes
 * so many calls of the name makes on such a file. Counts them in a copy of the site, and leaves the log in `log`.
 */
export async function callsOf(operation: Operation, site: Site, log: string): Promise<readonly Call[]> {
  return parseCalls(await rehearseCalls(site, operation, { calls: TRACED, log }), site.directory);
}

function parseCalls(log: string, directory: string): readonly Call[] {
  const counts = new Map<string, number>();
  const calls = new Map<string, Call & { readonly isOfSite: boolean }>();
  for (const line of log.split('\n')) {
    const [, thread, name] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (thread === undefined || name === undefined) continue;
    const n = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, n);
    const key = `${name} ${n}`;
    const { isOfSite: areOfSite = true } = calls.get(key) ?? {};
    calls.set(key, { name, n, isOfSite: areOfSite && withoutWorkingDirectory(line).includes(directory) });
  }
  return [...calls.values()].filter(({ isOfSite }) => isOfSite);
}
