import type { Random } from '../../support/random.ts';
import type { FaultContext } from '../fault-row.ts';
import type { Operation, Site } from '../operations.ts';
import { rehearseCalls } from '../rehearse.ts';
import { runTbuild } from '../run-tbuild.ts';
import { type Call, injectedCalls, ONE_THREAD, tampering, withoutWorkingDirectory } from '../strace.ts';
import { requireClearEnd } from './clear-end.ts';

/** The kinds of system calls on files that can be made to fail, as regular expressions for strace. */
const OF_FILES = [
  '^open',
  '^p?read(64|v)?$',
  '^p?write(64|v)?$',
  '^close$',
  '^statx$',
  '^(newf|f|l)?stat(at)?$',
  '^getdents',
  '^f?access',
  '^readlink',
  '^mkdir',
  '^rename',
  '^link',
  '^symlink',
  '^mknod',
  '^unlink',
  '^rmdir',
  '^utimensat',
  'chmod',
  'chown',
  'listxattr$',
  'getxattr$',
  'setxattr$',
  '^ioctl$',
  '^flock$',
  'sync',
  '^f?statfs$',
  '^chdir$',
  '^mount$',
  '^mount_setattr$',
];

/** Those that make processes. Node, the shell and other tools then end with messages and exit codes of their own. */
const OF_PROCESSES = ['^(clone3?|v?fork)$', '^execve', '^pipe', '^unshare$', '^mmap$'];

const KINDS = [...OF_FILES, ...OF_PROCESSES];
const ERRORS = ['EIO', 'ENOMEM', 'ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE'];

/** One kind of call and an error that it answers with. */
export interface FailingCall {
  readonly kind: string;
  readonly error: string;
}

/** Returns the pair of a case, counted from 1: all kinds with the first error, all with the second, and so on. */
export function failingCallOf(number: number): FailingCall {
  const error = ERRORS[Math.floor((number - 1) / KINDS.length) % ERRORS.length]!;
  return { kind: KINDS[(number - 1) % KINDS.length]!, error };
}

/** Lets one call of an operation fail and checks how the operation ends. Returns whether such a call was hit. */
export async function failCall(
  { kind, error }: FailingCall,
  operation: Operation,
  { site, at, log }: { readonly site: Site; readonly at: FaultContext; readonly log: string },
): Promise<boolean> {
  const isMeant = (line: string): boolean =>
    OF_FILES.includes(kind) ? withoutWorkingDirectory(line).includes(site.directory) : !line.includes('CLONE_THREAD');
  const call = pickCall(await rehearseCalls(site, operation, { calls: `/${kind}`, log }), isMeant, at.random);
  if (call === undefined) return false;
  const through = tampering(call, `error=${error}`, log);
  const result = await runTbuild(at, operation.arguments(site), { through, env: { ...operation.env, ...ONE_THREAD } });
  const failed = injectedCalls(log);
  const isHit = failed.some(isMeant);
  at.count(isHit ? `${error} at ${call.name}` : 'calls missed');
  if (isHit && result.exitCode !== 0) at.count('messages');
  // Else the call of another thread may have been the reason.
  const isSure = isHit && failed.every(isMeant) && OF_FILES.includes(kind);
  requireClearEnd(result, { site, context: at, error: isSure ? error : undefined, what: failed.join('\n') });
  return isHit;
}

/** Returns one of the calls that a run made, where possible one that every thread which makes so many calls of the name means. */
function pickCall(log: string, isMeant: (line: string) => boolean, random: Random): Call | undefined {
  const counts = new Map<string, number>();
  const calls = new Map<string, Call & { readonly meant: boolean[] }>();
  for (const line of log.split('\n')) {
    const [, thread, name] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (thread === undefined || name === undefined) continue;
    const n = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, n);
    const { meant } = calls.get(`${name} ${n}`) ?? { meant: [] };
    calls.set(`${name} ${n}`, { name, n, meant: [...meant, isMeant(line)] });
  }
  const all = [...calls.values()];
  const sure = all.filter(({ meant }) => meant.every(Boolean));
  const possible = sure.length > 0 ? sure : all.filter(({ meant }) => meant.some(Boolean));
  return possible.length === 0 ? undefined : random.pick(possible);
}
