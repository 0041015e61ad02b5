import { readFileSync } from 'node:fs';
import type { Random } from '../../support/random.ts';
import type { Operation, Site } from '../operations.ts';
import { rehearse } from '../rehearse.ts';
import { runTbuild } from '../run-tbuild.ts';
import { type Call, ONE_THREAD, traced, withoutWorkingDirectory } from '../strace.ts';

/** The calls by which programs read and write files. */
const TRACED =
  '%file,read,pread64,write,pwrite64,ftruncate,fallocate,fsync,fdatasync,syncfs,flock,getdents64,fchmod,fchown,copy_file_range,sendfile,splice';

/**
 * Returns the system calls on files of a site that an operation makes, and what it starts: those that every thread which makes
 * so many calls of the name makes on such a file. Counts them in a copy of the site, and leaves the log in `log`.
 */
export function callsOf(operation: Operation, site: Site, log: string): Promise<readonly Call[]> {
  return rehearse(site, async () => {
    const env = { ...operation.env, ...ONE_THREAD };
    await runTbuild(site, operation.arguments(site), { through: traced(log, TRACED), env });
    return parseCalls(readFileSync(log, 'utf8'), site.directory);
  });
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

/** Picks a name of a call first, so that rare ones are as likely as frequent ones. */
export function pickCall(calls: readonly Call[], random: Random): Call | undefined {
  const names = [...new Set(calls.map(({ name }) => name))].toSorted();
  if (names.length === 0) return undefined;
  const name = random.pick(names);
  return random.pick(calls.filter((call) => call.name === name));
}
