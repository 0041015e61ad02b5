import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../support/random.ts';
import { scratchDirectory } from '../support/scratch.ts';
import { makeSite, type Operation, reproducibleBuild, type Site } from './operations.ts';
import { runTbuild } from './run-tbuild.ts';

/** A system call on a file of a site: the n-th of its name in its thread. */
export interface Call {
  readonly name: string;
  readonly n: number;
}

/** The calls by which programs read and write files. */
const TRACED =
  '%file,read,pread64,write,pwrite64,ftruncate,fallocate,fsync,fdatasync,syncfs,flock,getdents64,fchmod,fchown,copy_file_range,sendfile,splice';

const known = new Map<string, Promise<readonly Call[]>>();

/**
 * Returns the system calls of an operation, and of what it starts, that name a path in the directory of a site. They are
 * counted once for all cases, in a new site, because counting takes long.
 */
export function callsOf(operation: Operation, site: Site): Promise<readonly Call[]> {
  const calls = known.get(operation.name) ?? countCalls(operation, site);
  known.set(operation.name, calls);
  return calls;
}

async function countCalls(operation: Operation, { registry, archive, signal }: Site): Promise<readonly Call[]> {
  const directory = scratchDirectory('count');
  const site = makeSite({ directory: join(directory, 'site'), signal, registry, archive });
  // A build does most in an empty store, the other operations in one with something in it.
  if (operation.builds === undefined) await runTbuild(site, reproducibleBuild(site, 'a'));
  const log = join(directory, 'strace');
  await runTbuild(site, operation.arguments(site), { through: traced(log, TRACED) });
  return parseCalls(readFileSync(log, 'utf8'), site.directory);
}

/** Returns the command that runs a program and logs calls of it and of all that it starts. */
export function traced(log: string, calls: string): readonly string[] {
  return ['strace', '-f', '-y', '-s', '0', '-o', log, '-e', `trace=${calls}`];
}

function parseCalls(log: string, directory: string): readonly Call[] {
  const counts = new Map<string, number>();
  return log.split('\n').flatMap((line) => {
    const [, thread, name] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (thread === undefined || name === undefined) return [];
    const n = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, n);
    return withoutWorkingDirectory(line).includes(directory) ? [{ name, n }] : [];
  });
}

/** Picks a name of a call first, so that rare ones are as likely as frequent ones. */
export function pickCall(calls: readonly Call[], random: Random): Call | undefined {
  const names = [...new Set(calls.map(({ name }) => name))].toSorted();
  if (names.length === 0) return undefined;
  const name = random.pick(names);
  return random.pick(calls.filter((call) => call.name === name));
}

/** Returns the command that runs a program and tampers with its n-th call in each thread: `signal=KILL`, `error=EIO`. */
export function tampering({ name, n }: Call, effect: string, log: string): readonly string[] {
  return [...traced(log, name), '-e', `inject=${name}:${effect}:when=${n}`];
}

/** Returns a line of strace without the working directory of the program, which stands before every absolute path too. */
export function withoutWorkingDirectory(line: string): string {
  return line.replaceAll(/AT_FDCWD<[^>]*>, "\//g, 'AT_FDCWD, "/');
}
